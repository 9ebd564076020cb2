"""How long the program takes to compile from nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bareboat.result.measurement import Column

if TYPE_CHECKING:
    from bareboat.measurements.subject import TimedSubject
    from bareboat.result.measurement import Reading

COLUMN = Column(
    name="compile_cold",
    heading="Compile, cold",
    unit="seconds",
    order=117,
    better="less",
    thorough=True,
    meaning="seconds that cargo says a compile of all crates takes that the program is made of: in an empty target "
    "folder, the crates being fetched, nothing else of the run beside it; where one takes less than ten seconds, the "
    "median of three",
)


def measure_timed(subject: TimedSubject) -> Reading:
    """Seconds, or why they could not be taken."""
    return subject.compile_cold
