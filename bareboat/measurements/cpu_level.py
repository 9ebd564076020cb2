"""The level of x86-64 that a program needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bareboat.result.measurement import Column

if TYPE_CHECKING:
    from bareboat.measurements.subject import TimedSubject
    from bareboat.result.measurement import Reading

COLUMN = Column(
    name="cpu_level",
    heading="CPU level",
    unit="text",
    order=66,
    thorough=True,
    meaning="lowest level of the x86-64 psABI (v1 every processor, v2 about 2009, v3 with AVX2 about 2013) whose "
    "instructions suffice for its runs, found by running it under qemu-user on a processor that has no others: what "
    "the runs do not come to is not seen, nor what other programs do that it starts. `and extensions`: it needs what "
    "is in no level, AES instructions for example; `above x86-64-v3`: what QEMU does not emulate, such as AVX-512",
)


def measure_timed(subject: TimedSubject) -> Reading:
    """`x86-64-v1 (qemu-user 7.2)`, or why it could not be found."""
    return subject.cpu_level
