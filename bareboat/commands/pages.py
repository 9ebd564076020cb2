"""`invoke report`: what was measured, and what is published of it: results/, docs/ and the tables of the README."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from bareboat.commands.history import cell_history
from bareboat.commands.html_page import DEFAULT, make_html, write_html
from bareboat.commands.plan_inputs import kept_results, load_gauge, load_harbor, teller
from bareboat.commands.shown import read_columns, show_results, terminal_of
from bareboat.errors import InputError, SelectionError
from bareboat.inputs.crew import load_crew
from bareboat.inputs.ladder import PLAIN, path_to, read_ladder
from bareboat.inputs.load_recipes import load_recipes
from bareboat.inputs.load_samples import load_samples
from bareboat.inputs.lock import read_lock
from bareboat.inputs.tomlfile import did_you_mean
from bareboat.matrix.changes import Today, find_changes, is_gone
from bareboat.plan.planner import published_sizes
from bareboat.report import (
    Format,
    conformance_tables,
    find_ladders,
    join_published,
    ladder_markdown,
    predictions_page,
    readme_table,
    replace_block,
    results_page,
    service_table,
)
from bareboat.result.store import hosts, load_all, save
from bareboat.system.files import write_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from bareboat.commands.project import Project
    from bareboat.report import Ladder
    from bareboat.result.values import Result
    from bareboat.system.process import Processes

# How many cells a line of what is amiss names.
_NAMED = 3
# The sample that docs/small.md shows the steps of the ladder of.
_SMALLEST = "smallest"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """The results of a project."""

    hosts: dict[str, tuple[Result, ...]]  # by host, those whose recipe and sample there are, with published sizes
    gone: tuple[str, ...]  # `HOST/CELL` of all others
    old: tuple[str, ...]  # of `hosts`, those that today's recipes, samples, lock or code would measure again

    def tell(self, tell: Callable[[str], None]) -> None:
        """Say what is left out, and what is shown though it is old, in a line each."""
        if self.gone:
            tell(f"left out, for their recipe or sample is gone: {_listed(self.gone)}")
        if self.old:
            cure = "`invoke lock` pins the packages that there are now, `invoke build-matrix` measures again"
            tell(f"older than today's recipes, samples, lock or code: {_listed(self.old)}; {cure}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportOptions:
    """The options of report."""

    format: Format = "text"
    columns: tuple[str, ...] = ()  # of the table
    host: str = ""  # every one where none is named
    all: bool = False  # print the cells too that fail as their recipes say
    crate: Path | None = None  # a crate of the user's own, in place of the samples
    write: bool = False  # publish what was measured of the samples
    html: str | bool = ""  # the file that a page is written to; True for one of that name which pages have


def print_report(project: Project, options: ReportOptions, processes: Processes, view: TextIO) -> tuple[str, int]:
    """One host's results, or every host's; `view` hears what is left out."""
    if options.write and options.crate:
        raise InputError("--write publishes what was measured of a project's samples; a crate's results are its own")
    columns = read_columns(options.columns, options.format)
    kept = load_kept(kept_results(project, options.crate))
    if options.write:
        _publish(project, kept)
        write_pages(project)
    measured = kept if options.crate else load_results(project, kept, teller(view)).hosts
    if options.host and options.host not in measured:
        raise SelectionError(f"no results of host '{options.host}'{did_you_mean(options.host, sorted(measured))}")
    if not measured:
        raise SelectionError("nothing was measured yet: `invoke build-matrix` does it")
    if options.html:
        measured = {options.host: measured[options.host]} if options.host else measured
        return _write_html(project, options, measured, processes), 0
    shown = {
        name: [result for result in measured[name] if options.all or not result.fails_as_expected]
        for name in ([options.host] if options.host else sorted(measured))
    }
    if len(shown) > 1 and terminal_of(options.format):
        # What tells the machines apart is too wide for a column of a terminal.
        tables = (show_results(shown[name], options.format, columns, wide=True) for name in shown)
        return "\n".join(f"{name}\n{'=' * len(name)}\n\n{table}" for name, table in zip(shown, tables, strict=True)), 0
    results = [result for name in shown for result in shown[name]]
    return show_results(results, options.format, columns, wide=not options.crate), 0


def _write_html(
    project: Project, options: ReportOptions, measured: Mapping[str, tuple[Result, ...]], processes: Processes
) -> str:
    """Write the page, without any password, and say where it is."""
    path = DEFAULT if options.html is True else Path(str(options.html))
    kept = kept_results(project, options.crate) if options.crate else None
    history = {} if options.crate else cell_history(project, processes)
    text = processes.clean(make_html(project, measured, crate=options.crate, kept=kept, history=history))
    write_whole(path, text.encode(errors="replace"))
    return f"{path}: open it in a browser"


def load_kept(folder: Path) -> dict[str, tuple[Result, ...]]:
    """The results that runs kept in a folder, by host."""
    return {host: load_all(folder / host) for host in hosts(folder)}


def _publish(project: Project, kept: Mapping[str, tuple[Result, ...]]) -> None:
    """Put what runs kept in the place of what is published of the same cells, but for what was measured later."""
    for host, results in kept.items():
        folder = project.results / host
        published = {one.cell: one for one in load_all(folder)}
        for result in results:
            if not _is_older(result, published.get(result.cell)):
                save(result, folder)


def _is_older(result: Result, other: Result | None) -> bool:
    """Whether a result was measured before another of its cell."""
    here, there = result.provenance, other.provenance if other else None
    return here is not None and there is not None and here.measured_at < there.measured_at


def _newest(published: Iterable[Result], kept: Iterable[Result]) -> tuple[Result, ...]:
    found = {result.cell: result for result in published}
    found |= {result.cell: result for result in kept if not _is_older(result, found.get(result.cell))}
    return tuple(found[cell] for cell in sorted(found))


def load_today(project: Project) -> Today:
    """What the project's results are held to."""
    book, samples = load_recipes(project.recipes), load_samples(project.samples)
    served = any(sample.service for sample in samples)
    return Today(
        book=book,
        samples=samples,
        harbor=load_harbor() if served else None,
        gauge=load_gauge(),
        crew=load_crew(),
        lock=read_lock(project.lock),
        recipes=project.recipes,
    )


