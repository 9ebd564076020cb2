"""Says which base a program should be shipped on, of those that it was measured on, and why. Pure."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from itertools import groupby
from types import MappingProxyType
from typing import TYPE_CHECKING

from bareboat.report.figures import size_text
from bareboat.report.ran import ran_text, run_sentences
from bareboat.report.table import group_by_sample, size_of
from bareboat.result.values import Failed, Passed
from bareboat.system.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from bareboat.result.values import Result


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfit:
    """Why a cell is not to be taken as it is."""

    # What it has, which is to be nothing of the kind: `no shell (/bin/sh)`, `more than 10 MB`.
    has: tuple[str, ...]
    # Whether provisions would bring all that it lacks.
    mendable: bool = False


def recommend(
    results: Iterable[Result],
    summaries: Mapping[str, str],
    unfit: Mapping[str, Unfit] = MappingProxyType({}),
) -> str:
    """For each sample a paragraph: the base to take, the next best, and what breaks where, each in a line.

    `summaries` says of each recipe by name what is aboard, `unfit` of cells why they are not to be taken as they are.
    """
    grouped = group_by_sample(results)
    return "\n".join(
        "".join(f"{printable(line)}\n" for line in _lines(heading if len(grouped) > 1 else "", group, summaries, unfit))
        for heading, group in grouped
    )


def find_best(results: Iterable[Result]) -> Result | None:
    """The result on the base to take, of one sample's; None where it works on none."""
    _, fit = _fitting(results)
    return fit[0] if fit else None


def _fitting(results: Iterable[Result]) -> tuple[Sequence[Result], Sequence[Result]]:
    """Those that passed, and of them those that do what they should, each the smallest first."""
    passed = sorted((result for result in results if _is_fit(result)), key=lambda one: (size_of(one) or 0, one.recipe))
    # What a program does on the fullest base is what it does where nothing is missing.
    return passed, [result for result in passed if ended(result) == ended(passed[-1])]


def nearest(results: Iterable[Result], unfit: Mapping[str, Unfit]) -> Result | None:
    """Of those that are not to be taken as they are the one that lacks least; None where there is none."""

    def distance(result: Result) -> tuple[bool, int, float, str]:
        lack = unfit[result.cell]
        return not lack.mendable, len(lack.has), size_of(result) or 0, result.recipe

    return min((result for result in results if result.cell in unfit), key=distance, default=None)


def _lines(
    sample: str, results: Sequence[Result], summaries: Mapping[str, str], unfit: Mapping[str, Unfit]
) -> Iterator[str]:
    passed, works = _fitting(results)
    fit = [result for result in works if result.cell not in unfit]
    name = f"{sample}: " if sample else ""
    if fit:
        best, *others = fit
        which = "that have what is needed" if unfit else "that it works on"
        smallest = f", the smallest of the {len(fit)} bases {which}" if others else ""
        yield f"{name}Take {_named(best)}{smallest}: {_aboard(best, summaries)}."
        if others:
            ratio = (size_of(others[0]) or 0) / (size_of(best) or 1)
            yield f"Next best is {_named(others[0])}, {ratio:.3g} times as large: {_aboard(others[0], summaries)}."
    elif near := nearest(results, unfit):
        yield f"{name}Nothing that was measured has all that is needed."
        yield f"Nearest is {_named(near)}, which has {_joined(unfit[near.cell].has)}: {_aboard(near, summaries)}."
    else:
        yield f"{name}It works on none of these bases."
    yield from _left_out(works, unfit)
    for other in (result for result in passed if result not in works):
        yield f"Not on {other.recipe}, where it does otherwise: {ran_text(other)}{_said(other)}."
    yield from _breaks(results)
    if fit and fit[0].ran:
        yield from run_sentences(fit[0].ran)
    yield from _old_names(results)


def _left_out(works: Iterable[Result], unfit: Mapping[str, Unfit]) -> Iterator[str]:
    """What works and is not to be taken, each reason once."""
    left = sorted((unfit[one.cell].has, one.recipe) for one in works if one.cell in unfit)
    for reasons, group in groupby(left, key=lambda pair: pair[0]):
        yield f"Left out: {', '.join(recipe for _, recipe in group)}: {_joined(reasons)}."


def _breaks(results: Sequence[Result]) -> Iterator[str]:
    """Where it does not work and why, each reason once."""
    failed = [(one.outcome.reason, one.recipe) for one in results if isinstance(one.outcome, Failed)]
    for reason, group in groupby(sorted(failed), key=lambda pair: pair[0]):
        yield f"Not on {', '.join(recipe for _, recipe in group)}: {reason.rstrip('.')}."


def _old_names(results: Sequence[Result]) -> Iterator[str]:
    """That a program asks for what musl no longer has, and was helped."""
    asking = [result for result in results if result.large_file_names]
    if asking:
        names = ", ".join(sorted({name for result in asking for name in result.large_file_names}))
        where = ", ".join(result.recipe for result in asking)
        yield (
            f"On {where} it asks for {names}, which musl dropped in 1.2.4: linked to the functions without 64. "
            "A libc crate from 0.2.146 on does not ask: `cargo update -p libc`."
        )


def _joined(words: Sequence[str]) -> str:
    *front, last = words
    return f"{', '.join(front)} and {last}" if front else last


def ended(result: Result) -> tuple[bool, int | None]:
    """How a program ended that nobody told to."""
    ran = result.ran
    return (False, None) if ran is None else (ran.running, None if ran.running else ran.exit_code)


def _said(result: Result) -> str:
    return f", and it says: {result.ran.said.rstrip('.')}" if result.ran and result.ran.said else ""


def _is_fit(result: Result) -> bool:
    return isinstance(result.outcome, Passed)


def _named(result: Result) -> str:
    return f"{result.recipe} ({size_text(size_of(result))})"


def _aboard(result: Result, summaries: Mapping[str, str]) -> str:
    said = summaries.get(result.recipe, "")
    lines = [said or "no recipe says what is aboard"]
    lines += [f"with {_libraries(result)}, which it needs"] if result.completed else []
    given = (mend for mend in result.mended if mend.provision)
    lines += [f"with provision '{mend.provision}', without which {mend.why}" for mend in given]
    return "; ".join(lines)


def _libraries(result: Result) -> str:
    first, *others = (posixpath.basename(one.to) for one in result.completed)
    return f"{first} and {len(others)} libraries more" if len(others) > 1 else " and ".join([first, *others])
