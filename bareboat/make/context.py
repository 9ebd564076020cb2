"""What a job may use, and what jobs hand on to those that need it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, TypeVar

from bareboat.errors import BareboatError
from bareboat.inputs.limits import limits_of
from bareboat.system.once import Once
from bareboat.system.quiet import wait_for_quiet

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping

    from bareboat.archive import Image
    from bareboat.closure.owners import Owners
    from bareboat.engine import Engine
    from bareboat.engine.tracer import Tracer
    from bareboat.inputs.limits import Limits
    from bareboat.inputs.lock import Lock, Pinned
    from bareboat.make.compile_times import CompileTimes
    from bareboat.plan.jobs import Cell, Job, ProgramJob, RootJob
    from bareboat.result.values import Host, Result, Source
    from bareboat.system.folders import Folders
    from bareboat.system.locks import Locks
    from bareboat.system.process import Processes

# The lock that compiles share, and that what is timed has alone: no figure is taken on a busy machine.
PROCESSORS = "processors"

Status = Literal["built", "unchanged", "passed", "failed", "skipped"]


def say_nothing(text: str) -> None:
    """Says nothing."""
    del text


class Finder(Protocol):
    """Knows the image store by name."""

    def find(self, reference: str) -> str | None:
        """The id of the image of that whole name; None when the store has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Everything that is needed to look up what stands as an earlier run made it."""

    images: Finder
    folders: Folders
    recipes: Path  # the folder of the recipes
    results: Path  # the folder of this host's results
    lock: Lock
    locked: bool  # refuse packages that are not as the lock says
    force: bool  # make programs and cells again that are unchanged
    renew: bool  # make bases and toolchains again that are unchanged
    host: Host
    # One line of why what a program opens cannot be observed here, as `tracing_obstacle` says; "" where it can.
    untraced: str = "strace was not looked for"
    thorough: bool = False  # take the figures too that take long to take

    def limits(self, cell: Cell) -> Limits:
        """What a run of the cell's image may take on this host."""
        return limits_of(cell.recipe.runtime, self.host.cores)

    def places(self, crate: Path) -> dict[str, str]:
        """The folders of this machine that texts may name, and what a result calls them."""
        return {
            str(Path.home()): "~",
            str(self.folders.cache): "~/.cache/bareboat",
            str(self.folders.bootstrap): "/var/tmp/bareboat",  # noqa: S108 (a name, not a folder to write to)
            str(self.recipes.parent): ".",
            str(crate): ".",
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class JobContext(Known):
    """Everything a job may use."""

    engine: Engine  # the same as `images`
    processes: Processes
    locks: Locks  # of what only one run may make at a time
    commit: str = ""  # of the checkout, with `+dirty` where a file of it differed; "" outside one
    tell: Callable[[str], None] = say_nothing  # says a line between those of the jobs
    told: Once[str, None] = field(default_factory=Once)  # what it was told that is said once
    remote: bool = False  # the engine is on another machine, and cannot mount folders of this one
    # Waits a moment until the machine is quiet, and says why it is not; "" where it is.
    await_quiet: Callable[[], str] = wait_for_quiet
    tracers: Once[Path, Tracer] = field(default_factory=Once)  # the copy of strace, by the folder where it lies
    bases: Once[Path, Image] = field(default_factory=Once)  # those that this run has opened, by archive
    compilers: Once[str, str] = field(default_factory=Once)  # what rustc says of itself, by the image's digest
    compile_times: Once[str, CompileTimes] = field(default_factory=Once)  # those that it has, by the program's key
    owners: Once[str, Owners] = field(default_factory=Once)  # those that it has read, by the image's digest

    def tell_once(self, text: str) -> None:
        """Say a line, whichever and however many jobs have it to say."""
        self.told.get(text, partial(self.tell, text))

    def log(self, job: str) -> Path:
        """Where the log of a job goes; its last run's stays there."""
        return self.folders.logs / f"{job.replace(' ', '-')}.log"


@dataclass(frozen=True, slots=True, kw_only=True)
class RootImage:
    """A base or toolchain in the store."""

    status: Status
    note: str
    reference: str  # what a Containerfile names
    source: Source
    packages: tuple[Pinned, ...]
    key: str = ""  # of what its recipe says of it; "" of a registry's
    pins: str = ""  # the key of its packages, likewise

    @property
    def image(self) -> str:
        """What an engine is asked for: by its digest this very image, whatever has its name meanwhile."""
        return self.source.digest if self.source.kind == "bootstrap" else self.reference


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A compiled program."""

    status: Status
    note: str
    path: Path
    sha256: str
    seconds: float | None  # what cargo says that the compile took; None where it did not say
    warm: bool | None  # whether cargo found objects of an earlier compile; None where that is not known
    toolchain: RootImage
    crates: tuple[str, ...] | None = None  # those that it may be linked with, by name; None where that is not known
    key: str = ""  # of the compile
    # The names of large-file functions that it asks for, musl 1.2.4 dropped, and were linked all the same.
    large_file_names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A cell's result."""

    status: Status
    note: str
    result: Result
    awaits_timing: bool = False  # what is timed is still to be taken


Output = RootImage | Program | Measured
_Kind = TypeVar("_Kind", RootImage, Program, Measured)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """What the jobs of one run made, looked up by the job itself; a job that made nothing is a BareboatError."""

    by_id: Mapping[Hashable, Output]

    def root(self, job: RootJob) -> RootImage:
        """The image that a root job made or pulled."""
        return self._find(job, RootImage)

    def roots(self, cell: Cell) -> dict[RootJob, RootImage]:
        """The images that a cell stands on or copies from."""
        return {job: self.root(job) for job in cell.roots}

    def crew(self, cell: Cell) -> dict[ProgramJob, Program]:
        """The programs of our own that come aboard beside the cell's."""
        return {job: self.program(job) for job in cell.crew}

    def program(self, job: ProgramJob) -> Program:
        """The program that a job compiled."""
        return self._find(job, Program)

    def measured(self, job: Job) -> Measured:
        """What an image's or a timed job found out about its cell."""
        return self._find(job, Measured)

    def _find(self, job: Job, kind: type[_Kind]) -> _Kind:
        output = self.by_id.get(job.id)
        if not isinstance(output, kind):
            raise BareboatError(f"{job.id} made nothing in this run")
        return output
