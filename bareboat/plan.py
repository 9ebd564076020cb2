"""The plan: which cells there are, which jobs make them, and which job waits for which. Pure: no file, no Podman.

    make_plan(book, samples, Selection(...), source="bootstrap", platform=AMD64) -> Plan

Jobs are shared by value: cells on one base share its base job, cells of one sample, target and linkage its compile.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Literal, Protocol, TypeVar

from bareboat.errors import SelectionError
from bareboat.tomlfile import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bareboat.recipe import Alpine, Crt, Debian, Distroless, Libc, Recipe, RecipeBook, Toolchain
    from bareboat.sample import Sample

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
    """Makes or pulls one image to build on: a base or a toolchain. `reference` is what a Containerfile names."""

    name: str
    role: Literal["base", "toolchain"]
    source: BaseSource
    reference: str
    bootstrap: Debian | Distroless | Alpine | None

    @property
    def id(self) -> str:
        """`base debian`, `toolchain gnu`."""
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
class Cell:
    """One sample on one recipe for one platform. `base` is None where the recipe starts from scratch."""

    sample: Sample
    recipe: Recipe
    program: ProgramJob
    base: RootJob | None

    @property
    def id(self) -> str:
        """`hello-world@scratch-musl`."""
        return f"{self.sample.name}@{self.recipe.name}"

    @property
    def program_path(self) -> str:
        """Where the program lies in the image."""
        return f"/{self.sample.binary}"


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
            return (cell.program, cell.base) if cell.base else (cell.program,)


def make_plan(
    book: RecipeBook, samples: Sequence[Sample], selection: Selection, *, source: BaseSource, platform: Platform
) -> Plan:
    """Every selected sample on every selected recipe; raises SelectionError for a pattern that matches nothing."""
    chosen_samples = _select(samples, selection.samples, "sample")
    chosen_recipes = _select(book.recipes, selection.recipes, "recipe")
    cells: list[Cell] = []
    skipped: list[SkippedCell] = []
    for sample in chosen_samples:
        for recipe in chosen_recipes:
            reason = _impossible(recipe, book, source)
            if reason:
                skipped.append(SkippedCell(sample=sample.name, recipe=recipe.name, reason=reason))
            else:
                cells.append(_cell(sample, recipe, book, source, platform))
    return Plan(source=source, platform=platform, jobs=_jobs(cells), skipped=tuple(skipped))


def root_jobs(book: RecipeBook, source: BaseSource) -> tuple[RootJob, ...]:
    """Every base and toolchain of the book, each once, in order of name; toolchains first, being the slowest."""
    toolchains = [_toolchain_job(book, toolchain, source) for toolchain in book.toolchains]
    bases = [job for recipe in book.recipes if (job := _base_job(recipe, source))]
    return tuple(dict.fromkeys([*toolchains, *bases]))


def local_reference(role: str, name: str) -> str:
    """What a bootstrapped image is called: `localhost/bareboat/base/debian:bootstrap`."""
    return f"localhost/bareboat/{role}/{name}:bootstrap"


def _cell(sample: Sample, recipe: Recipe, book: RecipeBook, source: BaseSource, platform: Platform) -> Cell:
    toolchain = book.toolchain(recipe.compile.toolchain)
    program = ProgramJob(
        sample=sample,
        toolchain=_toolchain_job(book, toolchain, source),
        libc=toolchain.libc,
        crt=recipe.compile.crt,
        platform=platform,
    )
    return Cell(sample=sample, recipe=recipe, program=program, base=_base_job(recipe, source))


def _toolchain_job(book: RecipeBook, toolchain: Toolchain, source: BaseSource) -> RootJob:
    owner, bootstrap = book.bootstrap_of(toolchain)
    if source == "registry" and toolchain.base.image:
        reference = toolchain.base.image
        return RootJob(name=toolchain.name, role="toolchain", source="registry", reference=reference, bootstrap=None)
    reference = local_reference("toolchain", owner)
    return RootJob(name=owner, role="toolchain", source="bootstrap", reference=reference, bootstrap=bootstrap)


def _base_job(recipe: Recipe, source: BaseSource) -> RootJob | None:
    base = recipe.base
    if base.scratch:
        return None
    if base.image and (source == "registry" or base.bootstrap is None):
        return RootJob(name=recipe.name, role="base", source="registry", reference=base.image, bootstrap=None)
    reference = local_reference("base", recipe.name)
    # The loader refuses same-as for a base, so what is left makes a root filesystem.
    bootstrap: Debian | Distroless | Alpine = base.bootstrap  # type: ignore[assignment]
    return RootJob(name=recipe.name, role="base", source="bootstrap", reference=reference, bootstrap=bootstrap)


def _impossible(recipe: Recipe, book: RecipeBook, source: BaseSource) -> str:
    if recipe.base.scratch and recipe.compile.crt == "dynamic":
        return "a dynamic program on scratch lacks its loader and libc"
    if source == "registry":
        return ""
    if not (recipe.base.scratch or recipe.base.bootstrap):
        return f"no registry is used and the recipe has no [base.bootstrap]; its image is {recipe.base.image}"
    if book.bootstrap_of(book.toolchain(recipe.compile.toolchain))[1] is None:
        return f"no registry is used and toolchain '{recipe.compile.toolchain}' has no [base.bootstrap]"
    return ""


def _jobs(cells: Iterable[Cell]) -> tuple[Job, ...]:
    images = [ImageJob(cell=cell) for cell in cells]
    programs = dict.fromkeys(image.cell.program for image in images)
    toolchains = dict.fromkeys(program.toolchain for program in programs)
    bases = dict.fromkeys(image.cell.base for image in images if image.cell.base)
    return (*toolchains, *bases, *programs, *images)


class _Named(Protocol):
    @property
    def name(self) -> str: ...


_T = TypeVar("_T", bound=_Named)


def _select(known: Sequence[_T], patterns: Sequence[str], what: str) -> tuple[_T, ...]:
    names = [one.name for one in known]
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in names):
            hint = did_you_mean(pattern, names)
            there = "" if hint.startswith(" (there are") else f"; there are: {', '.join(names)}"
            raise SelectionError(f"no {what} matches '{pattern}'{hint}{there}")
    return tuple(one for one in known if not patterns or any(fnmatchcase(one.name, pattern) for pattern in patterns))
