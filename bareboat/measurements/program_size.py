"""The size of the program in the image."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bareboat.result.measurement import Column

if TYPE_CHECKING:
    from bareboat.measurements.subject import Subject

COLUMN = Column(
    name="program_size",
    heading="Program",
    unit="bytes",
    order=40,
    better="less",
    meaning="bytes of the program's file in the image",
)


def measure(subject: Subject) -> int:
    """Bytes of the program's file."""
    return len(subject.program)
