"""Which C library the program contains or needs, by the evidence in its binary."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bareboat.result.measurement import Column

if TYPE_CHECKING:
    from bareboat.measurements.subject import Subject

COLUMN = Column(
    name="libc",
    heading="libc",
    unit="text",
    order=50,
    meaning="the C library that the binary carries or asks for, read from the binary",
)


def measure(subject: Subject) -> str | None:
    """`gnu` or `musl`; `none` where the sample says so; None where there is too little evidence of one."""
    # That none is in a program cannot be read from it; one that is recognised fails a sample that says so.
    return subject.elf.libc or subject.declared_libc
