"""How many files an image holds: what there is to scan, to patch and to explain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bareboat.result.values import Column

if TYPE_CHECKING:
    from bareboat.measurements.subject import Subject

COLUMN = Column(
    name="files",
    heading="Files",
    unit="count",
    order=30,
    meaning="entries of the merged root filesystem that are not directories",
)


def measure(subject: Subject) -> int:
    """Entries of the merged root filesystem that are no directories; raises BareboatError for a damaged layer."""
    return sum(file.kind != "directory" for file in subject.image.files().values())
