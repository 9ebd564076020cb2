"""What is put into an image, and where it comes to lie on a base: as a Containerfile's COPY places it."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from bareboat.errors import BareboatError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bareboat.archive.image import Image
    from bareboat.archive.node import File


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One file, folder or symlink to put into an image."""

    # Without leading slash.
    path: str
    kind: Literal["file", "directory", "symlink"] = "file"
    # The permission bits only.
    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    # Of a file only.
    content: bytes = b""
    # Of a symlink only.
    target: str = ""


def place_on(base: Image, entries: Iterable[Entry]) -> Iterator[Entry]:
    """The entries with the paths that they have on the base, and the base's own folders above them.

    A folder that is a symlink on the base, such as /lib, is followed. A folder is written again as the base has it,
    because a layer that only implies it would give it to root with mode 0755. Raises BareboatError for an entry that
    would lie below a file of the base.
    """
    written: set[str] = set()
    for entry in entries:
        path = _on_base(base, entry.path)
        for folder in _folders_above(base, path):
            if folder.path not in written:
                written.add(folder.path)
                yield Entry(path=folder.path, kind="directory", mode=folder.mode, uid=folder.uid, gid=folder.gid)
        if path in written and entry.kind == "directory":
            continue
        if entry.kind == "directory" and (there := base.find(f"/{path}")) and there.kind == "directory":
            # COPY merges a folder into one that is there, which keeps its mode and owner.
            entry = replace(entry, mode=there.mode, uid=there.uid, gid=there.gid)  # noqa: PLW2901
        written.add(path)
        yield replace(entry, path=path)


def _on_base(base: Image, path: str) -> str:
    """Where a path lies once the symlinks of the base in the folders above it are followed."""
    folder, name = posixpath.split(path)
    parts = folder.split("/") if folder else []
    for depth in range(len(parts), 0, -1):
        there = base.find("/" + "/".join(parts[:depth]))
        if there is None:
            continue
        if there.kind != "directory":
            raise BareboatError(f"{path!r} would lie below /{there.path} of the base, which is a {there.kind}")
        return "/".join([*([there.path] if there.path else []), *parts[depth:], name])
    return path


def _folders_above(base: Image, path: str) -> Iterator[File]:
    parts = path.split("/")
    for depth in range(1, len(parts)):
        there = base.find("/" + "/".join(parts[:depth]))
        if there is not None:
            yield there
