"""Whether the program's symbol table was removed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bareboat.result.measurement import Column

if TYPE_CHECKING:
    from bareboat.measurements.subject import Subject

COLUMN = Column(
    name="stripped",
    heading="Stripped",
    unit="flag",
    order=110,
    meaning="the program has no symbol table",
)


def measure(subject: Subject) -> bool:
    """True where the program has no symbol table."""
    return subject.elf.stripped
