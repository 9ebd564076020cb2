"""Files written whole or not at all, also when the run is killed in the middle; folders that containers write to."""

from __future__ import annotations

import fcntl
import os
import secrets
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING

from bareboat.errors import BareboatError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_MARK = ".tmp-"


def write_whole(path: Path, content: bytes, *, mode: int = 0o644) -> None:
    """Replace `path` by `content`, in folders that are made if absent, and have it on disk; see `replacing`."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BareboatError(f"{path}: cannot be written: {error.strerror}") from error
    with replacing(path, mode=mode, durable=True) as file:
        file.write(content)


@contextmanager
def replacing(path: Path, *, mode: int | None = None, durable: bool = False) -> Iterator[IO[bytes]]:
    """A new file that takes the place of `path` when the block has ended well, and leaves nothing when it has not.

    `mode` None is as the umask has it; a `durable` file is on disk before the old one goes, whatever befalls the
    machine. On any OSError the old file stands, and BareboatError names `path` and the cause.
    """
    temporary = None
    try:
        _sweep(path.parent, f".{path.name}{_MARK}")
        temporary, file = _open_locked(path)
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
    """Remove what killed writers left half written in `folder`, and return it; a running writer is left alone."""
    return _sweep(folder, ".")


def _sweep(folder: Path, prefix: str) -> tuple[Path, ...]:
    try:
        found = sorted(path for path in folder.iterdir() if path.name.startswith(prefix) and _MARK in path.name)
    except OSError:
        return ()
    return tuple(path for path in found if _remove_if_abandoned(path))


def _open_locked(path: Path) -> tuple[Path, IO[bytes]]:
    """A new file beside `path`, locked for as long as it is open, so that no sweep takes it for abandoned."""
    while True:
        temporary = path.with_name(f".{path.name}{_MARK}{secrets.token_hex(6)}")
        file = temporary.open("xb")
        with suppress(OSError):  # some network file systems have no locks; there a sweep removes nothing
            fcntl.flock(file, fcntl.LOCK_EX)
        if os.fstat(file.fileno()).st_nlink:
            return temporary, file
        # A sweep came between the two lines above.
        file.close()


def _remove_if_abandoned(path: Path) -> bool:
    """The kernel drops a dead writer's lock, so a lock that can be taken is nobody's."""
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()
    except OSError:
        return False
    return True


def _sync_folder(folder: Path) -> None:
    # The name is on disk only when its folder is: https://lwn.net/Articles/457667/
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with suppress(OSError):  # some file systems refuse this for folders; the new file stands all the same
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_open_folder(folder: Path) -> None:
    """Make a folder that a container's user may write in; its parents are closed to others.

    Raises BareboatError when it is there already or cannot be made.
    """
    try:
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.mkdir()
        # The container's user is one of the subordinate ids, which have no name here to give the folder to.
        folder.chmod(0o777)
    except OSError as error:
        raise BareboatError(f"{folder}: cannot be made: {error.strerror}") from error
