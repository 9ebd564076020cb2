"""Takes the figures of an image as shipped: each module here with a `COLUMN` and a `measure` is a column of the table.

A module that measures a timed run has a `measure_timed` in place of `measure`; one whose figure such a run can confirm
has a `confirm` too. What they give is a bare figure, or a `Reading` with its spread or with why there is none. No list
names the modules: every file here is one, but `subject` and those whose name begins with `_`. Others use `measure_all`
with a `Subject`, `measure_timed` with a `TimedSubject`, `without_timed` where nothing will be timed,
`load_measurements` for the columns, `timed_names` for those that are another figure in each run, `lacks_locks` of
`tls`, `proof` and `idle` for what a proof changes, and the word `NOT_OBSERVED`.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Protocol, cast

from pydantic import TypeAdapter, ValidationError

from bareboat.errors import MeasurementError
from bareboat.measurements.subject import Subject, TimedSubject
from bareboat.result.measurement import NOT_ASKED, Column, Measurement, Reading

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from bareboat.result.measurement import Figure

__all__ = ["MeasurementModule", "Subject", "TimedSubject", "load_measurements", "measure_all", "measure_timed"]
_COLUMN = TypeAdapter(Column)


class MeasurementModule(Protocol):
    """What a file of this folder has to define."""

    COLUMN: Column

    def measure(self, subject: Subject) -> Figure | Reading:
        """The figure, in the column's unit; None where it does not apply to the image."""

    def measure_timed(self, subject: TimedSubject) -> Figure | Reading:
        """The figure of a timed run, in a module that has no `measure`."""

    def confirm(self, text: str | None, subject: TimedSubject) -> str | None:
        """A text that was measured before, in the light of a timed run; a module may be without it."""


def load_measurements() -> tuple[MeasurementModule, ...]:
    """Every measurement, sorted by its column's order and then by name.

    Raises MeasurementError with every mistake of every module.
    """
    names = [found.name for found in pkgutil.iter_modules(__path__)]
    modules = [importlib.import_module(f"{__name__}.{name}") for name in names if name != "subject" and name[0] != "_"]
    if mistakes := [f"{module.__file__}: {mistake}" for module in modules for mistake in _mistakes(module)]:
        raise MeasurementError("\n".join(mistakes))
    found = [cast("MeasurementModule", module) for module in modules]
    return tuple(sorted(found, key=lambda module: (module.COLUMN.order, module.COLUMN.name)))


def measure_all(subject: Subject) -> tuple[Measurement, ...]:
    """Every measurement of one image, in the table's order; those of timed runs are None.

    Raises BareboatError where the image cannot be read.
    """
    return tuple(_measure(module, subject) for module in load_measurements())


def measure_timed(taken: tuple[Measurement, ...], subject: TimedSubject) -> tuple[Measurement, ...]:
    """The measurements of one image, given what was taken of it before, with what its timed runs showed."""
    modules = {module.COLUMN.name: module for module in load_measurements()}
    return tuple(_complete(modules[measurement.column.name], measurement, subject) for measurement in taken)


def timed_names() -> frozenset[str]:
    """The names of the columns that are taken in a timed run, and are another figure in each."""
    return frozenset(module.COLUMN.name for module in load_measurements() if _is_timed(module))


def without_timed(taken: tuple[Measurement, ...], why: str) -> tuple[Measurement, ...]:
    """The measurements of an image of which nothing will be timed, and why."""
    timed = timed_names()
    return tuple(replace(one, why=one.why or why) if one.column.name in timed else one for one in taken)


def _measure(module: MeasurementModule, subject: Subject) -> Measurement:
    if module.COLUMN.thorough and not subject.thorough:
        return Measurement(column=module.COLUMN, value=None, why=NOT_ASKED)
    return _taken(module.COLUMN, None if _is_timed(module) else module.measure(subject))


def _taken(column: Column, said: Figure | Reading) -> Measurement:
    reading = said if isinstance(said, Reading) else Reading(value=said)
    return Measurement(column=column, value=reading.value, spread=reading.spread, why=reading.why)


def _complete(module: MeasurementModule, measurement: Measurement, subject: TimedSubject) -> Measurement:
    if measurement.why == NOT_ASKED:
        return measurement
    if _is_timed(module):
        return _taken(module.COLUMN, module.measure_timed(subject))
    if hasattr(module, "confirm") and isinstance(measurement.value, str | None):
        return replace(measurement, value=module.confirm(measurement.value, subject))
    return measurement


def _mistakes(module: ModuleType) -> Iterator[str]:
    column = getattr(module, "COLUMN", None)
    if not isinstance(column, Column):
        yield f"COLUMN must be a Column(name=..., heading=..., unit=..., order=...), and is {column!r:.100}"
    else:
        try:
            _COLUMN.validate_json(json.dumps(asdict(column), default=str))
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            yield f"COLUMN: {'.'.join(map(str, first['loc']))}: {first['msg']}"
    functions = [name for name in ("measure", "measure_timed") if callable(getattr(module, name, None))]
    if len(functions) != 1:
        yield "one function is needed: measure(subject), or measure_timed(subject) where a timed run is measured"


def _is_timed(module: MeasurementModule) -> bool:
    return hasattr(module, "measure_timed")
