"""Commands that answer from what there is, and build nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from bareboat.commands.choose_bases import find_inputs
from bareboat.commands.listing import list_plan, list_recipes, list_samples
from bareboat.commands.plan_inputs import load_project, sample_names, teller
from bareboat.engine.images import OWN_NAMES
from bareboat.inputs.load_recipes import load_recipes
from bareboat.inputs.lock import pinned_reference, read_lock
from bareboat.inputs.sample import load_samples
from bareboat.inputs.schema import recipe_schema
from bareboat.plan.containerfile import render_containerfile
from bareboat.plan.jobs import Selection
from bareboat.plan.planner import check_selection, make_plan, plan_named_cell, root_jobs
from bareboat.system.files import write_whole
from bareboat.system.printable import Exact

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bareboat.commands.project import Project
    from bareboat.plan.jobs import Bases
    from bareboat.system.process import Processes


def print_plan(
    project: Project, samples: Sequence[str], recipes: Sequence[str], bases: Bases, processes: Processes
) -> str:
    """The plan as a table."""
    book, known = load_project(project)
    selection = Selection(samples=tuple(samples), recipes=tuple(recipes))
    check_selection(book, known, selection)  # so that a wrong name is told before any registry is asked
    inputs = find_inputs(book, known, bases, processes, lambda _: None)
    return list_plan(make_plan(inputs, known, selection))


def print_recipes(project: Project) -> str:
    """The recipes and toolchains as tables."""
    return list_recipes(load_recipes(project.recipes, sample_names(project)))


def print_samples(project: Project) -> str:
    """The samples as a table."""
    return list_samples(load_samples(project.samples))


def write_schema() -> str:
    """Write bareboat/recipe.schema.json; returns its path."""
    path = Path(__file__).parents[1] / "recipe.schema.json"
    write_whole(path, schema_text().encode())
    return str(path)


def schema_text() -> str:
    """The recipe schema as it is committed."""
    return json.dumps(recipe_schema(), indent=2) + "\n"


def print_containerfile(project: Project, cell_id: str, bases: Bases, processes: Processes, view: TextIO) -> str:
    """A cell's Containerfile; what must be known to build it goes to `view`."""
    book, samples = load_project(project)
    inputs = find_inputs(book, samples, bases, processes, teller(view))
    cell = plan_named_cell(inputs, samples, cell_id).cells[0]
    lock = read_lock(project.lock, inputs.platform.architecture)
    roots = root_jobs(book, inputs.source)
    named = {job: pinned_reference(job.reference, lock.registry.get(job.reference)) for job in roots}
    if inputs.source == "bootstrap":
        teller(view)(f"images named {OWN_NAMES}... are made by `invoke bases`")
    return Exact(render_containerfile(cell, named))
