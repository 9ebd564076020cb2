"""One run on this machine: its own folder, its engine, and the sweeping up after runs that were killed."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bareboat.podman_engine.engine import PodmanEngine
from bareboat.podman_engine.runs import hold_gate
from bareboat.podman_engine.settings import podman_environment
from bareboat.podman_engine.sweep import Sweeper
from bareboat.system.files import sweep_below, write_whole
from bareboat.system.folders import remove
from bareboat.system.locks import Locks
from bareboat.system.process import Processes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from bareboat.podman_engine.runs import Gate
    from bareboat.system.folders import Folders


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A run that is under way."""

    # The engine, whose service runs as long as the session.
    engine: PodmanEngine
    # Where this user's caches and logs are, and this run's temporary files.
    folders: Folders
    # What is added to the environment of every Podman process.
    environment: Mapping[str, str]
    # The locks of what only one run may make at a time.
    locks: Locks

    def claim(self, references: Iterable[str]) -> None:
        """Remember on disk which images this run may pull or replace: what it leaves when killed is known by that."""
        write_whole(_claim(self.folders), "\n".join(references).encode())


@contextlib.contextmanager
def session(processes: Processes, folders: Folders, tell: Callable[[str], None]) -> Iterator[Session]:
    """Run the engine, and end with nothing left behind; `tell` gets a line of what is worth saying."""
    with contextlib.ExitStack() as run:
        with hold_gate(folders, processes, tell) as gate:
            running = run.enter_context(begin_session(gate, processes, tell))
        yield running


@contextlib.contextmanager
def begin_session(gate: Gate, processes: Processes, tell: Callable[[str], None]) -> Iterator[Session]:
    """The same for who holds the gate; first what killed runs left is swept up."""
    environment = podman_environment(gate.folders.engine)
    sweep_dead(gate, environment, tell)
    with (
        gate.begin() as own,
        _swept(own, processes, environment, tell),
        PodmanEngine(processes, environment, own) as engine,
    ):
        locks = Locks(folder=own.locks, tell=tell, stopped=lambda: processes.stopped)
        yield Session(engine=engine, folders=own, environment=environment, locks=locks)


def sweep_dead(gate: Gate, environment: Mapping[str, str], tell: Callable[[str], None]) -> None:
    """Remove what killed runs left: containers, temporary files, images that were written half."""
    if not gate.dead:
        return
    sweeper, processes = Sweeper(environment, tell), Processes()
    # What another run is writing just now cannot be read either: such images wait until nobody else is here.
    if not gate.living:
        sweeper.sweep_images(processes, frozenset().union(*(_claimed(run) for run in gate.dead)))
    swept = [name for run in gate.dead for name in sweeper.sweep(processes, run.run)]
    remove(processes, *(path for run in gate.dead for path in (run.scratch, run.bootstrap)))
    if gate.living:
        return
    # What cargo and others keep is theirs to sweep.
    sweep_below(gate.folders.cache, but=frozenset({"crates", "sources", "targets"}))
    for run in gate.dead:
        remove(processes, run.own)
        gate.forget(run)
    tell(f"the last run was cut short; removed what it left: {len(swept)} containers, its temporary files")


@contextlib.contextmanager
def _swept(
    own: Folders, processes: Processes, environment: Mapping[str, str], tell: Callable[[str], None]
) -> Iterator[None]:
    try:
        yield
    except BaseException:
        # Whatever ended the run may have ended containers at their start, which only their names tell of.
        processes.stop()
        Sweeper(environment, tell).sweep(Processes(), own.run)
        remove(Processes(), own.bootstrap, own.own)
        raise
    remove(processes, own.bootstrap, own.own)


def _claim(run: Folders) -> Path:
    return run.own / "claim"


def _claimed(run: Folders) -> frozenset[str]:
    try:
        return frozenset(_claim(run).read_text(encoding="utf-8").splitlines())
    except OSError:
        return frozenset()
