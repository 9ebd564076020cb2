"""The smallest memory limit that a program survives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bareboat.result.measurement import Column

if TYPE_CHECKING:
    from bareboat.measurements.subject import TimedSubject
    from bareboat.result.measurement import Reading

COLUMN = Column(
    name="memory_floor",
    heading="Memory floor",
    unit="bytes",
    order=122,
    better="less",
    thorough=True,
    meaning="smallest `--memory`, without swap, with which its runs still show what they show with plenty, twice: "
    "bisected in steps of 1 MB, above 20 MB of 5 %. A service answers a 50 MB body, 1 MB sent back, and 200 requests "
    "over 16 connections meanwhile; one of your own is asked once. The container's runtime starts within the "
    "limit, too: below about 5 MB it is runc or crun that does not survive",
)


def measure_timed(subject: TimedSubject) -> Reading:
    """Bytes, or why it could not be found."""
    return subject.memory_floor
