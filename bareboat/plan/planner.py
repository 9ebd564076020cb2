"""Makes plans: which cells recipes and samples come to, and the jobs for them. Pure: no file, no Podman.

make_plan(PlanInputs(...), samples, Selection(...)) -> Plan
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Literal

from bareboat.errors import SelectionError
from bareboat.inputs.base import Debian, Distroless
from bareboat.inputs.recipe import CREW
from bareboat.plan.choice import fits, say_no_pair, select_named
from bareboat.plan.crew import crew_fault, entrypoint_of, healthcheck_of
from bareboat.plan.jobs import (
    Cell,
    ImageJob,
    Plan,
    PlannedCopy,
    ProgramJob,
    RootJob,
    Selection,
    SkippedCell,
    TimedJob,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from bareboat.elf import Crt
    from bareboat.inputs.recipe import Copy, Recipe, RecipeBook, Toolchain
    from bareboat.inputs.sample import Sample
    from bareboat.plan.jobs import BaseSource, Job, Platform


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanInputs:
    """What every cell of a plan has in common."""

    book: RecipeBook
    source: BaseSource
    platform: Platform
    harbor: Sample | None = None  # the instrument that services are held to; None where there is no service
    gauge: Sample | None = None  # the instrument that measures from inside a container; None for a plan without one
    crew: Mapping[str, Sample] = field(default_factory=dict)  # the programs of our own that go into images


def make_plan(inputs: PlanInputs, samples: Sequence[Sample], selection: Selection) -> Plan:
    """Every selected sample on every selected recipe that takes it; services get a job for their probes.

    Raises SelectionError as `check_selection` does.
    """
    pairs = check_selection(inputs.book, samples, selection)
    judged = [(sample, recipe, next(_reasons(sample, recipe, inputs), "")) for sample, recipe in pairs]
    cells = [plan_cell(sample, recipe, inputs) for sample, recipe, reason in judged if not reason]
    skipped = [
        SkippedCell(sample=sample.name, recipe=recipe.name, reason=reason)
        for sample, recipe, reason in judged
        if reason
    ]
    return Plan(source=inputs.source, platform=inputs.platform, jobs=_plan_jobs(cells), skipped=tuple(skipped))


def check_selection(
    book: RecipeBook, samples: Sequence[Sample], selection: Selection
) -> tuple[tuple[Sample, Recipe], ...]:
    """The selected samples, each with every selected recipe that takes it.

    Raises SelectionError for a pattern that matches nothing, and where no selected recipe takes a selected sample.
    """
    chosen_samples = select_named(samples, selection.samples, "sample")
    if not selection.samples:
        # `--crate` counts as naming the sample, so on_request does not hide it.
        chosen_samples = tuple(sample for sample in chosen_samples if not sample.on_request) or chosen_samples
    chosen_recipes = tuple(
        recipe
        for recipe in select_named(book.recipes, selection.recipes, "recipe")
        if selection.made_to_fail or not recipe.expect_failure or recipe.name in selection.recipes
    )
    pairs = [(sample, recipe) for sample in chosen_samples for recipe in chosen_recipes if fits(sample, recipe)]
    if not pairs:
        raise SelectionError(say_no_pair(chosen_samples, chosen_recipes))
    return tuple(pairs)


def plan_named_cell(inputs: PlanInputs, samples: Sequence[Sample], cell_id: str) -> Plan:
    """The plan of one cell, `SAMPLE@RECIPE`; raises SelectionError where that is not exactly one."""
    sample, _, recipe = cell_id.partition("@")
    plan = make_plan(inputs, samples, Selection(samples=(sample,), recipes=(recipe or "*",)))
    if len(plan.cells) != 1:
        reasons = [f"'{cell_id}' cannot be made: {skipped.reason}" for skipped in plan.skipped if not plan.cells]
        there = f"'{cell_id}' is not one cell; there are: {', '.join(cell.id for cell in plan.cells)}"
        raise SelectionError(reasons[0] if reasons else there)
    return plan


def plan_roots(inputs: PlanInputs) -> Plan:
    """Every image that the book's recipes stand on or copy from, and no cell."""
    jobs = root_jobs(inputs.book, inputs.source)
    return Plan(source=inputs.source, platform=inputs.platform, jobs=jobs, skipped=())


