"""Locks between threads and processes; the kernel frees the lock of a process that has ended."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import time
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from bareboat.errors import StoppedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_FIRST_PAUSE_SECONDS = 0.001
_LAST_PAUSE_SECONDS = 0.05
_TOLD_AFTER_SECONDS = 0.3
_DIGITS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Locks:
    """Locks by name, below one folder: one file each, which says which process has it and what for."""

    folder: Path
    tell: Callable[[str], None]  # hears for what and for whom somebody waits
    stopped: Callable[[], bool]  # whether waiting is to end as StoppedError

    @contextlib.contextmanager
    def hold(self, name: str, what: str, *, shared: bool = False) -> Iterator[bool]:
        """Have the lock of that name, alone or `shared` with others that share it; True where somebody had it before.

        `what` says what it is wanted for, to who waits for us. Raises StoppedError.
        """
        path = self.folder / hashlib.sha256(name.encode(errors="surrogateescape")).hexdigest()[:_DIGITS]
        with open_lock(path) as file:
            waited = self._wait(file, what, shared=shared)
            say_holder(file, what)
            yield waited

    def _wait(self, file: IO[str], what: str, *, shared: bool) -> bool:
        if take(file, shared=shared):
            return False
        pause, told, begin = _FIRST_PAUSE_SECONDS, False, time.monotonic()
        while not take(file, shared=shared):
            if self.stopped():
                raise StoppedError("stopped")
            if not told and time.monotonic() - begin > _TOLD_AFTER_SECONDS:
                told, said = True, holder(file)
                # What threads of one run wait for is that run's own work.
                if said.partition(",")[0] != _this_process():
                    self.tell(f"{what}: waits for {said}")
            time.sleep(pause)
            pause = min(2 * pause, _LAST_PAUSE_SECONDS)
        return True


@contextlib.contextmanager
def open_lock(path: Path) -> Iterator[IO[str]]:
    """The file of a lock, made if it is absent; closing it frees the lock."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as file:
        yield file


def take(file: IO[str], *, shared: bool = False) -> bool:
    """Lock an open file unless somebody has it: whether it is locked now."""
    try:
        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def is_free(path: Path) -> bool:
    """Whether nobody has the lock of that file; False where there is no such file."""
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def say_holder(file: IO[str], what: str = "") -> None:
    """Write into a lock's file who has it, and what for."""
    file.truncate(0)
    file.write(f"{_this_process()}{f', {what}' if what else ''}")
    file.flush()


def holder(file: IO[str]) -> str:
    """What the file of a lock says of who has it."""
    file.seek(0)
    return file.read() or "another process"


def _this_process() -> str:
    return f"process {os.getpid()}"
