"""The image's size: the sum of its uncompressed layers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bareboat.result.measurement import Column

if TYPE_CHECKING:
    from bareboat.measurements.subject import Subject

COLUMN = Column(
    name="size",
    heading="Size",
    unit="bytes",
    order=10,
    better="less",
    meaning="bytes of the image's layers, uncompressed, as `podman images` counts",
)


def measure(subject: Subject) -> int:
    """Bytes of all layers' tars. Raises BareboatError for a damaged layer."""
    return sum(layer.size_bytes for layer in subject.image.layers)
