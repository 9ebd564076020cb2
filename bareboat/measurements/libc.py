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
    """`gnu` or `musl`; `none` where the sample says so; None where there is too little evidence of one.

    Of a program that is linked with a C library of the user's own `other`, and behind it what that is recognised as.
    """
    recognised = subject.elf.libc
    if subject.declared_libc == "other":
        return f"other ({recognised})" if recognised else "other"
    # That none is in a program cannot be read from it; one that is recognised fails a sample that says so.
    return recognised or ("none" if subject.declared_libc == "none" else None)
