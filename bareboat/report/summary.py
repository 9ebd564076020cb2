"""Says in a few lines what a run came to: how many cells did what, which are best, what failed, where more is. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bareboat.report.figures import size_text, value_text
from bareboat.report.fit import fold_lines, shorten
from bareboat.report.recommend import find_best
from bareboat.report.table import AS_EXPECTED, START_UP, group_by_sample, measurement_of, outcome_text, size_of
from bareboat.result.values import Failed, Passed
from bareboat.system.printable import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from bareboat.result.values import Result

# How many failures are told of, each.
_FAILURES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Next:
    """Where a reader finds more."""

    explain: Callable[[Result], str]  # the command that explains a failure
    results: str  # the folder of the results
    report: str  # what shows all figures: words with a command in them


def summarise(results: Sequence[Result], more: Next, room: int, recommendation: str = "") -> str:
    """The lines, none longer than `room` unless it is a command.

    The `recommendation` of a program's base stands in the place of what is smallest and of why others failed.
    """
    failed = [result for result in results if isinstance(result.outcome, Failed) and not result.fails_as_expected]
    told = recommendation.splitlines() if recommendation else [*_best(results, room)]
    text = fold_lines([_counts(results), *told], room)
    for result in failed[:_FAILURES]:
        said = "" if recommendation else f"{shorten(f'{printable(result.cell)} {outcome_text(result)}', room)}\n"
        text += f"{said}    {more.explain(result)}\n"
    if unnamed := len(failed) - _FAILURES:
        text += f"and {unnamed} more failed\n" if unnamed > 0 else ""
    return text + f"Results: {more.results}\n" + fold_lines([more.report], room)


def _counts(results: Sequence[Result]) -> str:
    words = {AS_EXPECTED: "failed as expected"}
    kinds = ("passed", "failed", AS_EXPECTED, "skipped")
    found = Counter(AS_EXPECTED if result.fails_as_expected else result.outcome.kind for result in results)
    counted = ", ".join(f"{found[kind]} {words.get(kind, kind)}" for kind in kinds if found[kind])
    cells = "1 cell" if len(results) == 1 else f"{len(results)} cells"
    return f"{cells}: {counted}." if counted else f"{cells}."


def _best(results: Sequence[Result], room: int) -> Iterator[str]:
    """The smallest and the quickest of each sample, of as many samples as a line has room for."""
    groups = [(name, best) for name, group in group_by_sample(results) if (best := find_best(group))]
    if groups:
        yield _listed("Smallest: ", [_named(name, best, many=len(groups) > 1) for name, best in groups], room)
    if quickest := [found for name, group in group_by_sample(results) if (found := _quickest(name, group, groups))]:
        yield _listed("Quickest to start: ", quickest, room)


def _listed(head: str, named: Sequence[str], room: int) -> str:
    """As many of them as fit into a line, and at least the first."""
    for count in range(len(named), 1, -1):
        more = f"; {len(named) - count} more samples" if count < len(named) else ""
        line = f"{head}{'; '.join(named[:count])}{more}."
        if len(line) <= room:
            return line
    return f"{head}{named[0]}{f'; {len(named) - 1} more samples' if len(named) > 1 else ''}."


def _named(sample: str, result: Result, *, many: bool) -> str:
    on = f"{sample} on {result.recipe}" if many else result.recipe
    return printable(f"{on} ({size_text(size_of(result))})")


def _quickest(sample: str, results: Sequence[Result], groups: Sequence[object]) -> str:
    """The one that starts first, with its time; "" where that was not measured."""
    taken = [
        (figure.value, result, figure)
        for result in results
        if isinstance(result.outcome, Passed) and (figure := measurement_of(result, START_UP))
    ]
    known = [(value, result, figure) for value, result, figure in taken if isinstance(value, int | float)]
    if not known:
        return ""
    _, result, figure = min(known, key=lambda one: (one[0], one[1].recipe))
    on = f"{sample} on {result.recipe}" if len(groups) > 1 else result.recipe
    return printable(f"{on} ({value_text(figure)})")
