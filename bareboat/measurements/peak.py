"""The most memory that a service took."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bareboat.result.measurement import Column

if TYPE_CHECKING:
    from bareboat.measurements.subject import TimedSubject

COLUMN = Column(
    name="peak",
    heading="Peak memory",
    unit="bytes",
    order=121,
    meaning="most resident memory of a service while it answered every probe, 50 MB bodies among them (VmHWM)",
)


def measure_timed(subject: TimedSubject) -> int | None:
    """Bytes; None for a program that is not a service."""
    return subject.peak_bytes
