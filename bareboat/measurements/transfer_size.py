"""How much a pull of the image transfers: its layers, each compressed as a registry would store it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bareboat.result.measurement import Column

if TYPE_CHECKING:
    from bareboat.measurements.subject import Subject

COLUMN = Column(
    name="transfer_size",
    heading="Transfer, gzip -6",
    unit="bytes",
    order=20,
    better="less",
    meaning="bytes of the image's layers, each compressed with gzip -6, as a pull transfers them",
)


def measure(subject: Subject) -> int:
    """Bytes of all layers after gzip -6. Raises BareboatError for a damaged layer."""
    return sum(layer.gzip_bytes() for layer in subject.image.layers)
