"""Reads and writes container images as files on disk: OCI archives and docker-archives; nothing here runs anything.

What is read is untrusted: whatever is wrong with it comes out as one `BareboatError`, and nothing is unpacked.
"""

from bareboat.archive.copied import read_copied, stays_inside
from bareboat.archive.image import Image, Layer, open_image
from bareboat.archive.manifest import ImageConfig
from bareboat.archive.tree import File
from bareboat.archive.writer import Entry, WrittenImage, wrap_layer, write_image

__all__ = [
    "Entry",
    "File",
    "Image",
    "ImageConfig",
    "Layer",
    "WrittenImage",
    "open_image",
    "read_copied",
    "stays_inside",
    "wrap_layer",
    "write_image",
]
