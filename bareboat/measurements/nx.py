"""Hardening: whether the program's stack is protected against execution."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bareboat.result.measurement import Column

if TYPE_CHECKING:
    from bareboat.measurements.subject import Subject

COLUMN = Column(
    name="nx",
    heading="NX",
    unit="flag",
    order=100,
    meaning="the program's stack is not executable",
)


def measure(subject: Subject) -> bool:
    """True where the stack is not executable."""
    return subject.elf.nx
