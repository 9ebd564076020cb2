"""The tree of rows that an image's bytes are told in, and how rows are made of parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

Kind = Literal["image", "layer", "package", "file", "section", "crate", "symbol", "overhead"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Some bytes of an image. Those of its rows, where it has any, add up to its own."""

    # What it is; overhead is what no file and no section has: headers and padding.
    kind: Kind
    name: str
    size_bytes: int
    # The biggest first.
    rows: tuple[Row, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stowaway:
    """What is aboard of a kind, and need not be."""

    # In a few words, such as `duplicate files`.
    kind: str
    size_bytes: int
    count: int
    # What a few of them are, the biggest first.
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Breakdown:
    """What all bytes of a cell's image are."""

    cell: str
    image_id: str
    image: Row
    # The row of its program's file; None where it has none.
    program: Row | None
    # Whether the symbols are those of this very program; None where there is no twin to read them from.
    same_twin: bool | None
    # What was found of the twin, in one line.
    twin: str
    stowaways: tuple[Stowaway, ...]


def add_up(kind: Kind, name: str, rows: Iterable[Row]) -> Row:
    """A row of rows, the biggest first; those without a byte are left out."""
    kept = sorted((row for row in rows if row.size_bytes), key=lambda row: (-row.size_bytes, row.name))
    return Row(kind=kind, name=name, size_bytes=sum(row.size_bytes for row in kept), rows=tuple(kept))


def find_file(image: Row, name: str) -> Row | None:
    """The row of a file, by its name, in that of an image; the last layer's where several have one."""
    files = (row for layer in image.rows for group in layer.rows for row in group.rows)
    return next((row for row in files if row.name == name and row.rows), None)
