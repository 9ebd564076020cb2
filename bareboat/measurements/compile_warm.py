"""How long the program takes to compile after a change of one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bareboat.result.measurement import Column

if TYPE_CHECKING:
    from bareboat.measurements.subject import TimedSubject
    from bareboat.result.measurement import Reading

COLUMN = Column(
    name="compile_warm",
    heading="Compile, warm",
    unit="seconds",
    order=118,
    better="less",
    thorough=True,
    meaning="seconds that cargo takes to compile what one more line in the file of the program's `main` asks for: "
    "that crate, and the linking; nothing else of the run beside it; where one takes less than ten seconds, the median "
    "of three",
)


def measure_timed(subject: TimedSubject) -> Reading:
    """Seconds, or why they could not be taken."""
    return subject.compile_warm
