"""Runs side by side on the same caches: which are under way, which are dead, and the folder that each has alone.

Beside its folder each run has a lock for as long as it lives. One that was killed leaves both, and nobody has the lock.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from dataclasses import dataclass, replace
from typing import IO, TYPE_CHECKING

from bareboat.errors import StoppedError
from bareboat.system.locks import holder, is_free, open_lock, say_holder, take

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from bareboat.system.folders import Folders
    from bareboat.system.process import Processes

_ASKED_AGAIN_SECONDS = 0.02
_TOLD_AFTER_SECONDS = 1.0
_LOCK = ".lock"
_RUN_BYTES = 4  # few: the digits are part of a socket's path, which has room for 107 bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """Which runs there are, while none can begin and none can be swept up by anybody else."""

    folders: Folders
    living: tuple[str, ...]  # what their locks say of them
    dead: tuple[Folders, ...]

    @contextlib.contextmanager
    def begin(self) -> Iterator[Folders]:
        """A new run's folders, there and known as a living run's until the block ends.

        Where `own` is still there then, the next run has it to sweep up.
        """
        run = replace(self.folders, run=secrets.token_hex(_RUN_BYTES))
        lock = _lock_of(run)
        with open_lock(lock) as file:
            while not take(file):  # somebody looks just now whether it is free
                time.sleep(_ASKED_AGAIN_SECONDS)
            say_holder(file)
            run.scratch.mkdir(parents=True)
            try:
                yield run
            finally:
                if not run.own.exists():
                    lock.unlink(missing_ok=True)

    def forget(self, run: Folders) -> None:
        """Have a dead run known no more, when nothing is left of it."""
        _lock_of(run).unlink(missing_ok=True)


@contextlib.contextmanager
def hold_gate(
    folders: Folders, processes: Processes, tell: Callable[[str], None], *, alone: bool = False
) -> Iterator[Gate]:
    """Let no run begin while the block runs; with `alone`, wait first until none is under way.

    `tell` hears whom it waits for. Raises StoppedError when it is stopped while it waits.
    """
    while True:
        for folder in (folders.cache, folders.engine, folders.runs):
            folder.mkdir(parents=True, exist_ok=True)
        with open_lock(folders.lock) as file:
            _wait(lambda: () if take(file) else (holder(file),), processes, tell)
            # Who removed the caches meanwhile removed this very file, too.
            if not _is_still_there(file, folders.lock):
                continue
            say_holder(file)
            if alone:
                _wait(lambda: _find_runs(folders).living, processes, tell)
            yield _find_runs(folders)
            return


def has_dead_runs(folders: Folders) -> bool:
    """Whether a run was killed whose things are still to be swept up."""
    return any(is_free(lock) for lock in folders.runs.glob(f"*{_LOCK}"))


def _find_runs(folders: Folders) -> Gate:
    living, dead = [], []
    for lock in sorted(folders.runs.glob(f"*{_LOCK}")):
        if is_free(lock):
            dead.append(replace(folders, run=lock.name.removesuffix(_LOCK)))
        else:
            living.append(lock.read_text(encoding="utf-8"))
    return Gate(folders=folders, living=tuple(living), dead=tuple(dead))


def _wait(others: Callable[[], tuple[str, ...]], processes: Processes, tell: Callable[[str], None]) -> None:
    said: tuple[str, ...] = ()
    begin = time.monotonic()
    while found := others():
        # A run that begins is past the gate in a moment.
        if found != said and time.monotonic() - begin > _TOLD_AFTER_SECONDS:
            tell(f"waiting for another run to end: {', '.join(found)}")
            said = found
        if processes.stopped:
            raise StoppedError("stopped")
        time.sleep(_ASKED_AGAIN_SECONDS)


def _is_still_there(file: IO[str], path: Path) -> bool:
    with contextlib.suppress(OSError):
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    return False


def _lock_of(run: Folders) -> Path:
    return run.runs / f"{run.run}{_LOCK}"
