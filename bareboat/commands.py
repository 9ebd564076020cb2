"""What the tasks do: from the words of a command line to the text and exit code that answer it."""

from __future__ import annotations

import json
import os
import platform as machine
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from tabulate import tabulate

from bareboat import doctor
from bareboat.containerfile import render as render_containerfile
from bareboat.engine import OWN_NAMES
from bareboat.errors import EngineError, HostError, ResultError, SelectionError
from bareboat.files import write_whole
from bareboat.listing import list_plan, list_recipes, list_samples
from bareboat.lock import Lock, read_lock, write_lock
from bareboat.matrix import Bases, choose_source, new_pins, run_matrix
from bareboat.plan import PLATFORMS, Plan, Platform, Selection, make_plan, root_jobs
from bareboat.podmanconf import podman_environment
from bareboat.progress import make_progress
from bareboat.recipe import load_recipes, recipe_schema
from bareboat.report import Format, readme_table, render, replace_block, results_page
from bareboat.resultfile import hosts, load_all, sweep
from bareboat.roots import pinned_reference
from bareboat.sample import Sample, load_crate, load_samples
from bareboat.session import find_folders, remove, session
from bareboat.tomlfile import did_you_mean
from bareboat.workshop import RootImage, Workshop

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bareboat.process import Processes
    from bareboat.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """The folders a command works on: the checkout's own, or those of the folder that the user stands in."""

    root: Path

    @property
    def recipes(self) -> Path:
        """Recipes, toolchains, the lock."""
        return self.root / "recipes"

    @property
    def lock(self) -> Path:
        """What the recipes were resolved to."""
        return self.recipes / "recipes.lock"

    @property
    def samples(self) -> Path:
        """One crate a folder."""
        return self.root / "rust-samples"

    @property
    def results(self) -> Path:
        """What was measured, a folder a host."""
        return self.root / "results"


def find_project(checkout: Path) -> Project:
    """The project in the folder that the user stands in, if it has recipes, else the checkout of Bareboat itself."""
    here = Path.cwd()
    return Project(root=here if (here / "recipes").is_dir() else checkout)


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixOptions:
    """The options of build-matrix; `results` None means the project's own, whose pages are then written anew."""

    samples: tuple[str, ...] = ()
    recipes: tuple[str, ...] = ()
    crate: Path | None = None
    jobs: int = 0
    bases: Bases = "auto"
    force: bool = False
    locked: bool = False
    keep_going: bool = True
    format: Format = "text"
    results: Path | None = None


def build_matrix(project: Project, options: MatrixOptions, processes: Processes, view: TextIO) -> tuple[str, int]:
    """Build, run, measure and tabulate; the exit code is 1 when a cell failed. Progress goes to `view`."""
    book = load_recipes(project.recipes)
    samples = _samples(project, options.crate)
    selection = Selection(samples=options.samples, recipes=options.recipes)
    make_plan(book, samples, selection, source="registry", platform=this_platform())  # a wrong name ends it here
    results_root = options.results or project.results
    with session(processes, find_folders(), _teller(view)) as running:
        source, why = choose_source(options.bases, book, processes, running.environment)
        _teller(view)(why)
        plan = make_plan(book, samples, selection, source=source, platform=this_platform())
        workshop = _workshop(project, running, processes, options, results_root)
        running.claim([job.reference for job in root_jobs(book, source)])
        progress = make_progress(view, len(plan.jobs))
        run = run_matrix(workshop, plan, progress, options.jobs or os.cpu_count() or 1, keep_going=options.keep_going)
        pinned = new_pins(workshop.lock, plan.jobs, run.outputs)
    if pinned != workshop.lock:
        write_lock(pinned, project.lock)
    code = 1 if run.failed else 0
    if options.results is None:
        try:
            write_pages(project)
        except ResultError as error:
            _teller(view)(f"the pages of results/ are not written anew:\n{error}")
            code = ResultError.exit_code
    if run.idle:
        _teller(view)(f"nothing to do: all {len(run.results)} cells are unchanged (--force does them again)")
    return render(run.results, options.format), code


