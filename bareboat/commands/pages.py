"""The pages that are generated from results: results/README.md, docs/, and the tables of the README."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bareboat.inputs.load_recipes import load_recipes
from bareboat.inputs.sample import load_samples
from bareboat.plan.planner import published_sizes
from bareboat.report import (
    conformance_tables,
    join_published,
    predictions_page,
    readme_table,
    replace_block,
    results_page,
    service_table,
)
from bareboat.result.store import hosts, load_all
from bareboat.system.files import write_whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from bareboat.commands.project import Project
    from bareboat.result.values import Result


def project_sizes(project: Project) -> dict[str, int]:
    """What others say that the images of the project's samples weigh, in bytes by the cell's id."""
    return published_sizes(load_recipes(project.recipes), load_samples(project.samples))


def load_results(folder: Path, sizes: Mapping[str, int]) -> dict[str, tuple[Result, ...]]:
    """Every host's results under `folder`, joined with the published sizes."""
    return {host: join_published(load_all(folder / host), sizes) for host in hosts(folder)}


def write_pages(project: Project) -> None:
    """Write the generated pages anew, and the README's tables: those it names in `<!-- bareboat:HOST SAMPLE -->`."""
    measured = load_results(project.results, project_sizes(project))
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
