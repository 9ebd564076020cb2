"""`invoke recommend`: which base to take, of those that were measured, for who needs this and that aboard."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path  # noqa: TC003 (the console reads the types of options)
from typing import TYPE_CHECKING, TextIO

from bareboat.check.needs import Aboard, check_needs, find_lacks, provision_of
from bareboat.commands.last_results import all_results, last_results
from bareboat.commands.plan_inputs import OwnCrate, load_own, make_inputs, own_results, teller
from bareboat.errors import InputError, SelectionError
from bareboat.make.base_archive import find_base
from bareboat.plan.jobs import Selection
from bareboat.plan.planner import check_selection, plan_cell
from bareboat.report import recommend
from bareboat.report.cures import give, provision_bytes
from bareboat.report.figures import size_text
from bareboat.report.recommend import nearest
from bareboat.report.table import size_of
from bareboat.result.values import Passed
from bareboat.system.folders import find_folders

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from bareboat.commands.project import Project
    from bareboat.inputs.recipe import RecipeBook
    from bareboat.inputs.sample import Sample
    from bareboat.plan.jobs import BaseSource
    from bareboat.result.values import Result
    from bareboat.system.process import Processes

_SIZE = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,6})?) ?([kMG]?)B?", re.IGNORECASE)
_TIMES = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9}


@dataclass(frozen=True, slots=True, kw_only=True)
class RecommendOptions(OwnCrate):
    """The options of recommend."""

    need: tuple[str, ...] = ()
    max_size: str = ""
    sample: tuple[str, ...] = ()
    all_bins: bool = False
    results: Path | None = None


def print_recommendation(
    project: Project, options: RecommendOptions, processes: Processes, view: TextIO
) -> tuple[str, int]:
    """The recommendation, restricted to what fits; where nothing does, what comes nearest, and exit code 1."""
    limit = read_size(options.max_size)
    memory = options.results or own_results(options.crate)
    book, samples = load_own(project, options, processes, view, all_bins=options.all_bins, memory=memory)
    check_needs(options.need, book)
    pairs = check_selection(book, samples, Selection(samples=options.sample, made_to_fail=False))
    cells = {(sample.name, recipe.name): sample for sample, recipe in pairs}
    last = last_results(project, options.crate, options.results)
    results = [one for one in last if (one.sample, one.recipe) in cells and not one.fails_as_expected]
    if not results:
        names = ", ".join(sorted({sample for sample, _ in cells}))
        raise SelectionError(f"nothing of {names} was measured here yet: `invoke build-matrix` measures it")
    if unmeasured := cells.keys() - {(one.sample, one.recipe) for one in last}:
        teller(view)(f"{len(unmeasured)} of {len(cells)} were not measured here: `invoke build-matrix` measures them")
    picked = _Picked(
        book=book, samples={result.cell: cells[result.sample, result.recipe] for result in results}, options=options
    )
    lacks = {result.cell: picked.lacks(result) for result in results if isinstance(result.outcome, Passed)}
    unfit = {cell: tuple(_reasons(lack, cell, results, limit)) for cell, lack in lacks.items()}
    unfit = {cell: reasons for cell, reasons in unfit.items() if reasons}
    text = recommend(results, {recipe.name: recipe.summary for recipe in book.recipes}, unfit)
    fits = [cell for cell in lacks if cell not in unfit]
    if fits or not unfit:
        return text, 0 if fits else 1
    known = (*last, *all_results(project))
    return "\n".join([text, *picked.say_cure(nearest(results, unfit), lacks, known)]), 1


@dataclass(frozen=True, slots=True, kw_only=True)
class _Picked:
    """What results are held to."""

    book: RecipeBook
    samples: Mapping[str, Sample]  # by cell
    options: RecommendOptions

    def lacks(self, result: Result) -> dict[str, str]:
        """What is needed and not aboard, by need."""
        made = result.provenance.toolchain.kind if result.provenance else "bootstrap"
        source: BaseSource = "registry" if made == "registry" else "bootstrap"
        sample = self.samples[result.cell]
        cell = plan_cell(sample, self.book.recipe(result.recipe), make_inputs(self.book, [sample], source))
        digest = result.provenance.base.digest if result.provenance else ""
        base = find_base(find_folders(), cell.base.name, digest) if cell.base and self.options.need else None
        return find_lacks(self.options.need, Aboard(result=result, cell=cell, base=base), self.book)

    def say_cure(
        self, near: Result | None, lacks: Mapping[str, Mapping[str, str]], known: Sequence[Result]
    ) -> Iterator[str]:
        """What brings aboard the nearest what it lacks, where all of that is provisions."""
        found = [provision_of(need, self.book) for need in lacks[near.cell]] if near else []
        provisions = list(dict.fromkeys(one for one in found if one))
        if near and provisions:
            costs = [provision_bytes(one, known) for one in provisions]
            sizes = [cost for cost in costs if cost is not None]
            cost = sum(sizes) if len(sizes) == len(costs) else None
            cure = give(near.recipe, [one.name for one in provisions], cost)
            yield "\n".join([cure.says, "", *(f"    {line}" for line in cure.lines)])


def read_size(text: str) -> float | None:
    """A size in bytes, in the units that the table prints; None of no text. Raises InputError."""
    found = _SIZE.fullmatch(text)
    if text and not found:
        raise InputError(f"--max-size {text}: it takes a size in powers of ten, such as 500kB, 10MB or 1.5GB")
    return float(found[1]) * _TIMES[found[2].lower()] if found else None


def _reasons(lacks: Mapping[str, str], cell: str, results: Iterable[Result], limit: float | None) -> Iterator[str]:
    yield from lacks.values()
    size = next(size_of(result) for result in results if result.cell == cell)
    if limit is not None and size is not None and size > limit:
        yield f"more than {size_text(limit)}"
