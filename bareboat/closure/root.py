"""The root filesystems in which a closure is searched: an image's, or a folder of this machine.

Nothing outside the folder is ever opened: links are followed here, name by name, and not by the kernel.
"""

from __future__ import annotations

import errno
import os
import stat
from collections import deque
from typing import TYPE_CHECKING, Protocol, TypeVar

from bareboat.archive import File
from bareboat.archive.tree import SYMLINK_LIMIT
from bareboat.errors import BareboatError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bareboat.archive.tarstream import Kind

READ_LIMIT_BYTES = 2 << 30

_Made = TypeVar("_Made")

_ABSENT = {errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG}
_KINDS: dict[int, Kind] = {
    stat.S_IFREG: "file",
    stat.S_IFDIR: "directory",
    stat.S_IFLNK: "symlink",
    stat.S_IFIFO: "fifo",
}


class Root(Protocol):
    """A root filesystem that can be read by path, `bareboat.archive.Image` for example."""

    def find(self, path: str) -> File | None:
        """The entry at `path` after following links, with its real path in `.path`; None where there is none.

        Raises BareboatError for links that loop or leave the root.
        """
        ...

    def read(self, path: str) -> bytes:
        """The content of the file at `path` after following links. Raises as `find`, and where there is no file."""
        ...

    def read_as(self, path: str, reader: Callable[[bytes], _Made]) -> _Made:
        """What `reader`, a pure function, makes of the content of the file at `path`; it may be known from before."""
        ...


class FolderRoot:
    """A folder of this machine as a root filesystem: an absolute link starts at the folder, and no link leaves it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, path: str) -> File | None:
        """The entry as in `Root.find`, with an empty `sha256`. Raises BareboatError also where access is denied."""
        pending, trail, followed = deque(path.split("/")), list[str](), 0
        while pending:
            part = pending.popleft()
            if part == ".." and not trail:
                raise BareboatError(f"{self._folder}: {path} leaves the root filesystem")
            if (status := self._look(trail, path)) is None or not stat.S_ISDIR(status.st_mode):
                # Whatever is followed by a slash, even the last part of a path, must be a folder.
                return None
            if part == "..":
                trail.pop()
            elif part not in {"", "."}:
                trail.append(part)
                if (link := self._read_link(trail, path)) is not None:
                    followed += 1
                    if followed > SYMLINK_LIMIT:
                        raise BareboatError(f"{self._folder}: {path} goes through more than {SYMLINK_LIMIT} symlinks")
                    pending.extendleft(reversed(link.split("/")))
                    trail = [] if link.startswith("/") else trail[:-1]
        status = self._look(trail, path)
        return None if status is None else _make_file("/".join(trail), status)

    def read(self, path: str) -> bytes:
        """The content as in `Root.read`. Raises BareboatError also for devices, pipes and files of more than 2 GiB."""
        file = self.find(path)
        if file is None or file.kind != "file":
            raise BareboatError(f"{self._folder}: {path} is {'no file' if file is None else f'a {file.kind}'}")
        if file.size_bytes > READ_LIMIT_BYTES:
            raise BareboatError(f"{self._folder}: {path} has {file.size_bytes} bytes, more than Bareboat reads")
        try:
            descriptor = os.open(self._folder / file.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            with os.fdopen(descriptor, "rb") as stream:
                return stream.read(READ_LIMIT_BYTES)
        except OSError as error:
            raise BareboatError(f"{self._folder}: {path} cannot be read: {error.strerror}") from error

    def read_as(self, path: str, reader: Callable[[bytes], _Made]) -> _Made:
        """What `reader` makes of the file now: who knows what the folder has by then."""
        return reader(self.read(path))

    def _look(self, trail: list[str], path: str) -> os.stat_result | None:
        try:
            return (self._folder / "/".join(trail)).lstat() if trail else self._folder.stat()
        except (OSError, ValueError) as error:
            if isinstance(error, OSError) and error.errno in _ABSENT:
                return None
            reason = error.strerror if isinstance(error, OSError) else "it is no path"
            raise BareboatError(f"{self._folder}: {path!r} cannot be looked at: {reason}") from error

    def _read_link(self, trail: list[str], path: str) -> str | None:
        status = self._look(trail, path)
        if status is None or not stat.S_ISLNK(status.st_mode):
            return None
        try:
            return str((self._folder / "/".join(trail)).readlink())
        except OSError as error:
            raise BareboatError(f"{self._folder}: {path} cannot be followed: {error.strerror}") from error


def _make_file(path: str, status: os.stat_result) -> File:
    return File(
        path=path,
        kind=_KINDS.get(stat.S_IFMT(status.st_mode), "device"),
        mode=stat.S_IMODE(status.st_mode),
        uid=status.st_uid,
        gid=status.st_gid,
        size_bytes=status.st_size if stat.S_ISREG(status.st_mode) else 0,
        sha256="",
        target="",
    )
