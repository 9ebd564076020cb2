"""The plan as values: the cells there are, the jobs that make them, and which job waits for which. Pure.

Jobs are shared by value: cells on the same base share its root job; cells of the same sample, target and linkage share
the compile. `planner` makes plans.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from bareboat.elf import Crt, Libc
    from bareboat.inputs.base import RootBootstrap
    from bareboat.inputs.expected import ExpectedFailure
    from bareboat.inputs.recipe import Copy, Recipe
    from bareboat.inputs.sample import Sample
    from bareboat.inputs.sysroot import Sysroot

BaseSource = Literal["registry", "bootstrap"]
Bases = Literal["auto", "registry", "bootstrap"]  # which of them to take: auto is a registry where one answers


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """The platform that images are built for."""

    architecture: str  # as OCI spells it: amd64
    rust: str  # as rustc and Debian spell it: x86_64

    def __str__(self) -> str:
        """`linux/amd64`, as Podman takes it."""
        return f"linux/{self.architecture}"


# By the name that uname gives a machine. Toolchains and the signs of a static libc are made and tested for no other.
PLATFORMS = {"x86_64": Platform(architecture="amd64", rust="x86_64")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which samples and recipes a command asks for, as shell patterns; without a pattern all of them."""

    samples: tuple[str, ...] = ()
    recipes: tuple[str, ...] = ()
    # Whether recipes are taken that are made to fail; else only those of them that are named, and by no pattern.
    made_to_fail: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class RootJob:
    """Makes or pulls one image to build on or to copy from."""

    name: str
    role: Literal["base", "toolchain", "package"]
    source: BaseSource
    reference: str  # what a Containerfile names
    bootstrap: RootBootstrap | None  # None where a registry has the image

    @property
    def id(self) -> str:
        """`base debian`, `toolchain gnu`, `package tzdata`."""
        return f"{self.role} {self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramJob:
    """Compiles one sample once for every cell with the same toolchain image, libc and CRT linkage."""

    sample: Sample
    toolchain: RootJob
    libc: Libc
    crt: Crt
    platform: Platform
    std: RootJob | None = None  # has the source of std, where that is compiled too
    sysroot: Sysroot | None = None  # the C library that is linked in the place of the toolchain's own

    @property
    def id(self) -> str:
        """`program hello-world musl static in gnu`, `... in gnu with sysroot 0123456789ab`."""
        plain = f"program {self.sample.name} {self.libc} {self.crt} in {self.toolchain.name}"
        return f"{plain} with sysroot {self.sysroot.digest[:12]}" if self.sysroot else plain

    @property
    def target(self) -> str:
        """The target triple as rustc spells it."""
        return f"{self.platform.rust}-unknown-linux-{self.libc}"

    @property
    def binary(self) -> str:
        """The program's path in the compile stage."""
        return f"/out/{self.sample.binary}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedCopy:
    """One copy of a cell, and the image that it is taken from."""

    copy: Copy
    source: RootJob | None  # None for what the recipe itself makes, and for a program
    program: ProgramJob | None = None  # that is compiled for it


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One sample on one recipe for one platform."""

    sample: Sample
    recipe: Recipe
    program: ProgramJob
    base: RootJob | None  # None where the image starts from scratch
    copies: tuple[PlannedCopy, ...] = ()  # what comes aboard beside the program
    harbor: ProgramJob | None = None  # makes the instrument that a service is held to; None for no service
    gauge: ProgramJob | None = None  # makes the instrument that measures from inside a container; None without one
    starter: tuple[str, ...] = ()  # what the image starts, and that then starts the program
    healthcheck: tuple[str, ...] = ()  # by which an engine asks whether a service is well

    @property
    def id(self) -> str:
        """`hello-world@scratch-musl`."""
        return f"{self.sample.name}@{self.recipe.name}"

    @property
    def image_name(self) -> str:
        """What the cell's image is called in the store: `localhost/bareboat/hello-world:alpine`."""
        # Image names may not hold the plus sign that is in the names of variants and of recipes with more provisions.
        return f"localhost/bareboat/{self.sample.name}:{self.recipe.name}".replace("+", "_")

    @property
    def libc(self) -> str:
        """Which C library its program is declared to have: `gnu`, `musl`, `other` for one of the user's own, `none`."""
        return self.sample.libc or self.recipe.compile.libc

    @property
    def instruments(self) -> tuple[ProgramJob, ...]:
        """What makes the programs that it is held to and measured with."""
        return tuple(made for made in (self.harbor, self.gauge) if made)

    @property
    def crew(self) -> tuple[ProgramJob, ...]:
        """What makes the programs of our own that come aboard beside its own."""
        return tuple(planned.program for planned in self.copies if planned.program)

    @property
    def entrypoint(self) -> tuple[str, ...]:
        """What the image starts, with its first arguments."""
        return (*self.starter, self.program_path)

    @property
    def expect_failure(self) -> ExpectedFailure | None:
        """Why the cell is known not to work, and what it says then; None where it should work."""
        known = (failure for pattern, failure in self.sample.expect_failure if fnmatchcase(self.recipe.name, pattern))
        return self.recipe.expect_failure or next(known, None)

    @property
    def excuses(self) -> dict[str, str]:
        """The probes that are known to be answered wrongly here, and why."""
        matching = (probes for pattern, probes in self.sample.excuses if fnmatchcase(self.recipe.name, pattern))
        return {probe: reason for probes in matching for probe, reason in probes}

    @property
    def completes(self) -> bool:
        """Whether libraries that the program lacks in the image come aboard though no recipe names them."""
        return self.sample.own and self.recipe.expect_failure is None

    @property
    def loads(self) -> tuple[str, ...]:
        """The libraries that earlier runs found that the program loads while it runs, by their files' names."""
        mends = (mend for mend in self.sample.mends if mend.recipe == self.recipe.name)
        return tuple(mend.library for mend in mends if mend.library)

    @property
    def program_path(self) -> str:
        """Where the program lies in the image."""
        return f"/{self.sample.binary}"

    @property
    def roots(self) -> tuple[RootJob, ...]:
        """The images that the cell stands on or copies from, each once.

        The toolchain is among them only if something is copied from it, or may be, or is compiled in it to be copied.
        """
        copied = [planned.source for planned in self.copies if planned.source]
        copied += [program.toolchain for program in self.crew]
        searched = [self.program.toolchain] if self.completes else []
        return tuple(dict.fromkeys([*([self.base] if self.base else []), *copied, *searched]))


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageJob:
    """Ships one cell's image, predicts whether it starts, runs it and measures it."""

    cell: Cell

    @property
    def id(self) -> str:
        """`image hello-world@scratch-musl`."""
        return f"image {self.cell.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedJob:
    """Takes what is timed of one cell, and holds a service to its probes, which have deadlines: it runs alone."""

    cell: Cell

    @property
    def id(self) -> str:
        """`timed webserver@scratch-musl`."""
        return f"timed {self.cell.id}"


Job = RootJob | ProgramJob | ImageJob | TimedJob


@dataclass(frozen=True, slots=True, kw_only=True)
class SkippedCell:
    """A cell that cannot be made, and why."""

    sample: str
    recipe: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What one run is to do."""

    source: BaseSource
    platform: Platform
    jobs: tuple[Job, ...]  # each after all that it needs, the timed ones last
    skipped: tuple[SkippedCell, ...]

    @property
    def cells(self) -> tuple[Cell, ...]:
        """The cells that will be tried."""
        return tuple(job.cell for job in self.jobs if isinstance(job, ImageJob))


def needs(job: Job) -> tuple[Job, ...]:
    """The jobs that must be done before this one."""
    match job:
        case RootJob():
            return ()
        case ProgramJob(toolchain=toolchain, std=std):
            return (toolchain, std) if std else (toolchain,)
        case ImageJob(cell=cell):
            return (cell.program, *cell.instruments, *cell.crew, *cell.roots)
        case TimedJob(cell=cell):
            return (ImageJob(cell=cell), cell.program, *cell.instruments)


def is_timed(job: Job) -> bool:
    """Whether a job measures time or has deadlines: such jobs run after all others, one at a time."""
    return isinstance(job, TimedJob)
