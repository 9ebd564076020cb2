"""Says which base a program should be shipped on, of those that it was measured on, and why. Pure."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from bareboat.report.figures import size_text
from bareboat.report.ran import run_sentences
from bareboat.report.table import group_by_sample, size_of
from bareboat.result.values import Failed, Passed
from bareboat.system.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from bareboat.result.values import Result


def recommend(results: Iterable[Result], summaries: Mapping[str, str]) -> str:
    """For each sample a paragraph: the base to take, the next best, and what breaks where, each in a line.

    `summaries` says of each recipe by name what is aboard.
    """
    grouped = group_by_sample(results)
    return "\n".join(
        "".join(f"{printable(line)}\n" for line in _lines(heading if len(grouped) > 1 else "", group, summaries))
        for heading, group in grouped
    )


def _lines(sample: str, results: Sequence[Result], summaries: Mapping[str, str]) -> Iterator[str]:
    fit = sorted((result for result in results if _is_fit(result)), key=lambda one: (size_of(one) or 0, one.recipe))
    which = f"Of {sample}: " if sample else ""
    if not fit:
        yield f"{which}It works on none of these bases."
    else:
        best, *others = fit
        smallest = f", the smallest of the {len(fit)} bases that it works on" if others else ""
        yield f"{which}Take {_named(best)}{smallest}: {_aboard(best, summaries)}."
        if others:
            ratio = (size_of(others[0]) or 0) / (size_of(best) or 1)
            yield f"Next best is {_named(others[0])}, {ratio:.3g} times as large: {_aboard(others[0], summaries)}."
    yield from _breaks(results)
    if fit and fit[0].ran:
        yield from run_sentences(fit[0].ran)


def _breaks(results: Sequence[Result]) -> Iterator[str]:
    """Where it does not work and why, each reason once."""
    failed = [(one.outcome.reason, one.recipe) for one in results if isinstance(one.outcome, Failed)]
    for reason, group in groupby(sorted(failed), key=lambda pair: pair[0]):
        yield f"Not on {', '.join(recipe for _, recipe in group)}: {reason}."


def _is_fit(result: Result) -> bool:
    return isinstance(result.outcome, Passed)


def _named(result: Result) -> str:
    return f"{result.recipe} ({size_text(size_of(result))})"


def _aboard(result: Result, summaries: Mapping[str, str]) -> str:
    said = summaries.get(result.recipe, "")
    lines = [f"{said[:1].lower()}{said[1:]}" if said else "no recipe says what is aboard"]
    lines += [f"with {', '.join(one.to for one in result.completed)}, which it needs"] if result.completed else []
    lines += [f"with provision '{mend.provision}', without which {mend.why}" for mend in result.mended]
    return "; ".join(lines)
