"""The plan as values: the cells there are, the jobs that make them, and which job waits for which. Pure.

Jobs are shared by value: cells on one base share its base job, cells of one sample, target and linkage its compile.
`planner` makes plans.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from bareboat.inputs.base import RootBootstrap
    from bareboat.inputs.recipe import Copy, Crt, Libc, Recipe
    from bareboat.inputs.sample import Sample

BaseSource = Literal["registry", "bootstrap"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """Where the images run, as OCI spells it and as rustc and Debian do."""

    architecture: str
    rust: str

    def __str__(self) -> str:
        """`linux/amd64`, as Podman takes it."""
        return f"linux/{self.architecture}"


PLATFORMS = {
    "x86_64": Platform(architecture="amd64", rust="x86_64"),
    "aarch64": Platform(architecture="arm64", rust="aarch64"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Shell patterns; empty means all."""

    samples: tuple[str, ...] = ()
    recipes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RootJob:
    """Makes or pulls one image to build on or to copy from. `reference` is what a Containerfile names."""

    name: str
    role: Literal["base", "toolchain", "package"]
    source: BaseSource
    reference: str
    bootstrap: RootBootstrap | None

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

    @property
    def id(self) -> str:
        """`program hello-world musl static in gnu`."""
        return f"program {self.sample.name} {self.libc} {self.crt} in {self.toolchain.name}"

    @property
    def target(self) -> str:
        """The triple as rustc spells it."""
        return f"{self.platform.rust}-unknown-linux-{self.libc}"

    @property
    def binary(self) -> str:
        """The program's path in the compile stage."""
        return f"/out/{self.sample.binary}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Aboard:
    """One thing that comes aboard beside the program; `source` is None for what the recipe itself makes."""

    copy: Copy
    source: RootJob | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One sample on one recipe for one platform. `base` is None where the recipe starts from scratch.

    `harbor` makes the instrument that a service is held to; None for a program that ends by itself.
    """

    sample: Sample
    recipe: Recipe
    program: ProgramJob
    base: RootJob | None
    aboard: tuple[Aboard, ...] = ()
    harbor: ProgramJob | None = None

    @property
    def id(self) -> str:
        """`hello-world@scratch-musl`."""
        return f"{self.sample.name}@{self.recipe.name}"

    @property
    def expect_failure(self) -> str:
        """Why it is known not to work; "" where it should."""
        said = (reason for pattern, reason in self.sample.expect_failure if fnmatchcase(self.recipe.name, pattern))
        return self.recipe.expect_failure or next(said, "")

    @property
    def excuses(self) -> dict[str, str]:
        """Probes of the harbor that are known to be answered otherwise here, and why."""
        matching = (probes for pattern, probes in self.sample.excuses if fnmatchcase(self.recipe.name, pattern))
        return {probe: reason for probes in matching for probe, reason in probes}

    @property
    def published_bytes(self) -> int | None:
        """What somebody else says that an image of this sample on this base weighs; None where nobody does."""
        published = self.recipe.published
        if published and published.sample == self.sample.name:
            return published.size_bytes
        return dict(self.sample.published).get(self.recipe.name)

    @property
    def program_path(self) -> str:
        """Where the program lies in the image."""
        return f"/{self.sample.binary}"

    @property
    def roots(self) -> tuple[RootJob, ...]:
        """The images that it stands on or copies from, each once; the toolchain only if something is copied from it."""
        copied = [one.source for one in self.aboard if one.source]
        return tuple(dict.fromkeys([*([self.base] if self.base else []), *copied]))


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageJob:
    """Ships, runs and measures one cell."""

    cell: Cell

    @property
    def id(self) -> str:
        """`image hello-world@scratch-musl`."""
        return f"image {self.cell.id}"


Job = RootJob | ProgramJob | ImageJob


@dataclass(frozen=True, slots=True, kw_only=True)
class SkippedCell:
    """A cell that cannot be, and why."""

    sample: str
    recipe: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Jobs in an order in which each comes after all that it needs, and the cells that cannot be."""

    source: BaseSource
    platform: Platform
    jobs: tuple[Job, ...]
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
        case ProgramJob():
            return (job.toolchain,)
        case ImageJob(cell=cell):
            return (cell.program, *([cell.harbor] if cell.harbor else []), *cell.roots)
