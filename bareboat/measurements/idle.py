"""How many files of a from-scratch image were not found to be needed in any way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bareboat.result.measurement import Column

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bareboat.measurements.subject import Subject
    from bareboat.result.values import ManifestRow

NOT_OBSERVED = "not observed"

COLUMN = Column(
    name="idle",
    heading="Idle",
    unit="count",
    order=35,
    better="less",
    version=2,
    meaning="files of a from-scratch image that nobody needs: not the loader, not what libraries are known to open, "
    "not the verify run; where `invoke scratch --prove` has left out each in turn, what that found. `not observed`: "
    "some are found by no other way, and what the run opens was not seen, for strace is missing or was refused",
)


def measure(subject: Subject) -> int | str | None:
    """The count, or `not observed`; None for an image that does not start from scratch."""
    return summarise_idle(subject.manifest)


def summarise_idle(manifest: Iterable[ManifestRow]) -> int | str | None:
    """The idle files of a manifest, or `not observed`; None without a manifest."""
    counts = [row.idle_files for row in manifest]
    known = [count for count in counts if count is not None]
    if not counts:
        return None
    return sum(known) if len(known) == len(counts) else NOT_OBSERVED
