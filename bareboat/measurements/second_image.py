"""What a second image on the same base costs where its layers are there already."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bareboat.result.measurement import Column

if TYPE_CHECKING:
    from bareboat.measurements.subject import Subject

COLUMN = Column(
    name="second_image",
    heading="Second image",
    unit="bytes",
    order=23,
    better="less",
    meaning="what a pull transfers where another image on the same base was pulled before: bytes after gzip -6 of the "
    "layers that are not the base's; of an image from scratch, of all",
)


def measure(subject: Subject) -> int:
    """Bytes of the layers above the base's, after gzip -6. Raises BareboatError for a damaged layer."""
    return sum(layer.gzip_bytes() for layer in subject.image.own_layers)
