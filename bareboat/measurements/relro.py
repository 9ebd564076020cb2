"""Hardening: whether the relocated data is read-only once the program has started."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bareboat.result.measurement import Column

if TYPE_CHECKING:
    from bareboat.measurements.subject import Subject

COLUMN = Column(
    name="relro",
    heading="RELRO",
    unit="text",
    order=90,
    meaning="relocated data is read-only once the program runs: full with the whole GOT, partial without it",
)


def measure(subject: Subject) -> str:
    """`none`, `partial` or `full`."""
    return subject.elf.relro
