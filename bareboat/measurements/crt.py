"""Whether the program brings its C runtime along or finds it in the image."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bareboat.result.measurement import Column

if TYPE_CHECKING:
    from bareboat.measurements.subject import Subject

COLUMN = Column(
    name="crt",
    heading="CRT",
    unit="text",
    order=60,
    meaning="static where the program needs neither interpreter nor library from the image",
)


def measure(subject: Subject) -> str:
    """`static` or `dynamic`."""
    return subject.elf.crt
