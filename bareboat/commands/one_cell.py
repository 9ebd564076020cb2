"""One cell, of the samples or of a crate of the user's own: found by its name, and made where it does not stand."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TextIO

from bareboat.commands.last_results import last_results
from bareboat.commands.mended_run import carry_out_mended
from bareboat.commands.open_run import Order, WorkOptions
from bareboat.commands.plan_inputs import OwnCrate, kept_results, load_own, teller
from bareboat.errors import BareboatError, SelectionError
from bareboat.plan.planner import plan_named_cell
from bareboat.report import find_best
from bareboat.result.values import Failed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bareboat.commands.project import Project
    from bareboat.inputs.sample import Sample
    from bareboat.plan.jobs import Cell, Plan
    from bareboat.plan.planner import PlanInputs
    from bareboat.result.values import Result
    from bareboat.system.process import Processes


@dataclass(frozen=True, slots=True, kw_only=True)
class CellOptions(OwnCrate):
    """The words that name a cell."""

    cell: str = ""  # SAMPLE@RECIPE; with a crate the recipe alone will do, and without one it is the recommended


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeCell:
    """A cell whose image is in the store."""

    cell: Cell
    result: Result
    image_id: str

    @property
    def failed(self) -> Failed | None:
        """Why it does not do what it should; None where it does."""
        return self.result.outcome if isinstance(self.result.outcome, Failed) else None


def make_one_cell(project: Project, options: CellOptions, processes: Processes, view: TextIO) -> MadeCell:
    """Build, run and measure a cell, as far as that does not stand; raises BareboatError where it has no image."""
    kept = kept_results(project, options.crate)
    book, samples = load_own(project, options, processes, view, memory=kept)
    if not (options.cell or options.crate):
        raise SelectionError("which cell? Say SAMPLE@RECIPE, such as hello-world@scratch-musl; `invoke plan` has all")
    last = last_results(project, options.crate) if options.crate and not options.cell else ()
    name = choose_cell(options.cell, samples, last, teller(view)) if options.crate else options.cell
    planned = partial(_planned, name)
    order = Order(book=book, samples=samples, bases=options.bases, plan=planned(samples))
    carried = carry_out_mended(project, order, processes, view, WorkOptions(results=kept), planned=planned)
    result = carried.run.results[0]
    if result.provenance is None:
        outcome = result.outcome
        why = f"{outcome.reason}\n{outcome.detail}".rstrip() if isinstance(outcome, Failed) else "it was not tried"
        raise BareboatError(f"{result.cell} came to no image: {why}")
    return MadeCell(cell=carried.plan.cells[0], result=result, image_id=result.provenance.image_id)


def _planned(cell: str, samples: tuple[Sample, ...]) -> Callable[[PlanInputs], Plan]:
    return partial(plan_named_cell, samples=samples, cell_id=cell)


def choose_cell(word: str, samples: Sequence[Sample], last: Sequence[Result], tell: Callable[[str], None]) -> str:
    """The cell of the user's own program that is meant; where nothing is said, of the `last` results the best is."""
    sample = samples[0]
    if word:
        return word if "@" in word else f"{sample.name}@{word}"
    found = [result for result in last if result.sample == sample.name]
    best = find_best(found)
    if best is None:
        raise SelectionError(
            f"which base for {sample.name}? Say a recipe, such as scratch-musl; `invoke build-matrix` finds the best"
        )
    tell(f"{best.cell}: the best of the {len(found)} that were measured")
    return best.cell
