"""Commands that build: the matrix, the images to build on, and the removal of all that was built."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path  # noqa: TC003 (the console reads the types of options)
from typing import TYPE_CHECKING, TextIO

from tabulate import tabulate

from bareboat.commands.project import (
    Project,
    WorkOptions,
    chosen_samples,
    open_yard,
    teller,
    this_platform,
    write_pages,
)
from bareboat.errors import ResultError
from bareboat.inputs.load_recipes import load_recipes
from bareboat.inputs.lock import Lock, read_lock, write_lock
from bareboat.make.context import RootImage
from bareboat.matrix.run import new_pins
from bareboat.plan.jobs import Plan, Selection
from bareboat.plan.planner import make_plan, root_jobs
from bareboat.podman_engine.session import session
from bareboat.report import Format, render
from bareboat.system.folders import find_folders, remove

if TYPE_CHECKING:
    from bareboat.matrix.source import Bases
    from bareboat.system.process import Processes


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixOptions:
    """The options of build-matrix; `results` None means the project's own, whose pages are then written anew.

    `all` prints the cells too that fail as their recipes say.
    """

    sample: tuple[str, ...] = ()
    recipe: tuple[str, ...] = ()
    crate: Path | None = None
    jobs: int = 0
    bases: Bases = "auto"
    force: bool = False
    locked: bool = False
    keep_going: bool = True
    format: Format = "text"
    results: Path | None = None
    all: bool = False


def build_matrix(project: Project, options: MatrixOptions, processes: Processes, view: TextIO) -> tuple[str, int]:
    """Build, run, measure and tabulate; the exit code is 1 when a cell failed. Progress goes to `view`."""
    book = load_recipes(project.recipes)
    samples = chosen_samples(project, options.crate)
    selection = Selection(samples=options.sample, recipes=options.recipe)
    make_plan(book, samples, selection, source="registry", platform=this_platform())  # a wrong name ends it here
    work = WorkOptions(bases=options.bases, locked=options.locked, force=options.force, results=options.results)
    with open_yard(project, book, processes, view, work) as yard:
        port = yard.port(book, samples)
        plan = make_plan(book, samples, selection, source=port.source, platform=port.platform, harbor=port.harbor)
        run = yard.run(plan, jobs=options.jobs, keep_going=options.keep_going)
    tell, code = teller(view), 1 if run.failed else 0
    if options.results is None:
        try:
            write_pages(project)
        except ResultError as error:
            tell(f"the pages of results/ are not written anew:\n{error}")
            code = ResultError.exit_code
    if run.idle:
        tell(f"nothing to do: all {len(run.results)} cells are unchanged (--force does them again)")
    shown = [result for result in run.results if options.all or not result.fails_as_expected]
    if hidden := len(run.results) - len(shown):
        tell(f"{hidden} cells fail as expected (--all prints them)")
    return render(shown, options.format), code


def make_roots(project: Project, bases: Bases, processes: Processes, view: TextIO, *, renew: bool) -> tuple[str, int]:
    """Make or pull every image to build on or copy from; `renew` makes them anew and writes the lock anew."""
    book, known = load_recipes(project.recipes), read_lock(project.lock)
    work = WorkOptions(bases=bases, lock=Lock() if renew else known, renew=renew)
    with open_yard(project, book, processes, view, work) as yard:
        jobs = root_jobs(book, yard.source)
        run = yard.run(Plan(source=yard.source, platform=this_platform(), jobs=jobs, skipped=()))
        pinned = new_pins(yard.workshop.lock, jobs, run.outputs)
    if renew and not run.failed:
        # A run that used registries says nothing new of the packages, nor the other way round.
        pinned = Lock(registry={**known.registry, **pinned.registry}, bootstrap={**known.bootstrap, **pinned.bootstrap})
        write_lock(pinned, project.lock)
    roots = [output for output in run.outputs if isinstance(output, RootImage)]
    rows = [(root.source.reference, root.status, root.source.digest[:19], len(root.packages)) for root in roots]
    return tabulate(rows, ("Image", "Status", "Digest", "Packages")), 1 if run.failed else 0


def clean(processes: Processes, view: TextIO) -> str:
    """Remove Bareboat's containers, images and caches; nothing else."""
    folders = find_folders()
    with session(processes, folders, teller(view)) as running:
        removed = running.engine.clean()
    remove(processes, folders.cache, folders.bootstrap)
    return "\n".join([*(f"removed {name}" for name in removed), f"removed {folders.cache}"])
