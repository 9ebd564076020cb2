"""Turns a tar of one file or folder, copied out of an image, into entries for another image.

Files, folders and symlinks may be put into an image; devices, pipes and set-uid files are refused by name.
"""

from __future__ import annotations

import io
import posixpath
from typing import TYPE_CHECKING

from bareboat.archive.blob import LAYER_LIMIT_BYTES
from bareboat.archive.layer import read_entries
from bareboat.archive.place import Entry
from bareboat.archive.tarstream import Meter
from bareboat.archive.tree import Tree
from bareboat.errors import BareboatError

if TYPE_CHECKING:
    from bareboat.archive.node import File

SET_ID_BITS = 0o6000


def read_copied(tar: bytes, name: str) -> tuple[Entry, ...]:
    """The tar's only top-level entry, with the path "", and what is below it; errors call the tar `name`.

    Raises BareboatError for a tar that is damaged or has several top-level entries, for devices, pipes and set-uid
    files, and for names and link targets with characters that cannot be printed.
    """
    meter = Meter(io.BytesIO(tar), name=name, limit_bytes=LAYER_LIMIT_BYTES, hashing=False)
    tree = Tree(name)
    tree.add_layer(0, read_entries(meter))
    files = sorted(tree.files(), key=lambda file: file.path)
    tops = [file for file in files if "/" not in file.path]
    if len(tops) != 1:
        raise BareboatError(f"{name}: {len(tops)} things were copied, not one")
    return tuple(_entry(file, tops[0].path, tree, tar, name) for file in files)


def _entry(file: File, top: str, tree: Tree, tar: bytes, name: str) -> Entry:
    path = file.path.removeprefix(top).removeprefix("/")
    what = f"{name}: {posixpath.join('/', path)!r}" if path else f"{name}: it"
    if not file.path.isprintable():
        raise BareboatError(f"{name}: {file.path!r} has a character that no name should have")
    if file.kind in {"device", "fifo"}:
        raise BareboatError(f"{what} is a {file.kind}; only files, folders and links come aboard")
    if file.mode & SET_ID_BITS and file.kind != "directory":
        raise BareboatError(f"{what} is set-uid or set-gid, and a shipped program gains no privileges")
    if file.kind == "symlink":
        return Entry(path=path, kind="symlink", mode=0o777, target=_checked(file, what))
    if file.kind == "directory":
        return Entry(path=path, kind="directory", mode=file.mode & ~SET_ID_BITS)
    node = tree.resolve(file.path)
    if node is None or node.content is None:
        raise BareboatError(f"{what} is a link to nothing")
    start = node.content.offset
    return Entry(path=path, mode=file.mode, content=tar[start : start + node.content.size_bytes])


def _checked(file: File, what: str) -> str:
    """A symlink's target; whether it stays inside the root depends on where it is put: see `stays_inside`."""
    if not file.target.isprintable():
        raise BareboatError(f"{what} is a link to {file.target!r}, which no name should be")
    return file.target


def stays_inside(link: Entry) -> bool:
    """Whether no `..` of a symlink's target, as it is written, leads out of the root filesystem that has the link."""
    depth = 0 if link.target.startswith("/") else link.path.count("/")
    for part in link.target.split("/"):
        depth += {"": 0, ".": 0, "..": -1}.get(part, 1)
        if depth < 0:
            return False
    return True
