"""Reads only what is a file; writes files whole or not at all, even when the run is killed meanwhile.

Makes folders that containers write to.
"""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import stat
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

from bareboat.errors import BareboatError

if TYPE_CHECKING:
    from collections.abc import Iterator

_MARK = ".tmp-"
_BLOCK_BYTES = 512  # of stat(2)'s st_blocks, whatever the file system's are
_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def read_file(path: Path, *, limit_bytes: int | None = None) -> bytes:
    """The content of a file, links to it followed; raises OSError, also for what is no file or has more bytes.

    Whoever reads a named pipe waits for a writer, a device may never end, and what a project's folder holds is not
    always its author's doing.
    """
    _demand_file(path.stat(), path)
    with open(path, "rb", opener=_open_at_once) as file:
        # What has the name now may be another thing than what had it then.
        _demand_file(os.fstat(file.fileno()), path)
        content = file.read() if limit_bytes is None else file.read(limit_bytes + 1)
    if limit_bytes is not None and len(content) > limit_bytes:
        raise OSError(errno.EFBIG, f"has more than {limit_bytes} bytes", str(path))
    return content


def _open_at_once(path: str, flags: int) -> int:
    # Without O_NONBLOCK, already the opening of a named pipe would wait.
    return os.open(path, flags | os.O_NONBLOCK)


def _demand_file(status: os.stat_result, path: Path) -> None:
    if not stat.S_ISREG(status.st_mode):
        kind = _KINDS.get(stat.S_IFMT(status.st_mode), "something else")
        raise OSError(errno.EINVAL, f"is {kind}, and no file", str(path))


def write_whole(path: Path, content: bytes, *, mode: int = 0o644) -> None:
    """Replace the content of `path`, making its folders if absent, and wait until it is on disk; see `replacing`."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BareboatError(f"{path}: cannot be written: {error.strerror}") from error
    with replacing(path, mode=mode, durable=True) as file:
        file.write(content)


@contextmanager
def replacing(path: Path, *, mode: int | None = None, durable: bool = False) -> Iterator[IO[bytes]]:
    """A new file that replaces `path` when the block ends without an exception, and is removed otherwise.

    Without a `mode` the umask decides. A `durable` file is on disk before it replaces the old one, so that no crash of
    the machine loses both. On any OSError the old file stays, and BareboatError names `path` and the cause.
    """
    temporary = None
    try:
        _sweep(path.parent, f".{path.name}{_MARK}")
        temporary, file = _open_locked(path, 0o666 if mode is None else 0o600)
        with file:
            yield file
            file.flush()
            if mode is not None:
                os.fchmod(file.fileno(), mode)
            if durable:
                os.fsync(file.fileno())
            temporary.replace(path)
        if durable:
            _sync_folder(path.parent)
    except OSError as error:
        raise BareboatError(f"{path}: cannot be written: {error.strerror or error}") from error
    finally:
        if temporary is not None:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)


def sweep(folder: Path) -> tuple[Path, ...]:
    """Remove the half-written files that killed writers have left in `folder`, and return their paths."""
    return _sweep(folder, ".")


def sweep_below(folder: Path, *, but: frozenset[str] = frozenset()) -> None:
    """Remove what killed writers have left in a folder and in all below it, `but` those of these names."""
    for parent, names, _ in os.walk(folder):
        names[:] = [name for name in names if name not in but]
        sweep(Path(parent))


def _sweep(folder: Path, prefix: str) -> tuple[Path, ...]:
    try:
        found = sorted(path for path in folder.iterdir() if path.name.startswith(prefix) and _MARK in path.name)
    except OSError:
        return ()
    return tuple(path for path in found if _remove_if_abandoned(path))


def _open_locked(path: Path, mode: int) -> tuple[Path, IO[bytes]]:
    """A new file beside `path`, locked while it is open: `sweep` leaves locked files alone."""
    while True:
        temporary = path.with_name(f".{path.name}{_MARK}{secrets.token_hex(6)}")
        # What is for the owner alone is so from its first byte; the whole file gets its mode at the end.
        file = os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb")
        with suppress(OSError):  # some network file systems have no locks: a sweep removes nothing there
            fcntl.flock(file, fcntl.LOCK_EX)
        if os.fstat(file.fileno()).st_nlink:
            return temporary, file
        # A sweep has removed the file before it was locked: make another.
        file.close()


def _remove_if_abandoned(path: Path) -> bool:
    """Remove a file unless it is locked; the kernel drops a writer's lock when the writer dies."""
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()
    except OSError:
        return False
    return True


def _sync_folder(folder: Path) -> None:
    # A file's name is part of its folder, which must be written to disk too: https://lwn.net/Articles/457667/
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with suppress(OSError):  # some file systems refuse this for folders; the new file stands all the same
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_open_folder(folder: Path) -> None:
    """Make a folder that a container's user may write in; missing parents are made for the caller alone (0700).

    Raises BareboatError when the folder exists already or cannot be made.
    """
    try:
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.mkdir()
        # The container's user is one of the caller's subordinate ids. An ordinary user cannot give a folder to
        # another id, so the folder is open to all of them, and its parents keep other users of this machine out.
        folder.chmod(0o777)
    except OSError as error:
        raise BareboatError(f"{folder}: cannot be made: {error.strerror}") from error


def bytes_below(folder: Path) -> int:
    """What the disk has for all files below a folder, as du(1) counts: one of several names once."""
    seen: dict[tuple[int, int], int] = {}
    for parent, _, files in os.walk(folder):
        for name in files:
            try:
                status = Path(parent, name).lstat()
            except OSError:
                continue
            seen[status.st_dev, status.st_ino] = status.st_blocks * _BLOCK_BYTES
    return sum(seen.values())
