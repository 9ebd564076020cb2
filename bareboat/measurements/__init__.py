"""Measurements, one file each: a module here with a `COLUMN` and a `measure` is a column of the table.

No list names them: they are found by their file names. A file named `_...`, or `subject`, is none.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING, Protocol, cast

from bareboat.measurements.subject import Subject
from bareboat.result.values import Measurement

if TYPE_CHECKING:
    from bareboat.result.values import Column

__all__ = ["MeasurementModule", "Subject", "load_measurements", "measure_all"]


class MeasurementModule(Protocol):
    """What a file in this folder offers."""

    COLUMN: Column

    def measure(self, subject: Subject) -> bool | int | float | str | None:
        """The figure, in the column's unit, taken from the image as shipped; None where it does not apply."""


def load_measurements() -> tuple[MeasurementModule, ...]:
    """Every measurement, by its column's order from the left; two of one order stand by name."""
    modules = (
        cast("MeasurementModule", importlib.import_module(f"{__name__}.{found.name}"))
        for found in pkgutil.iter_modules(__path__)
        if found.name != "subject" and not found.name.startswith("_")
    )
    return tuple(sorted(modules, key=lambda module: (module.COLUMN.order, module.COLUMN.name)))


def measure_all(subject: Subject) -> tuple[Measurement, ...]:
    """Every measurement of one image, in the table's order. Raises BareboatError where the image cannot be read."""
    return tuple(Measurement(column=module.COLUMN, value=module.measure(subject)) for module in load_measurements())
