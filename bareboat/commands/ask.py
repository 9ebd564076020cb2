"""Commands that answer from what there is, and build nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TextIO

from bareboat.commands.choose_bases import find_inputs
from bareboat.commands.last_results import last_result
from bareboat.commands.listing import list_plan, list_recipes, list_samples
from bareboat.commands.plan_inputs import OwnCrate, kept_results, load_own, name_cell, sample_names, select, teller
from bareboat.engine.images import OWN_NAMES
from bareboat.inputs.load_recipes import load_recipes
from bareboat.inputs.load_samples import load_samples
from bareboat.inputs.lock import pinned_reference, read_lock
from bareboat.inputs.recipe import Copy
from bareboat.plan.containerfile import SYSROOT_CONTEXT, render_containerfile
from bareboat.plan.jobs import PlannedCopy
from bareboat.plan.planner import check_selection, make_plan, plan_named_cell, root_jobs
from bareboat.plan.workflow import list_cells
from bareboat.system.printable import Exact

if TYPE_CHECKING:
    from collections.abc import Callable

    from bareboat.commands.project import Project
    from bareboat.plan.jobs import Cell
    from bareboat.plan.planner import PlanInputs
    from bareboat.result.values import Result
    from bareboat.system.process import Processes


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanOptions(OwnCrate):
    """The options of plan."""

    sample: tuple[str, ...] = ()
    recipe: tuple[str, ...] = ()
    all_bins: bool = False
    format: Literal["text", "github"] = "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerfileOptions(OwnCrate):
    """The words of containerfile."""

    cell: str  # SAMPLE@RECIPE; with a crate, the recipe alone will do


def print_plan(project: Project, options: PlanOptions, processes: Processes, view: TextIO) -> str:
    """The plan as a table, or its cells as a job matrix of GitHub Actions."""
    book, known = load_own(
        project, options, processes, view, all_bins=options.all_bins, memory=kept_results(project, options.crate)
    )
    selection = select(options.sample, options.recipe, options.crate)
    check_selection(book, known, selection)  # so that a wrong name is told before any registry is asked
    inputs = find_inputs(book, known, options.bases, processes, lambda _: None)
    plan = make_plan(inputs, known, selection)
    return list_cells(plan) if options.format == "github" else list_plan(plan)


def print_recipes(project: Project) -> str:
    """The recipes and toolchains as tables."""
    return list_recipes(load_recipes(project.recipes, sample_names(project)))


def print_samples(project: Project, processes: Processes, view: TextIO) -> str:
    """The samples as a table, or the programs of the crate in whose folder the user stands."""
    if not project.crate:
        return list_samples(load_samples(project.samples))
    return list_samples(load_own(project, OwnCrate(crate=project.crate), processes, view, all_bins=True)[1])


def print_containerfile(project: Project, options: ContainerfileOptions, processes: Processes, view: TextIO) -> str:
    """A cell's Containerfile; what must be known to build it goes to `view`."""
    inputs, cell = _find_cell(project, options, processes, view, teller(view))
    if cell.completes:
        cell = complete(cell, last_result(project, options.crate, cell.id), teller(view))
    lock = read_lock(project.lock, inputs.platform.architecture)
    roots = root_jobs(inputs.book, inputs.source)
    named = {job: pinned_reference(job.reference, lock.registry.get(job.reference)) for job in roots}
    if inputs.source == "bootstrap":
        teller(view)(f"images named {OWN_NAMES}... are made by `invoke bases`")
    if cell.sample.extent.beside:
        teller(view)(f"its context is {cell.sample.extent.root(cell.sample.folder)}, where all that it copies is")
    if cell.sample.extent.ignored:
        teller(view)("what git ignores is no source: a .containerignore leaves it out of a build as well")
    if cell.healthcheck:
        teller(view)("Docker's format alone has its health check: `podman build --format docker`")
    if sysroot := cell.program.sysroot:
        teller(view)(f"its C library is handed on by --build-context {SYSROOT_CONTEXT}={sysroot.folder}")
    return Exact(render_containerfile(cell, named))


def complete(cell: Cell, result: Result | None, tell: Callable[[str], None]) -> Cell:
    """The cell with the libraries that its last run found that the program needs."""
    if result is None or result.provenance is None:
        tell(f"libraries that {cell.recipe.name} has not are named after `build-matrix --recipe {cell.recipe.name}`")
        return cell
    toolchain = cell.program.toolchain
    copies = (Copy(source="toolchain", path=one.path, to=one.to, why=one.why) for one in result.completed)
    added = tuple(PlannedCopy(copy=copy, source=toolchain) for copy in copies)
    return replace(cell, copies=(*cell.copies, *added))


def _find_cell(
    project: Project,
    options: ContainerfileOptions,
    processes: Processes,
    view: TextIO,
    tell: Callable[[str], None],
) -> tuple[PlanInputs, Cell]:
    """The one cell that is named, and what it was planned with."""
    book, samples = load_own(project, options, processes, view, memory=kept_results(project, options.crate))
    inputs = find_inputs(book, samples, options.bases, processes, tell)
    return inputs, plan_named_cell(inputs, samples, name_cell(options.cell, samples, options.crate)).cells[0]
