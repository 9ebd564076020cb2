"""Hardening: whether the program can be loaded at a random address."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bareboat.result.measurement import Column

if TYPE_CHECKING:
    from bareboat.measurements.subject import Subject

COLUMN = Column(
    name="pie",
    heading="PIE",
    unit="flag",
    order=80,
    meaning="the program is position-independent: it can be loaded at a random address",
)


def measure(subject: Subject) -> bool:
    """True for a position-independent executable."""
    return subject.elf.pie
