"""The most memory that a program took."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bareboat.measurements._spread import read_runs
from bareboat.result.measurement import Column, Reading

if TYPE_CHECKING:
    from bareboat.measurements.subject import TimedSubject

COLUMN = Column(
    name="peak",
    heading="Peak memory",
    unit="bytes",
    order=121,
    meaning="most resident memory: of a service that is probed, while it answered every probe, 50 MB bodies among them "
    "(VmHWM); of every other program the median of its runs, a service's ended by its first answer (ru_maxrss)",
    version=2,
    better="less",
)


def measure_timed(subject: TimedSubject) -> int | Reading | None:
    """Bytes; None where too few were taken, and for a service that was probed and whose memory could not be seen."""
    if subject.probes:
        return subject.peak_bytes
    reading = read_runs(subject.gauged, lambda run: run.peak_bytes)
    # Since Linux 6.2 a processor keeps some 32 pages to itself before it adds them to the count of the process.
    return Reading(value=None, why="it takes fewer pages than Linux counts") if reading.value == 0 else reading
