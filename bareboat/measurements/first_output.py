"""How soon a program says something."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bareboat.measurements._spread import read_runs
from bareboat.result.measurement import Column, Reading

if TYPE_CHECKING:
    from bareboat.measurements.subject import TimedSubject

COLUMN = Column(
    name="first_output",
    heading="First output",
    unit="seconds",
    order=131,
    meaning="from exec to the first byte on standard output or standard error, both of them pipes; runs as of "
    "*Start-up*",
    better="less",
)


def measure_timed(subject: TimedSubject) -> Reading:
    """Seconds; none of a program that writes nothing."""
    return read_runs(subject.gauged, lambda run: run.output)
