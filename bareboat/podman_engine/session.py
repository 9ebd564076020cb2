"""One run on this machine: its lock, its engine, and the sweeping up after a run that was killed."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from bareboat.podman_engine.engine import PodmanEngine
from bareboat.podman_engine.monitors import end_monitors
from bareboat.podman_engine.settings import podman_environment
from bareboat.podman_engine.sweep import Sweeper
from bareboat.system.files import sweep, write_whole
from bareboat.system.folders import remove
from bareboat.system.process import Processes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from bareboat.system.folders import Folders

# Since 1.30 Buildah puts the user's number behind the name of the folder in which it keeps cache mounts.
_KEPT = re.compile(r"buildah-cache(-\d+)?|containers\.conf|(facts|runtimes)\.json|service\.log|tracer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A run that holds the lock."""

    # The engine, whose service runs as long as the session.
    engine: PodmanEngine
    # Removes what killed runs left in the store.
    sweeper: Sweeper
    # Where this user's caches, logs and temporary files are.
    folders: Folders
    # What is added to the environment of every Podman process.
    environment: Mapping[str, str]

    def claim(self, references: Iterable[str]) -> None:
        """Remember on disk which images this run builds on, so that what it leaves when killed is known as its own."""
        write_whole(self.folders.unfinished, "\n".join(references).encode())


@contextlib.contextmanager
def session(processes: Processes, folders: Folders, tell: Callable[[str], None]) -> Iterator[Session]:
    """Hold the lock, run the engine, and end with nothing left behind; `tell` gets a line of what is worth saying."""
    for folder in (folders.cache, folders.engine):
        folder.mkdir(parents=True, exist_ok=True)
    environment = podman_environment(folders.engine)
    with session_lock(folders.cache / "lock", tell):
        engine, sweeper = PodmanEngine(processes, environment, folders.engine), Sweeper(environment, tell)
        if folders.unfinished.exists():
            swept = _sweep(sweeper, folders)
            tell(f"the last run was cut short; removed what it left: {swept} containers, its temporary files")
        with engine:
            folders.scratch.mkdir(exist_ok=True)
            folders.unfinished.touch()
            try:
                yield Session(engine=engine, sweeper=sweeper, folders=folders, environment=environment)
            except BaseException:
                # Whatever ended the run may have ended builds in the middle; theirs is swept before leaving.
                processes.stop()
                _sweep(sweeper, folders)
                raise
        _wipe(processes, folders)
        folders.unfinished.unlink(missing_ok=True)


def _sweep(sweeper: Sweeper, folders: Folders) -> int:
    processes = Processes()
    references = frozenset(folders.unfinished.read_text(encoding="utf-8").splitlines())
    end_monitors(folders.engine)
    swept = sweeper.sweep(processes, references)
    _wipe(processes, folders)
    sweep(folders.cache)
    for kept in folders.kept:
        for folder, _, _ in os.walk(kept):
            sweep(Path(folder))
    folders.unfinished.unlink(missing_ok=True)
    return len(swept)


@contextlib.contextmanager
def session_lock(path: Path, tell: Callable[[str], None]) -> Iterator[None]:
    """One run at a time: a second one says whom it waits for, and waits. The kernel frees the lock of a dead run."""
    with path.open("a+", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            tell(f"another run (process {_holder(file)}) uses this image store; waiting for it to end")
            fcntl.flock(file, fcntl.LOCK_EX)
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def _holder(file: IO[str]) -> str:
    file.seek(0)
    return file.read() or "unknown"


def _wipe(processes: Processes, folders: Folders) -> None:
    """Remove the run's temporaries; Buildah's cache mounts stay, since they are what makes the next compile short."""
    left = [path for path in folders.engine.iterdir() if not _KEPT.fullmatch(path.name)]
    remove(processes, *left, folders.scratch, folders.bootstrap)
