"""How many pages of memory a program makes the kernel bring."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bareboat.measurements._spread import read_runs
from bareboat.result.measurement import Column, Reading

if TYPE_CHECKING:
    from bareboat.measurements.subject import TimedSubject

COLUMN = Column(
    name="page_faults",
    heading="Page faults",
    unit="count",
    order=123,
    meaning="page faults, minor and major, from exec to exit, or of a service until it was told to end after its "
    "first answer; runs as of *Start-up*",
    better="less",
)


def measure_timed(subject: TimedSubject) -> Reading:
    """A count."""
    return read_runs(subject.gauged, lambda run: run.faults)
