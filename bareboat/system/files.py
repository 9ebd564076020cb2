"""Files written whole or not at all, also when the run is killed in the middle; folders that containers write to."""

from __future__ import annotations

import contextlib
import os
import threading
from typing import TYPE_CHECKING

from bareboat.errors import BareboatError

if TYPE_CHECKING:
    from pathlib import Path


def write_whole(path: Path, content: bytes, *, mode: int = 0o644) -> None:
    """Replace `path` by `content`; on any failure the old file stands, and BareboatError names the new one."""
    temporary = path.with_name(f".{path.name}.tmp-{os.getpid()}-{threading.get_ident()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(mode)
        temporary.replace(path)
    except OSError as error:
        raise BareboatError(f"{path}: cannot be written: {error.strerror}") from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


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
