"""How long the image took to build, compiling included."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bareboat.result.values import Column

if TYPE_CHECKING:
    from bareboat.measurements.subject import Subject

COLUMN = Column(
    name="build_seconds",
    heading="Build",
    unit="seconds",
    order=120,
    meaning="seconds to compile the program and build the image",
)


def measure(subject: Subject) -> float | None:
    """Seconds; None where the build was not timed."""
    return subject.build_seconds
