"""Commands that answer from what there is, and build nothing."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from pathlib import Path  # noqa: TC003 (the console reads the types of options)
from typing import TYPE_CHECKING, TextIO, get_args

from bareboat.commands.choose_bases import find_inputs
from bareboat.commands.listing import list_plan, list_recipes, list_samples
from bareboat.commands.plan_inputs import OwnCrate, load_own, name_cell, own_results, sample_names, select, teller
from bareboat.engine.images import OWN_NAMES
from bareboat.errors import InputError
from bareboat.inputs.limits import limits_of
from bareboat.inputs.load_recipes import load_recipes
from bareboat.inputs.load_samples import load_samples
from bareboat.inputs.lock import pinned_reference, read_lock
from bareboat.inputs.recipe import Copy
from bareboat.plan.containerfile import render_containerfile
from bareboat.plan.eject import Form, Service, eject
from bareboat.plan.jobs import PlannedCopy
from bareboat.plan.planner import check_selection, make_plan, plan_named_cell, root_jobs
from bareboat.result.store import load
from bareboat.system.printable import Exact

if TYPE_CHECKING:
    from collections.abc import Callable

    from bareboat.commands.project import Project
    from bareboat.plan.jobs import Cell
    from bareboat.plan.planner import PlanInputs
    from bareboat.result.values import Result
    from bareboat.system.process import Processes

# https://docs.docker.com/reference/cli/docker/image/tag/: host, repository, tag and digest.
_REFERENCE = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._/:@-]*[A-Za-z0-9])?")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanOptions(OwnCrate):
    """The options of plan."""

    sample: tuple[str, ...] = ()
    recipe: tuple[str, ...] = ()
    all_bins: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerfileOptions(OwnCrate):
    """The words of containerfile."""

    cell: str  # SAMPLE@RECIPE; with a crate, the recipe alone will do


def print_plan(project: Project, options: PlanOptions, processes: Processes, view: TextIO) -> str:
    """The plan as a table."""
    book, known = load_own(
        project, options, processes, view, all_bins=options.all_bins, memory=own_results(options.crate)
    )
    selection = select(options.sample, options.recipe, options.crate)
    check_selection(book, known, selection)  # so that a wrong name is told before any registry is asked
    inputs = find_inputs(book, known, options.bases, processes, lambda _: None)
    return list_plan(make_plan(inputs, known, selection))


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
        cell = _complete(cell, _last_result(project, options.crate, cell), teller(view))
    lock = read_lock(project.lock, inputs.platform.architecture)
    roots = root_jobs(inputs.book, inputs.source)
    named = {job: pinned_reference(job.reference, lock.registry.get(job.reference)) for job in roots}
    if inputs.source == "bootstrap":
        teller(view)(f"images named {OWN_NAMES}... are made by `invoke bases`")
    return Exact(render_containerfile(cell, named))


@dataclass(frozen=True, slots=True, kw_only=True)
class EjectOptions(OwnCrate):
    """The words of eject."""

    cell: str  # SAMPLE@RECIPE; with a crate, the recipe alone will do
    run: bool = False
    compose: bool = False
    kube: bool = False
    quadlet: bool = False
    image: str = ""  # what the image is called where it will run; without it, its name here


def print_ejected(project: Project, options: EjectOptions, processes: Processes, view: TextIO) -> str:
    """The one form that was asked for, of a cell; nothing is built."""
    forms = [form for form in get_args(Form) if getattr(options, form)]
    if len(forms) != 1:
        raise InputError(f"which form? Say one of {', '.join(f'--{form}' for form in get_args(Form))}")
    if options.image and not _REFERENCE.fullmatch(options.image):
        raise InputError(f"--image {options.image}: that is no name of an image, such as ghcr.io/me/app:1")
    _, cell = _find_cell(project, options, processes, view, lambda _: None)
    if not options.image:
        teller(view)(f"{cell.image_name} is its name on this machine; --image names another")
    limits = limits_of(cell.recipe.runtime, os.cpu_count() or 1)
    result = _last_result(project, options.crate, cell)
    ran = result.ran if result else None
    if ran is None and cell.sample.expectations[0].is_open:
        teller(view)(f"whether it is a service is not known: `build-matrix --recipe {cell.recipe.name}` finds out")
    service = Service() if cell.sample.service else None
    if ran and ran.running:
        service = Service(ports=ran.ports, heeds=ran.stop_seconds is not None)
    return Exact(eject(cell, forms[0], options.image or cell.image_name, limits, service))


def _last_result(project: Project, crate: Path | None, cell: Cell) -> Result | None:
    """What the cell came to when it was last run, on whichever host."""
    kept = own_results(crate) or project.results
    return next((load(path) for path in sorted(kept.glob(f"*/{cell.id}.json"))), None)


def _complete(cell: Cell, result: Result | None, tell: Callable[[str], None]) -> Cell:
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
    options: ContainerfileOptions | EjectOptions,
    processes: Processes,
    view: TextIO,
    tell: Callable[[str], None],
) -> tuple[PlanInputs, Cell]:
    """The one cell that is named, and what it was planned with."""
    book, samples = load_own(project, options, processes, view, memory=own_results(options.crate))
    inputs = find_inputs(book, samples, options.bases, processes, tell)
    return inputs, plan_named_cell(inputs, samples, name_cell(options.cell, samples, options.crate)).cells[0]