def make_roots(project: Project, bases: Bases, processes: Processes, view: TextIO, *, renew: bool) -> tuple[str, int]:
    """Make or pull every base and toolchain; `renew` makes them anew and writes the lock anew."""
    book = load_recipes(project.recipes)
    with session(processes, find_folders(), _teller(view)) as running:
        source, why = choose_source(bases, book, processes, running.environment)
        _teller(view)(why)
        plan = Plan(source=source, platform=this_platform(), jobs=root_jobs(book, source), skipped=())
        old = Lock() if renew else read_lock(project.lock)
        options = MatrixOptions()
        workshop = _workshop(project, running, processes, options, project.results, lock=old, renew=renew)
        running.claim([job.reference for job in root_jobs(book, source)])
        run = run_matrix(workshop, plan, make_progress(view, len(plan.jobs)), os.cpu_count() or 1)
        pinned = new_pins(old, plan.jobs, run.outputs)
    if renew and not run.failed:
        # A run that used registries says nothing new of the packages, nor the other way round.
        known = read_lock(project.lock)
        pinned = Lock(registry={**known.registry, **pinned.registry}, bootstrap={**known.bootstrap, **pinned.bootstrap})
    if not run.failed:
        write_lock(pinned, project.lock)
    roots = [output for output in run.outputs if isinstance(output, RootImage)]
    rows = [(root.source.reference, root.status, root.source.digest[:19], len(root.packages)) for root in roots]
    return tabulate(rows, ("Image", "Status", "Digest", "Packages")), 1 if run.failed else 0


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


def print_report(project: Project, format: Format, host: str) -> str:  # noqa: A002 (the option's name)
    """One host's results, or every host's; the pages are written anew."""
    there = hosts(project.results)
    if host and host not in there:
        raise SelectionError(f"no results of host '{host}'{did_you_mean(host, there)}")
    write_pages(project)
    results = [result for name in ([host] if host else there) for result in load_all(project.results / name)]
    return render(results, format)


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
    path = Path(__file__).with_name("recipe.schema.json")
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
    base = named[cell.base] if cell.base else "scratch"
    _teller(view)(why)
    if source == "bootstrap":
        _teller(view)(f"images named {OWN_NAMES}... are made by `invoke bases`")
    return render_containerfile(cell, named[cell.program.toolchain], base)


def clean(processes: Processes, view: TextIO) -> str:
    """Remove Bareboat's containers, images and caches; nothing else."""
    folders = find_folders()
    with session(processes, folders, _teller(view)) as running:
        removed = running.engine.clean()
    remove(processes, folders.cache, folders.bootstrap)
    return "\n".join([*(f"removed {name}" for name in removed), f"removed {folders.cache}"])


def write_pages(project: Project) -> None:
    """Write results/README.md anew, and the README's tables of the hosts that it names in `<!-- bareboat:HOST -->`."""
    measured = {host: load_all(project.results / host) for host in hosts(project.results)}
    write_whole(project.results / "README.md", results_page(measured).encode())
    readme = project.root / "README.md"
    old = text = readme.read_text(encoding="utf-8") if readme.exists() else ""
    for host, results in measured.items():
        if f"<!-- bareboat:{host} -->" in text:
            text = replace_block(text, host, readme_table(results))
    if text != old:
        write_whole(readme, text.encode())


def this_platform() -> Platform:
    """The platform that images are built for: this machine's."""
    name = machine.machine()
    if name not in PLATFORMS:
        raise HostError(f"images for {name} are not known; there are: {', '.join(PLATFORMS)}")
    return PLATFORMS[name]


def _samples(project: Project, crate: Path | None) -> tuple[Sample, ...]:
    return (load_crate(crate),) if crate else load_samples(project.samples)


def _workshop(
    project: Project,
    running: Session,
    processes: Processes,
    options: MatrixOptions,
    results: Path,
    *,
    lock: Lock | None = None,
    renew: bool = False,
) -> Workshop:
    host = running.engine.host()
    sweep(results / host.name)
    return Workshop(
        engine=running.engine,
        processes=processes,
        folders=running.folders,
        recipes=project.recipes,
        results=results / host.name,
        lock=read_lock(project.lock) if lock is None else lock,
        locked=options.locked,
        force=options.force,
        renew=renew,
        host=host,
        commit=_commit(project, processes),
    )


def _commit(project: Project, processes: Processes) -> str:
    try:
        return processes.run(["git", "-C", str(project.root), "rev-parse", "HEAD"]).strip()
    except (EngineError, HostError):
        return ""  # not a checkout, or one without a commit


def _teller(view: TextIO) -> Callable[[str], None]:
    def tell(text: str) -> None:
        view.write(f"{text}\n")
        view.flush()

    return tell
