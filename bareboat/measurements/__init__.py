"""Takes the figures of an image as shipped: each module here with a `COLUMN` and a `measure` is a column of the table.

A module that measures a timed run has a `measure_timed` in place of `measure`. No list names the modules: every file
here is one, but `subject` and those whose name begins with `_`. Others use `measure_all` with a `Subject`,
`measure_timed` with a `TimedSubject`, `load_measurements` for the columns, `proof` and `idle` for what a proof
changes, and `NOT_OBSERVED`, the word of the latter.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING, Protocol, cast

from bareboat.measurements.subject import Subject, TimedSubject
from bareboat.result.values import Measurement

if TYPE_CHECKING:
    from bareboat.result.values import Column

__all__ = ["MeasurementModule", "Subject", "TimedSubject", "load_measurements", "measure_all", "measure_timed"]


class MeasurementModule(Protocol):
    """What a file of this folder has to define."""

    COLUMN: Column

    def measure(self, subject: Subject) -> bool | int | float | str | None:
        """The figure, in the column's unit; None where it does not apply to the image."""

    def measure_timed(self, subject: TimedSubject) -> bool | int | float | str | None:
        """The figure of a timed run, in a module that has no `measure`."""


def load_measurements() -> tuple[MeasurementModule, ...]:
    """Every measurement, sorted by its column's order and then by name."""
    modules = (
        cast("MeasurementModule", importlib.import_module(f"{__name__}.{found.name}"))
        for found in pkgutil.iter_modules(__path__)
        if found.name != "subject" and not found.name.startswith("_")
    )
    return tuple(sorted(modules, key=lambda module: (module.COLUMN.order, module.COLUMN.name)))


def measure_all(subject: Subject) -> tuple[Measurement, ...]:
    """Every measurement of one image, in the table's order; those of timed runs are None.

    Raises BareboatError where the image cannot be read.
    """
    return tuple(
        Measurement(column=module.COLUMN, value=None if _is_timed(module) else module.measure(subject))
        for module in load_measurements()
    )


def measure_timed(subject: TimedSubject) -> tuple[Measurement, ...]:
    """The measurements of timed runs, in the table's order."""
    return tuple(
        Measurement(column=module.COLUMN, value=module.measure_timed(subject))
        for module in load_measurements()
        if _is_timed(module)
    )


def _is_timed(module: MeasurementModule) -> bool:
    return hasattr(module, "measure_timed")