def root_jobs(book: RecipeBook, source: BaseSource) -> tuple[RootJob, ...]:
    """Every image that the book's recipes stand on or copy from, each once; toolchains first, being the slowest."""
    toolchains = [_toolchain_job(book, toolchain, source) for toolchain in book.toolchains]
    std = [_std_job(book, toolchain) for toolchain in book.toolchains if _brings_std(book, toolchain, source)]
    bases = [job for recipe in book.recipes if (job := _base_job(book, recipe, source))]
    copied = [job for recipe in book.recipes for planned in _copies(book, recipe, source) if (job := planned.source)]
    return tuple(dict.fromkeys([*toolchains, *std, *bases, *copied]))


def select_recipes(book: RecipeBook, pattern: str) -> tuple[Recipe, ...]:
    """The recipes that match a pattern; without one all but those that cannot work. Raises SelectionError."""
    if pattern:
        return select_named(book.recipes, (pattern,), "recipe")
    return tuple(recipe for recipe in book.recipes if not (recipe.expect_failure or book.lacks_sysroot(recipe)))


def local_reference(role: str, name: str) -> str:
    """What a bootstrapped image is called: `localhost/bareboat/base/debian:bootstrap`."""
    return f"localhost/bareboat/{role}/{name}:bootstrap"


def published_sizes(book: RecipeBook, samples: Iterable[Sample]) -> dict[str, int]:
    """What somebody else says that a cell's image weighs, in bytes by the cell's id; only cells of which it is said."""
    said = {
        f"{recipe.published.sample}@{recipe.name}": recipe.published.size_bytes
        for recipe in book.recipes
        if recipe.published
    }
    return {f"{sample.name}@{recipe}": size for sample in samples for recipe, size in sample.published} | said


def plan_cell(sample: Sample, recipe: Recipe, inputs: PlanInputs) -> Cell:
    """One cell; its recipe need not be in the book, such as one that was given more provisions."""
    recipe = _provided(sample, recipe)
    toolchain, provisions = inputs.book.toolchain(recipe.compile.toolchain), inputs.book.provisions_of(recipe)
    return Cell(
        sample=sample,
        recipe=recipe,
        program=replace(
            _program_job(sample, toolchain, recipe.compile.crt, inputs), sysroot=inputs.book.sysroot_of(recipe)
        ),
        base=_base_job(inputs.book, recipe, inputs.source),
        copies=tuple(_manned(copy, toolchain, inputs) for copy in _copies(inputs.book, recipe, inputs.source)),
        starter=entrypoint_of(provisions),
        healthcheck=healthcheck_of(sample, provisions),
        harbor=_harbor_job(inputs) if sample.service else None,
        gauge=_own_job(inputs.gauge, toolchain, inputs) if inputs.gauge else None,
    )


def _provided(sample: Sample, recipe: Recipe) -> Recipe:
    """A recipe with what a sample adds to it."""
    added = [name for pattern, names in sample.provisions if fnmatchcase(recipe.name, pattern) for name in names]
    added += [mend.provision for mend in sample.mends if mend.recipe == recipe.name and mend.provision]
    runtime = replace(recipe.runtime, env={**recipe.runtime.env, **dict(sample.env)})
    return replace(recipe, provisions=tuple(dict.fromkeys([*recipe.provisions, *added])), runtime=runtime)


def _program_job(sample: Sample, toolchain: Toolchain, crt: Crt, inputs: PlanInputs) -> ProgramJob:
    made = _toolchain_job(inputs.book, toolchain, inputs.source)
    std = _std_job(inputs.book, toolchain) if sample.cargo.build_std else None
    return ProgramJob(sample=sample, toolchain=made, libc=toolchain.libc, crt=crt, platform=inputs.platform, std=std)


def _harbor_job(inputs: PlanInputs) -> ProgramJob | None:
    # Linked statically with musl, the harbor runs in an image that holds nothing else.
    toolchain = next((toolchain for toolchain in inputs.book.toolchains if toolchain.libc == "musl"), None)
    return _program_job(inputs.harbor, toolchain, "static", inputs) if inputs.harbor and toolchain else None


def _own_job(sample: Sample, toolchain: Toolchain, inputs: PlanInputs) -> ProgramJob:
    # It has no libc, so any toolchain makes it: the cell's own, for which nobody waits any longer. Where one image is
    # two toolchains, by the one whose image it is, so that it is compiled once.
    made = _toolchain_job(inputs.book, toolchain, inputs.source)
    return _program_job(sample, inputs.book.toolchain(made.name), "static", inputs)


def _manned(planned: PlannedCopy, toolchain: Toolchain, inputs: PlanInputs) -> PlannedCopy:
    """A copy with what compiles it, where it is a program of our own."""
    if not planned.copy.source.startswith(CREW):
        return planned
    sample = inputs.crew[planned.copy.source.removeprefix(CREW)]
    return replace(planned, program=_own_job(sample, toolchain, inputs))


