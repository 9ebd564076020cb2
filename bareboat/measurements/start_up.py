"""How long a program takes from its exec to its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bareboat.measurements._spread import read_runs
from bareboat.result.measurement import Column, Reading

if TYPE_CHECKING:
    from bareboat.measurements.subject import TimedSubject

COLUMN = Column(
    name="start_up",
    heading="Start-up",
    unit="seconds",
    order=130,
    meaning="from exec to exit of a program that ends by itself: the median of up to 50 runs on one processor, inside "
    "a container as every run has it; what a program that does nothing takes is part of it (*Control*)",
    better="less",
)


def measure_timed(subject: TimedSubject) -> Reading:
    """Seconds; none of a service."""
    return read_runs(subject.gauged, lambda run: run.ended, service=False)
