"""How many files of a from-scratch image were not found to be needed in any way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bareboat.result.values import Column

if TYPE_CHECKING:
    from bareboat.measurements.subject import Subject

COLUMN = Column(
    name="idle",
    heading="Idle",
    unit="count",
    order=35,
    meaning="files of a from-scratch image that nobody needs: not the loader, not what libraries are known to open, "
    "not the verify run",
)


def measure(subject: Subject) -> int | None:
    """The count; None for an image that does not start from scratch."""
    if not subject.manifest:
        return None
    return sum(row.idle_files if row.kind == "directory" else not row.ways for row in subject.manifest)
