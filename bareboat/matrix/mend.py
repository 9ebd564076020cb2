"""Mends what programs of the user's own lack in images from scratch: the next run has the provision that brings it.

What is found is kept in the results, from where later runs take it up.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from bareboat.inputs.mend import Mend
from bareboat.result.store import load
from bareboat.result.values import Failed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from bareboat.inputs.sample import Sample
    from bareboat.plan.jobs import Cell, Plan
    from bareboat.result.values import Result


def find_mends(plan: Plan, results: Iterable[Result]) -> dict[str, tuple[Mend, ...]]:
    """By the sample's name, what the cells of a plan lack that failed, by their own words, and were not given yet."""
    own = {cell.id: cell for cell in plan.cells if cell.completes}
    found: dict[str, tuple[Mend, ...]] = {}
    for result in results:
        cell = own.get(result.cell)
        if cell and isinstance(result.outcome, Failed):
            mend = Mend(
                recipe=result.recipe,
                provision=result.lacks,
                library=result.lacks_library,
                why=result.outcome.reason.partition(";")[0],
            )
            if _can_be_given(cell, mend):
                found[result.sample] = (*found.get(result.sample, ()), mend)
    return found


def _can_be_given(cell: Cell, mend: Mend) -> bool:
    """Whether the cell can have what its program lacks, and has it not yet."""
    if mend.library:
        return mend.library not in cell.loads
    return cell.base is None and mend.provision not in {"", *cell.recipe.provisions}


def say_mends(mends: Mapping[str, Sequence[Mend]]) -> Iterator[str]:
    """A line for each provision or library that is to come aboard."""
    wanted: dict[tuple[str, str], list[str]] = defaultdict(list)
    for sample, found in mends.items():
        for mend in found:
            what = f"provision '{mend.provision}'" if mend.provision else mend.library
            wanted[what, mend.why].append(f"{sample}@{mend.recipe}")
    for (what, why), cells in wanted.items():
        yield f"once more with {what}, because {why}: {', '.join(cells)}"


def give(samples: Iterable[Sample], mends: Mapping[str, Sequence[Mend]]) -> tuple[Sample, ...]:
    """The samples with what they lack."""
    return tuple(replace(sample, mends=(*sample.mends, *mends.get(sample.name, ()))) for sample in samples)


def remember(samples: Iterable[Sample], kept: Path) -> tuple[Sample, ...]:
    """The user's own programs with what earlier runs found that they lack; `kept` has a folder of results a host."""
    return tuple(replace(sample, mends=_mends_in(kept, sample)) if sample.own else sample for sample in samples)


def _mends_in(kept: Path, sample: Sample) -> tuple[Mend, ...]:
    found = (mend for path in sorted(kept.glob(f"*/{sample.name}@*.json")) for mend in load(path).mended)
    return tuple({(mend.recipe, mend.name): mend for mend in found}.values())
