"""What happened when each file of a from-scratch image was left out in turn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bareboat.result.measurement import Column
from bareboat.result.values import IDLE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bareboat.measurements.subject import Subject
    from bareboat.result.values import ManifestRow

COLUMN = Column(
    name="proof",
    heading="Proof",
    unit="text",
    order=36,
    meaning="what `invoke scratch --prove` found by leaving out each file in turn: how many the sample's runs needed, "
    "and how many are idle",
)


def measure(subject: Subject) -> str | None:
    """`3 needed, 1 idle`; None where it was not tried."""
    return summarise(subject.manifest)


def summarise(manifest: Iterable[ManifestRow]) -> str | None:
    """The counts of a manifest's proofs, where a copied folder counts as one file; None without proofs."""
    proofs = [row.proof for row in manifest if row.proof]
    idle = sum(proof == IDLE for proof in proofs)
    return f"{len(proofs) - idle} needed, {idle} idle" if proofs else None