def _plan_jobs(cells: Iterable[Cell]) -> tuple[Job, ...]:
    """The jobs of some cells, each once and after all that it needs, the timed ones last."""
    images = [ImageJob(cell=cell) for cell in cells]
    programs = dict.fromkeys(program for image in images for program in _programs(image.cell))
    toolchains = dict.fromkeys(program.toolchain for program in programs)
    sources = dict.fromkeys(program.std for program in programs if program.std)
    roots = dict.fromkeys(root for image in images for root in image.cell.roots if root not in toolchains)
    timed = [TimedJob(cell=image.cell) for image in images]
    return (*toolchains, *(roots | sources), *programs, *images, *timed)


def _programs(cell: Cell) -> tuple[ProgramJob, ...]:
    return (cell.program, *cell.instruments, *cell.crew)


def _copies(book: RecipeBook, recipe: Recipe, source: BaseSource) -> tuple[PlannedCopy, ...]:
    return tuple(
        PlannedCopy(copy=copy, source=_source_job(book, recipe, copy, source)) for copy in book.copies_of(recipe)
    )


def _source_job(book: RecipeBook, recipe: Recipe, copy: Copy, source: BaseSource) -> RootJob | None:
    kind, _, name = copy.source.partition(":")
    toolchain = book.toolchain(recipe.compile.toolchain)
    match kind:
        case "toolchain":
            return _toolchain_job(book, toolchain, source)
        case "base":
            return _base_job(book, book.recipe(name), source)
        case "package":
            return _package_job(book, toolchain, name)
        case _:
            return None


def _package_job(book: RecipeBook, toolchain: Toolchain, name: str) -> RootJob:
    bootstrap = book.bootstrap_of(toolchain)[1]
    if not isinstance(bootstrap, Debian):
        raise SelectionError(f"toolchain '{toolchain.name}' has no Debian suite to take package '{name}' from")
    # No registry has an image of one Debian package.
    return RootJob(
        name=name,
        role="package",
        source="bootstrap",
        reference=local_reference("package", name),
        bootstrap=Distroless(kind="distroless", suite=bootstrap.suite, packages=(name,)),
    )


def _std_job(book: RecipeBook, toolchain: Toolchain) -> RootJob:
    return _package_job(book, toolchain, toolchain.std_source or "")


def _brings_std(book: RecipeBook, toolchain: Toolchain, source: BaseSource) -> bool:
    """Whether there is a package with the source of a toolchain's std; none fits an image of a registry."""
    made_from = _toolchain_job(book, toolchain, source).bootstrap
    return toolchain.std_source is not None and isinstance(made_from, Debian)


def _toolchain_job(book: RecipeBook, toolchain: Toolchain, source: BaseSource) -> RootJob:
    return _root_job("toolchain", toolchain, book, source)


def _base_job(book: RecipeBook, recipe: Recipe, source: BaseSource) -> RootJob | None:
    return None if recipe.base.scratch else _root_job("base", recipe, book, source)


def _root_job(
    role: Literal["base", "toolchain"], wanted: Recipe | Toolchain, book: RecipeBook, source: BaseSource
) -> RootJob:
    owner, bootstrap = book.bootstrap_of(wanted)
    image = wanted.base.image
    if image and (source == "registry" or bootstrap is None):
        return RootJob(name=wanted.name, role=role, source="registry", reference=image, bootstrap=None)
    reference = local_reference(role, owner)
    return RootJob(name=owner, role=role, source="bootstrap", reference=reference, bootstrap=bootstrap)


def _reasons(sample: Sample, recipe: Recipe, inputs: PlanInputs) -> Iterator[str]:
    """Why a cell cannot be made; nothing where it can be."""
    book = inputs.book
    toolchain = book.toolchain(recipe.compile.toolchain)
    if sample.cargo.build_std and not _brings_std(book, toolchain, inputs.source):
        yield f"`build_std` compiles std, whose source toolchain '{toolchain.name}' has no Debian package of"
    provided = _provided(sample, recipe)
    if fault := crew_fault(sample, book.provisions_of(provided), book.copies_of(provided)):
        yield fault
    if book.lacks_sysroot(recipe):
        yield f"there is no {recipe.compile.sysroot}: {recipe.compile.sysroot_absent}"
    if inputs.source == "registry":
        return
    if not (recipe.base.scratch or recipe.base.bootstrap):
        yield f"no registry is used and the recipe has no [base.bootstrap]; its image is {recipe.base.image}"
    if book.bootstrap_of(toolchain)[1] is None:
        yield f"no registry is used and toolchain '{toolchain.name}' has no [base.bootstrap]"
