"""`invoke recommend`: which base to take, of those that were measured, for who needs this and that aboard."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path  # noqa: TC003 (the console reads the types of options)
from typing import TYPE_CHECKING, TextIO

from bareboat.check.needs import Aboard, check_needs, find_lacks, provision_of
from bareboat.commands.last_results import all_results, last_results
from bareboat.commands.plan_inputs import OwnCrate, kept_results, load_own, make_inputs, teller
from bareboat.errors import InputError, SelectionError
from bareboat.make.base_archive import find_base
from bareboat.plan.jobs import Selection
from bareboat.plan.planner import check_selection, plan_cell
from bareboat.report import recommend
from bareboat.report.cures import give, provision_bytes
from bareboat.report.figures import size_text
from bareboat.report.recommend import Unfit, nearest
from bareboat.report.table import group_by_sample, size_of
from bareboat.result.values import Passed
from bareboat.system.folders import find_folders

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bareboat.commands.project import Project
    from bareboat.inputs.recipe import Provision, RecipeBook
    from bareboat.inputs.sample import Sample
    from bareboat.plan.jobs import BaseSource
    from bareboat.report import Cure
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
    memory = options.results or kept_results(project, options.crate)
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
    picked = _Picked(book=book, samples=cells, limit=limit, needs=options.need, known=(*last, *all_results(project)))
    unfit = {one.cell: lack for one in results if (lack := picked.judge(one))}
    text = recommend(results, {recipe.name: recipe.summary for recipe in book.recipes}, unfit)
    hopeless = [group for _, group in group_by_sample(results) if not any(_fits(one, unfit) for one in group)]
    cures = [picked.cure(near) for group in hopeless if (near := nearest(group, unfit)) and unfit[near.cell].mendable]
    told = ("\n".join([cure.says, "", *(f"    {line}" for line in cure.lines)]) for cure in cures)
    return "\n".join([text, *told]), 1 if hopeless else 0


def _fits(result: Result, unfit: Mapping[str, Unfit]) -> bool:
    return isinstance(result.outcome, Passed) and result.cell not in unfit


@dataclass(frozen=True, slots=True, kw_only=True)
class _Picked:
    """What results are held to."""

    book: RecipeBook
    samples: Mapping[tuple[str, str], Sample]  # by sample and recipe
    needs: tuple[str, ...]
    limit: float | None  # bytes
    known: tuple[Result, ...]  # whose manifests tell what provisions weigh

    def judge(self, result: Result) -> Unfit | None:
        """Why a cell is not to be taken as it is; None where it is, and where it fails for another reason."""
        lacks, size = self._lacks(result), size_of(result) or 0
        if not isinstance(result.outcome, Passed) and not lacks:
            return None
        brought = all(provision_of(need, self.book) for need in lacks)
        whole = size + (self._cost(lacks) or 0 if brought else 0)
        if self.limit is not None and whole > self.limit:
            aboard = "" if size > self.limit else " with that aboard"
            return Unfit(has=(*lacks.values(), f"more than {size_text(self.limit)}{aboard}"))
        return Unfit(has=tuple(lacks.values()), mendable=brought) if lacks else None

    def cure(self, result: Result) -> Cure:
        """What brings aboard what a cell lacks, which is provisions alone."""
        lacks = self._lacks(result)
        return give(result.recipe, [one.name for one in self._provisions(lacks)], self._cost(lacks))

    def _lacks(self, result: Result) -> dict[str, str]:
        """What is needed and not aboard, by need; the program itself may need something, too."""
        needs = tuple(filter(None, dict.fromkeys((*self.needs, result.lacks))))
        if not needs or not (isinstance(result.outcome, Passed) or result.lacks):
            return {}
        made = result.provenance.toolchain.kind if result.provenance else "bootstrap"
        source: BaseSource = "registry" if made == "registry" else "bootstrap"
        sample = self.samples[result.sample, result.recipe]
        cell = plan_cell(sample, self.book.recipe(result.recipe), make_inputs(self.book, [sample], source))
        digest = result.provenance.base.digest if result.provenance else ""
        base = find_base(find_folders(), cell.base.name, digest) if cell.base else None
        return find_lacks(needs, Aboard(result=result, cell=cell, base=base), self.book)

    def _provisions(self, needs: Iterable[str]) -> list[Provision]:
        found = (provision_of(need, self.book) for need in needs)
        return list({one.name: one for one in found if one}.values())

    def _cost(self, needs: Iterable[str]) -> float | None:
        costs = [provision_bytes(one, self.known) for one in self._provisions(needs)]
        sizes = [cost for cost in costs if cost is not None]
        return sum(sizes) if len(sizes) == len(costs) else None


def read_size(text: str) -> float | None:
    """A size in bytes, in the units that the table prints; None of no text. Raises InputError."""
    found = _SIZE.fullmatch(text)
    if text and not found:
        raise InputError(f"--max-size {text}: it takes a size in powers of ten, such as 500kB, 10MB or 1.5GB")
    return float(found[1]) * _TIMES[found[2].lower()] if found else None
