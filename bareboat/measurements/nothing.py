"""What the kernel takes to run a program that does nothing: the control of the timed columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bareboat.measurements._spread import read_runs
from bareboat.result.measurement import Column, Reading

if TYPE_CHECKING:
    from bareboat.measurements.subject import TimedSubject

COLUMN = Column(
    name="nothing",
    heading="Control",
    unit="seconds",
    order=134,
    meaning="the control: from exec to exit of a program of some 10 kB that does nothing, run in turn with the "
    "image's own in the same container; it is the share of kernel and runtime in every such time, and "
    "subtracted from none",
)


def measure_timed(subject: TimedSubject) -> Reading:
    """Seconds."""
    return read_runs(subject.gauged, lambda run: run.ended, of=lambda gauged: gauged.idle_runs)
