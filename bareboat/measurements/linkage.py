"""How the program is linked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bareboat.result.measurement import Column

if TYPE_CHECKING:
    from bareboat.measurements.subject import Subject

COLUMN = Column(
    name="linkage",
    heading="Linkage",
    unit="text",
    order=70,
    meaning="how the program is linked: static, static-pie, dynamic or dynamic-pie",
)


def measure(subject: Subject) -> str:
    """`static`, `static-pie`, `dynamic` or `dynamic-pie`; `shared-object` for a library."""
    return subject.elf.linkage
