"""Where a closure is looked for: an image, or a folder that stands for the root of a filesystem.

Nothing outside the folder is ever opened: links are followed by hand, each name at a time.
"""

from __future__ import annotations

import errno
import os
import stat
from collections import deque
from typing import TYPE_CHECKING, Protocol

from bareboat.archive import File
from bareboat.errors import BareboatError

if TYPE_CHECKING:
    from pathlib import Path

    from bareboat.archive.tarstream import Kind

SYMLINK_LIMIT = 40  # as Linux: MAXSYMLINKS of include/linux/namei.h
READ_LIMIT_BYTES = 2 << 30

_ABSENT = {errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG}
_KINDS: dict[int, Kind] = {
    stat.S_IFREG: "file",
    stat.S_IFDIR: "directory",
    stat.S_IFLNK: "symlink",
    stat.S_IFIFO: "fifo",
}


class Root(Protocol):
    """A root filesystem that can be looked into; `bareboat.archive.Image` is one."""

    def find(self, path: str) -> File | None:
        """What is at `path` when links are followed, with its real path in `.path`; None where nothing is.

        Raises BareboatError for links that loop or leave the root.
        """
        ...

    def read(self, path: str) -> bytes:
        """The content of one file, links followed. Raises BareboatError as `find`, and where no file is there."""
        ...


class FolderRoot:
    """A folder of this machine as a root: an absolute link starts at the folder, and none leads out of it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, path: str) -> File | None:
        """As `Root.find`; nothing is hashed: `sha256` is "". Raises BareboatError where looking is forbidden, too."""
        pending, trail, followed = deque(path.split("/")), list[str](), 0
        while pending:
            part = pending.popleft()
            if part == ".." and not trail:
                raise BareboatError(f"{self._folder}: {path} leaves the root filesystem")
            if (status := self._look(trail, path)) is None or not stat.S_ISDIR(status.st_mode):
                # What stands before a slash is a folder, were it the last one.
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
        """As `Root.read`; devices and pipes are not opened, and a file has at most 2 GiB."""
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
