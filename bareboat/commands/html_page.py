"""The page of results: what goes into it, and the files that `invoke report --write` publishes of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bareboat.commands.ask import complete
from bareboat.commands.plan_inputs import load_project
from bareboat.errors import HostError, SampleError
from bareboat.inputs.load_recipes import load_recipes
from bareboat.inputs.lock import pinned_reference, read_lock
from bareboat.inputs.toolchain_packages import extend_toolchains
from bareboat.matrix.mend import remember
from bareboat.plan.containerfile import render_containerfile
from bareboat.plan.jobs import PLATFORMS
from bareboat.plan.planner import PlanInputs, plan_cell, root_jobs
from bareboat.report import replace_block
from bareboat.result.values import Skipped
from bareboat.system.files import write_whole

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType
    from typing import TypeAlias

    from bareboat.commands.project import Project
    from bareboat.inputs.recipe import RecipeBook
    from bareboat.inputs.sample import Sample
    from bareboat.page.values import PageInput, Point
    from bareboat.plan.jobs import BaseSource
    from bareboat.result.values import Result

    Hosts: TypeAlias = Mapping[str, tuple[Result, ...]]
    # By host and cell, the oldest first.
    History: TypeAlias = Mapping[str, Mapping[str, tuple[Point, ...]]]

DEFAULT = Path("bareboat.html")
_PLATFORMS = {str(platform): platform for platform in PLATFORMS.values()}


def make_html(
    project: Project,
    hosts: Hosts,
    *,
    crate: Path | None = None,
    kept: Path | None = None,
    history: History | None = None,
) -> str:
    """The page of these results, of the samples' or of a crate's, whose runs kept theirs in `kept`.

    Raises HostError where what draws the charts is not installed.
    """
    return str(_page().make_page(_gather(project, hosts, crate=crate, kept=kept, history=history or {})))


def write_html(project: Project, hosts: Hosts, history: History | None = None) -> None:
    """Publish the page, the chart that stands alone, and the chart of which base to take."""
    page, docs = _page(), project.root / "docs"
    found = _gather(project, hosts, history=history or {})
    write_whole(docs / "results.html", page.make_page(found).encode())
    lead = page.lead_of(hosts)
    if chart := page.front_chart(hosts[lead]):
        write_whole(docs / "size-and-start-up.svg", chart.encode())
    choose = docs / "choose-a-base.md"
    if choose.exists():
        text = choose.read_text(encoding="utf-8")
        write_whole(choose, replace_block(text, "choice", page.choice_chart(hosts[lead])).encode())


def _page() -> ModuleType:
    """What makes pages, which few installations have; raises HostError with what mends that."""
    try:
        from bareboat import page
    except ModuleNotFoundError as error:
        raise HostError(
            f"the page needs {error.name}, which is not installed\n"
            "  pip install 'bareboat[page]', or in a checkout: ./setup.sh"
        ) from error
    return page


def _gather(
    project: Project, hosts: Hosts, *, crate: Path | None = None, kept: Path | None = None, history: History
) -> PageInput:
    page, bench = _page(), project.root / "bench"
    loads, allocators = bench / "load.md", bench / "allocators.json"
    own = crate is None
    found: PageInput = page.PageInput(
        title=f"Bareboat: {crate.resolve().name if crate else 'base images measured'}",
        hosts=hosts,
        summaries={recipe.name: recipe.summary for recipe in load_recipes(project.recipes).recipes},
        containerfiles=_containerfiles(project, hosts, crate, kept),
        history=history,
        loads=page.read_loads(loads.read_text(encoding="utf-8")) if own and loads.exists() else (),
        curves=page.read_allocators(allocators.read_bytes()) if own and allocators.exists() else (),
    )
    return found


def _containerfiles(project: Project, hosts: Hosts, crate: Path | None, kept: Path | None) -> dict[str, str]:
    """The Containerfile of each cell that today's recipes and samples still have."""
    try:
        book, samples = load_project(project, crate)
    except SampleError:
        if crate is None:
            raise
        # Of a workspace cargo would have to be asked, which takes an engine: `bareboat containerfile` does it.
        return {}
    if crate:
        book, samples = extend_toolchains(book, samples), remember(samples, kept) if kept else samples
    named = {sample.name: sample for sample in samples}
    lock = {platform: read_lock(project.lock, _PLATFORMS[platform].architecture) for platform in _PLATFORMS}
    texts = {}
    for result in (one for results in hosts.values() for one in results):
        sample = named.get(result.sample)
        if sample and result.platform in lock and not isinstance(result.outcome, Skipped):
            texts[result.cell] = _containerfile(result, sample, book, lock[result.platform].registry)
    return texts


def _containerfile(result: Result, sample: Sample, book: RecipeBook, pins: Mapping[str, str]) -> str:
    made = result.provenance.toolchain.kind if result.provenance else "bootstrap"
    source: BaseSource = "registry" if made == "registry" else "bootstrap"
    inputs = PlanInputs(book=book, source=source, platform=_PLATFORMS[result.platform])
    cell = complete(plan_cell(sample, book.recipe(result.recipe), inputs), result, lambda _: None)
    references = {job: pinned_reference(job.reference, pins.get(job.reference)) for job in root_jobs(book, source)}
    return render_containerfile(cell, references)
