"""The entries of a merged root filesystem."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bareboat.archive.tarstream import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """One entry of a merged root filesystem: a file, folder, link, device or pipe."""

    # Without leading slash.
    path: str
    kind: Kind
    # The permission bits only.
    mode: int
    uid: int
    gid: int
    # 0 for all but files; 0 for a hard link too, whose content is counted where its target is.
    size_bytes: int
    # Of the content in hex digits, a hard link's content included; "" for all that has no content.
    sha256: str
    # A symlink's target as it is written, or the path of the file that a hard link names; else "".
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """Where a file's content is."""

    # The layer's number; the lowest is 0.
    layer: int
    # Where the content begins in the layer's uncompressed tar, in bytes.
    offset: int
    size_bytes: int


@dataclass(slots=True, kw_only=True)
class Node:
    """One entry of the tree while layers are added to it."""

    file: File
    # The number of the last layer that has the entry or something below it.
    layer: int
    # The mark of the tree that may change the entry; others that have it too change copies of their own.
    owner: object
    # None for all but files and hard links to them.
    content: Extent | None = None
    children: dict[str, Node] = field(default_factory=dict)

    @property
    def is_directory(self) -> bool:
        """Whether the entry is a folder, and so may have children."""
        return self.file.kind == "directory"


def below(node: Node) -> Iterator[Node]:
    """All that is below an entry, in no particular order."""
    pending = [node]
    while pending:
        for child in pending.pop().children.values():
            yield child
            pending.append(child)


def make_directory(path: str) -> File:
    """A folder that no layer has an entry for."""
    return File(path=path, kind="directory", mode=0o755, uid=0, gid=0, size_bytes=0, sha256="", target="")
