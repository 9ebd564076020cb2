"""How much a pull of the image would transfer, had its registry stored it compressed with zstd."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bareboat.result.measurement import Column

if TYPE_CHECKING:
    from bareboat.measurements.subject import Subject

COLUMN = Column(
    name="transfer_zstd",
    heading="Transfer, zstd -19",
    unit="bytes",
    order=21,
    better="less",
    thorough=True,
    meaning="bytes of the image's layers, each compressed with `zstd -19 --no-check --single-thread` of zstd 1.5.7",
)


def measure(subject: Subject) -> int:
    """Bytes of all layers after zstd -19. Raises BareboatError for a damaged layer."""
    return sum(layer.zstd_bytes() for layer in subject.image.layers)
