"""How much a pull of the image transfers: its layers, each compressed as a registry would store it."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from bareboat.result.values import Column

if TYPE_CHECKING:
    from bareboat.archive import Layer
    from bareboat.measurements.subject import Subject

COLUMN = Column(
    name="transfer_size",
    heading="Transfer, gzip -6",
    unit="bytes",
    order=20,
    meaning="bytes of the image's layers, each compressed with gzip -6, as a pull transfers them",
)

LEVEL = 6
GZIP_WINDOW = 16 + zlib.MAX_WBITS  # has zlib write a gzip header, without a file name and with time 0


def measure(subject: Subject) -> int:
    """Bytes of all layers after gzip -6. Raises BareboatError for a damaged layer."""
    return sum(_compressed_bytes(layer) for layer in subject.image.layers)


def _compressed_bytes(layer: Layer) -> int:
    gzip = zlib.compressobj(LEVEL, zlib.DEFLATED, GZIP_WINDOW)
    return sum(len(gzip.compress(chunk)) for chunk in layer.chunks()) + len(gzip.flush())
