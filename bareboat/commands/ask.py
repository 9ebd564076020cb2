"""Commands that answer from what there is, and build nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from bareboat import doctor
from bareboat.commands.listing import list_plan, list_recipes, list_samples
from bareboat.commands.project import Project, teller, this_platform, write_pages
from bareboat.engine.images import OWN_NAMES
from bareboat.errors import HostError, SelectionError
from bareboat.inputs.load_recipes import load_recipes
from bareboat.inputs.lock import read_lock
from bareboat.inputs.recipe import recipe_schema
from bareboat.inputs.sample import load_samples
from bareboat.inputs.tomlfile import did_you_mean
from bareboat.make.root import pinned_reference
from bareboat.matrix.source import Bases, choose_source
from bareboat.plan.containerfile import render as render_containerfile
from bareboat.plan.jobs import Selection
from bareboat.plan.planner import make_plan, root_jobs
from bareboat.podman_engine.settings import podman_environment
from bareboat.report import Format, render
from bareboat.result.store import hosts, load_all
from bareboat.system.files import write_whole
from bareboat.system.folders import find_folders

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bareboat.system.process import Processes


def print_plan(
    project: Project, samples: Sequence[str], recipes: Sequence[str], bases: Bases, processes: Processes
) -> str:
    """The plan as a table."""
    book = load_recipes(project.recipes)
    environment = podman_environment(find_folders().engine)
    source, _ = choose_source(bases, book, processes, environment)
    selection = Selection(samples=tuple(samples), recipes=tuple(recipes))
    return list_plan(make_plan(book, load_samples(project.samples), selection, source=source, platform=this_platform()))


def print_recipes(project: Project) -> str:
    """The recipes and toolchains as tables."""
    return list_recipes(load_recipes(project.recipes))


def print_samples(project: Project) -> str:
    """The samples as a table."""
    return list_samples(load_samples(project.samples))


def print_report(project: Project, format: Format, host: str, *, everything: bool = False) -> str:  # noqa: A002
    """One host's results, or every host's; the pages are written anew. `everything`: those made to fail, too."""
    there = hosts(project.results)
    if host and host not in there:
        raise SelectionError(f"no results of host '{host}'{did_you_mean(host, there)}")
    write_pages(project)
    results = [result for name in ([host] if host else there) for result in load_all(project.results / name)]
    return render([one for one in results if everything or not one.fails_as_expected], format)


def examine_host(project: Project, processes: Processes, *, quick: bool) -> tuple[str, int]:
    """The doctor's table; exit code 3 when builds cannot work here."""
    folder = find_folders().engine
    folder.mkdir(parents=True, exist_ok=True)
    references: tuple[str, ...] = ()
    if not quick:
        jobs = root_jobs(load_recipes(project.recipes), "registry")
        named = [job.reference for job in jobs if job.source == "registry"]
        references = tuple({reference.partition("/")[0]: reference for reference in named}.values())
    checks = doctor.examine(processes, podman_environment(folder), folder, quick=quick, references=references)
    return doctor.table(checks), 0 if doctor.can_build(checks) else HostError.exit_code


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
    sample, _, recipe = cell_id.partition("@")
    book = load_recipes(project.recipes)
    selection = Selection(samples=(sample,), recipes=(recipe or "*",))
    environment = podman_environment(find_folders().engine)
    source, why = choose_source(bases, book, processes, environment)
    plan = make_plan(book, load_samples(project.samples), selection, source=source, platform=this_platform())
    if len(plan.cells) != 1:
        there = ", ".join(cell.id for cell in plan.cells)
        raise SelectionError(f"'{cell_id}' is not one cell; there are: {there}")
    cell, lock = plan.cells[0], read_lock(project.lock)
    named = {job: pinned_reference(job.reference, lock.registry.get(job.reference)) for job in root_jobs(book, source)}
    teller(view)(why)
    if source == "bootstrap":
        teller(view)(f"images named {OWN_NAMES}... are made by `invoke bases`")
    return render_containerfile(cell, named)
