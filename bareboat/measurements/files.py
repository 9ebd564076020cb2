"""How many files an image has, each of which must be scanned for vulnerabilities and kept up to date."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bareboat.result.measurement import Column

if TYPE_CHECKING:
    from bareboat.measurements.subject import Subject

COLUMN = Column(
    name="files",
    heading="Files",
    unit="count",
    order=30,
    better="less",
    meaning="entries of the merged root filesystem that are not directories",
)


def measure(subject: Subject) -> int:
    """The number of entries that are not directories. Raises BareboatError for a damaged layer."""
    return subject.image.count_files()
