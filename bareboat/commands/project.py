"""The folders a command works on, and what most commands need: the platform, the workshop, the pages."""

from __future__ import annotations

import contextlib
import os
import platform as machine
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from bareboat.check.trace import find_tracer
from bareboat.errors import EngineError, HostError
from bareboat.inputs.lock import Lock, read_lock, write_lock
from bareboat.inputs.sample import Sample, load_crate, load_samples
from bareboat.make.context import Workshop
from bareboat.matrix.progress import make_progress
from bareboat.matrix.run import new_pins, run_matrix
from bareboat.matrix.source import choose_source
from bareboat.plan.jobs import PLATFORMS, Platform
from bareboat.plan.planner import Port, root_jobs
from bareboat.podman_engine.session import session
from bareboat.report import (
    conformance_tables,
    predictions_page,
    readme_table,
    replace_block,
    results_page,
    service_table,
)
from bareboat.result.store import hosts, load_all, sweep
from bareboat.system.files import write_whole
from bareboat.system.folders import find_folders

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from bareboat.inputs.recipe import RecipeBook
    from bareboat.matrix.run import MatrixRun
    from bareboat.matrix.source import Bases
    from bareboat.plan.jobs import BaseSource, Plan
    from bareboat.result.values import Result
    from bareboat.system.process import Processes


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


def this_platform() -> Platform:
    """The platform that images are built for: this machine's."""
    name = machine.machine()
    if name not in PLATFORMS:
        raise HostError(f"images for {name} are not known; there are: {', '.join(PLATFORMS)}")
    return PLATFORMS[name]


def chosen_samples(project: Project, crate: Path | None) -> tuple[Sample, ...]:
    """The project's samples, or the user's own crate in place of them."""
    return load_crate(crate) if crate else load_samples(project.samples)


def find_harbor(samples: Iterable[Sample]) -> Sample | None:
    """The crate of the instrument that services are held to, where there are any; it is part of Bareboat."""
    harbor = Path(__file__).parents[1] / "harbor"
    return load_crate(harbor)[0] if any(sample.service for sample in samples) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOptions:
    """Where bases come from and how a workshop works; `lock` None means the project's own, as does `results`."""

    bases: Bases = "auto"
    locked: bool = False
    force: bool = False
    renew: bool = False
    lock: Lock | None = None
    results: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Yard:
    """An open session with its workshop, and where the bases of this run come from."""

    project: Project
    workshop: Workshop
    source: BaseSource
    view: TextIO

    def port(self, book: RecipeBook, samples: Iterable[Sample]) -> Port:
        """What every cell of these samples that is planned here has in common."""
        return Port(book=book, source=self.source, platform=this_platform(), harbor=find_harbor(samples))

    def run(self, plan: Plan, *, jobs: int = 0, keep_going: bool = True) -> MatrixRun:
        """Run a plan with its progress on the view, and pin what it resolved that the lock does not name yet."""
        progress = make_progress(self.view, len(plan.jobs))
        run = run_matrix(self.workshop, plan, progress, jobs or os.cpu_count() or 1, keep_going=keep_going)
        pinned = new_pins(self.workshop.lock, plan.jobs, run.outputs)
        if pinned != self.workshop.lock and not self.workshop.renew:
            write_lock(pinned, self.project.lock)
        return run


@contextlib.contextmanager
def open_yard(
    project: Project, book: RecipeBook, processes: Processes, view: TextIO, work: WorkOptions
) -> Iterator[Yard]:
    """Hold the session that every build needs; says where bases come from."""
    tell = teller(view)
    with session(processes, find_folders(), tell) as running:
        source, why = choose_source(work.bases, book, processes, running.environment)
        tell(why)
        host = running.engine.host()
        results = (work.results or project.results) / host.name
        sweep(results)
        workshop = Workshop(
            engine=running.engine,
            processes=processes,
            folders=running.folders,
            recipes=project.recipes,
            results=results,
            lock=read_lock(project.lock) if work.lock is None else work.lock,
            locked=work.locked,
            force=work.force,
            renew=work.renew,
            host=host,
            commit=_commit(project, processes),
            # A remote engine cannot mount this machine's files.
            tracer=None if os.environ.get("CONTAINER_HOST") else find_tracer(running.folders.engine / "tracer"),
        )
        running.claim([job.reference for job in root_jobs(book, source)])
        yield Yard(project=project, workshop=workshop, source=source, view=view)


def write_pages(project: Project) -> None:
    """Write the generated pages anew, and the README's tables: those it names in `<!-- bareboat:HOST SAMPLE -->`."""
    measured = {host: load_all(project.results / host) for host in hosts(project.results)}
    write_whole(project.results / "README.md", results_page(measured).encode())
    write_whole(project.root / "docs" / "predictions.md", predictions_page(measured).encode())
    conformance = project.root / "docs" / "conformance.md"
    if conformance.exists():
        text = replace_block(conformance.read_text(encoding="utf-8"), "conformance", conformance_tables(measured))
        write_whole(conformance, text.encode())
    readme = project.root / "README.md"
    old = text = readme.read_text(encoding="utf-8") if readme.exists() else ""
    for host, results in measured.items():
        for crate in sorted({result.sample.partition("+")[0] for result in results}):
            name = f"{host} {crate}"
            if f"<!-- bareboat:{name} -->" in text:
                text = replace_block(text, name, crate_table(rows_of(results, crate)))
    if text != old:
        write_whole(readme, text.encode())


def crate_table(results: Sequence[Result]) -> str:
    """The README's table of a crate and its variants."""
    return service_table(results) if any(result.probes for result in results) else readme_table(results)


def rows_of(results: Iterable[Result], crate: str) -> tuple[Result, ...]:
    """What the README's table of a crate shows: its cells and its variants', without those that are made to fail."""
    own = (result for result in results if result.sample.partition("+")[0] == crate)
    return tuple(result for result in own if not result.fails_as_expected)


def teller(view: TextIO) -> Callable[[str], None]:
    """What says a line on `view`, at once."""

    def tell(text: str) -> None:
        view.write(f"{text}\n")
        view.flush()

    return tell


def _commit(project: Project, processes: Processes) -> str:
    try:
        return processes.run(["git", "-C", str(project.root), "rev-parse", "HEAD"]).strip()
    except (EngineError, HostError):
        return ""  # not a checkout, or one without a commit
