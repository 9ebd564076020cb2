"""Divides an image into layers, packages and files, and what a tar has beside their contents."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bareboat.breakdown.rows import Row, add_up

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bareboat.archive import Image
    from bareboat.closure.owners import Owners

PROGRAM = "the program, as compiled"
NO_PACKAGE = "files of no package"
REPLACED = "replaced or removed by a later layer"
TAR = "tar headers and padding"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origins:
    """Where an image's files are from."""

    # The program's path, without leading slash.
    program: str
    # What is copied aboard, by path without leading slash: what brought it. A folder's path has all that is below it.
    copies: Mapping[str, str]
    # The packages of the base.
    owners: Owners
    # Whether all layers but the last are those of a base.
    has_base: bool

    def of(self, path: str) -> str:
        """What a file belongs to."""
        if path == self.program:
            return PROGRAM
        parts = path.split("/")
        above = ("/".join(parts[:length]) for length in range(len(parts), 0, -1))
        if copied := next((self.copies[place] for place in above if place in self.copies), None):
            return copied
        owner = self.owners.of(path)
        return f"{owner.name} {owner.version}".rstrip() if owner else NO_PACKAGE


def break_down(image: Image, origins: Origins, program: Sequence[Row]) -> Row:
    """The image as rows that add up to the sum of its layers; `program` are those of its program's file.

    Raises BareboatError for a layer that is damaged.
    """
    later: set[str] = set()
    layers: list[Row] = []
    for number in reversed(range(len(image.layers))):
        files = _files(image, number)
        groups: dict[str, list[Row]] = {}
        for path, size_bytes in files.items():
            hidden = path in later or path not in image.files()
            group = REPLACED if hidden else origins.of(path)
            rows = tuple(program) if group == PROGRAM else ()
            groups.setdefault(group, []).append(Row(kind="file", name=f"/{path}", size_bytes=size_bytes, rows=rows))
        later |= {path for path, _ in _entries(image, number)}
        rows_of_files = [add_up("package", name, rows) for name, rows in groups.items()]
        rest = image.layers[number].size_bytes - sum(row.size_bytes for row in rows_of_files)
        overhead = Row(kind="overhead", name=TAR, size_bytes=rest)
        layers.append(add_up("layer", _layer_name(image, origins, number), [*rows_of_files, overhead]))
    return add_up("image", "image", layers)


def _layer_name(image: Image, origins: Origins, number: int) -> str:
    last = number + 1 == len(image.layers)
    of = ", of the base" if origins.has_base and not last else ""
    return f"layer {number + 1} of {len(image.layers)}{of}"


def _files(image: Image, number: int) -> dict[str, int]:
    """The size of each file of a layer, by path; a tar that names one twice has both contents."""
    sizes: dict[str, int] = {}
    for path, size_bytes in _entries(image, number):
        sizes[path] = sizes.get(path, 0) + size_bytes
    return sizes


def _entries(image: Image, number: int) -> Iterator[tuple[str, int]]:
    for header, _ in image.layers[number].entries():
        yield posixpath.normpath(header.name).strip("/"), header.size_bytes