def load_results(
    project: Project, kept: Mapping[str, tuple[Result, ...]] | None = None, tell: Callable[[str], None] = lambda _: None
) -> Measured:
    """What is published of every host, with what runs kept in its place; `tell` hears what is amiss with them."""
    today, there = load_today(project), kept or {}
    sizes = published_sizes(today.book, today.samples)
    found = {
        host: join_published(_newest(load_all(project.results / host), there.get(host, ())), sizes)
        for host in sorted({*hosts(project.results), *there})
    }
    shown = {host: tuple(result for result in results if not is_gone(result, today)) for host, results in found.items()}
    measured = Measured(
        hosts=shown,
        gone=tuple(
            f"{host}/{result.cell}" for host, results in found.items() for result in results if is_gone(result, today)
        ),
        old=tuple(
            f"{host}/{result.cell}" for host, results in shown.items() for result in results if is_old(result, today)
        ),
    )
    measured.tell(tell)
    return measured


def is_old(result: Result, today: Today) -> bool:
    """Whether another result would be measured today; what came to no toolchain has no key to tell it by."""
    return result.provenance is not None and bool(find_changes(result, today))


def write_pages(project: Project) -> None:
    """Write the generated pages anew, and the README's tables: those it names in `<!-- bareboat:HOST SAMPLE -->`."""
    measured = load_results(project).hosts
    write_whole(project.results / "README.md", results_page(measured).encode())
    write_whole(project.root / "docs" / "predictions.md", predictions_page(measured).encode())
    conformance = project.root / "docs" / "conformance.md"
    if conformance.exists():
        text = replace_block(conformance.read_text(encoding="utf-8"), "conformance", conformance_tables(measured))
        write_whole(conformance, text.encode())
    small, ladders = project.root / "docs" / "small.md", published_ladders(measured)
    if small.exists() and ladders:
        write_whole(
            small, replace_block(small.read_text(encoding="utf-8"), "ladder", ladder_markdown(ladders)).encode()
        )
    write_html(project, measured)
    readme = project.root / "README.md"
    old = text = readme.read_text(encoding="utf-8") if readme.exists() else ""
    for host, results in measured.items():
        for crate in sorted({result.sample.partition("+")[0] for result in results}):
            name = f"{host} {crate}"
            if f"<!-- bareboat:{name} -->" in text:
                text = replace_block(text, name, crate_table(rows_of(results, crate)))
    if text != old:
        write_whole(readme, text.encode())


def published_ladders(measured: Mapping[str, tuple[Result, ...]]) -> tuple[Ladder, ...]:
    """What the steps of the ladder came to of the sample that shows it, on the first host that has measured them."""
    paths = [path_to(step) for step in (PLAIN, *read_ladder())]
    for _, results in sorted(measured.items()):
        own = (result for result in results if result.sample.partition("+")[0] == _SMALLEST)
        if ladders := find_ladders(own, paths):
            return ladders
    return ()


def crate_table(results: Sequence[Result]) -> str:
    """The README's table of a crate and its variants."""
    return service_table(results) if any(result.probes for result in results) else readme_table(results)


def rows_of(results: Iterable[Result], crate: str) -> tuple[Result, ...]:
    """What the README's table of a crate shows: its cells and its variants', without those that are made to fail."""
    own = (result for result in results if result.sample.partition("+")[0] == crate)
    return tuple(result for result in own if not result.fails_as_expected)


def _listed(cells: Sequence[str]) -> str:
    more = f" and {len(cells) - _NAMED} more" if len(cells) > _NAMED else ""
    return f"{len(cells)} ({', '.join(cells[:_NAMED])}{more})"
