"""How soon a service answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bareboat.measurements._spread import read_runs
from bareboat.result.measurement import Column, Reading

if TYPE_CHECKING:
    from bareboat.measurements.subject import TimedSubject

COLUMN = Column(
    name="first_answer",
    heading="First answer",
    unit="seconds",
    order=133,
    meaning="from exec of a service to the first byte of its answer to `GET /`, asked as soon as it takes a connection",
    better="less",
)


def measure_timed(subject: TimedSubject) -> Reading:
    """Seconds; none of a program that is no service, or speaks no HTTP."""
    reading = read_runs(subject.gauged, lambda run: run.answered, service=True)
    if reading.value is None and not reading.why and subject.gauged and subject.gauged.service:
        return Reading(value=None, why="it did not answer GET /")
    return reading
