"""Reads and writes container images as files on disk, OCI archives and docker-archives, without a container engine.

What is read is untrusted: any fault in it raises a `BareboatError`, and nothing is unpacked. Others use `open_image`
to read, with `KnownLayers` for layers that were read before, `write_image` and `wrap_layer` to write, `read_copied` for
the tar of a copied file or folder, `CREATED_BY`, by which our images' history is known, and the values below, with
`tarstream.Kind` and `tree.SYMLINK_LIMIT`.
"""

from bareboat.archive.copied import read_copied, stays_inside
from bareboat.archive.image import Image, open_image
from bareboat.archive.known import KnownLayers
from bareboat.archive.layer import Layer
from bareboat.archive.manifest import ImageConfig
from bareboat.archive.node import File
from bareboat.archive.place import Entry
from bareboat.archive.writer import CREATED_BY, WrittenImage, wrap_layer, write_image

__all__ = [
    "CREATED_BY",
    "Entry",
    "File",
    "Image",
    "ImageConfig",
    "KnownLayers",
    "Layer",
    "WrittenImage",
    "open_image",
    "read_copied",
    "stays_inside",
    "wrap_layer",
    "write_image",
]
