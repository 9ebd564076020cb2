"""How long the program took to compile."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bareboat.result.measurement import Column

if TYPE_CHECKING:
    from bareboat.measurements.subject import Subject

COLUMN = Column(
    name="build_seconds",
    heading="Build",
    unit="seconds",
    order=120,
    better="less",
    meaning="seconds that cargo says the compile took; *Target folder* says whether it found what an earlier one left",
    version=2,
)


def measure(subject: Subject) -> float | None:
    """Seconds; None where the engine had the whole compile in its cache, so that cargo did not run."""
    return subject.build_seconds
