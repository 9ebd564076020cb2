"""How soon a service can be connected to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bareboat.measurements._spread import read_runs
from bareboat.result.measurement import Column, Reading

if TYPE_CHECKING:
    from bareboat.measurements.subject import TimedSubject

COLUMN = Column(
    name="time_to_serve",
    heading="Time to serve",
    unit="seconds",
    order=132,
    meaning="from exec of a service until 127.0.0.1 takes a connection to its port, which is tried every 0.1 ms "
    "and a fiftieth of the time so far; runs as of *Start-up*",
    better="less",
)


def measure_timed(subject: TimedSubject) -> Reading:
    """Seconds; none of a program that is no service."""
    return read_runs(subject.gauged, lambda run: run.connected, service=True)
