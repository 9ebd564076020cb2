"""The answer first: for each program the base to take, three figures of it, and what else is to be known. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bareboat.page.shown import Shown, show
from bareboat.report.recommend import find_best, recommend
from bareboat.report.table import group_by_sample, measurement_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bareboat.result.values import Result

_FIGURES = (
    ("Size", "size"),
    ("Start-up", "start_up"),
    ("Time to serve", "time_to_serve"),
    ("Peak memory", "peak"),
    ("Transfer", "transfer_size"),
    ("Files", "files"),
)
_THREE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What is said of one program."""

    sample: str
    best: Result | None  # on the base to take; None where it works on none
    figures: tuple[tuple[str, Shown], ...]  # three of the best, each with its heading
    first: str  # the sentence that says which base, and why
    others: tuple[str, ...]  # the other sentences


def main_samples(results: Iterable[Result]) -> tuple[tuple[str, tuple[Result, ...]], ...]:
    """The programs that are told first, with their results: no variants, and none that few bases were tried for."""
    grouped = group_by_sample(one for one in results if not one.fails_as_expected)
    main = [pair for pair in grouped if "+" not in pair[0] and len(pair[1]) >= _THREE]
    return tuple(main) or grouped


def make_cards(results: Iterable[Result], summaries: Mapping[str, str]) -> tuple[Card, ...]:
    """A card for each of the main programs."""
    return tuple(_card(sample, group, summaries) for sample, group in main_samples(results))


def _card(sample: str, group: Sequence[Result], summaries: Mapping[str, str]) -> Card:
    best = find_best(group)
    first, *others = recommend(group, summaries).splitlines()
    found = ((heading, show(measurement_of(best, name)) if best else None) for heading, name in _FIGURES)
    figures = [(heading, shown) for heading, shown in found if shown and shown.text]
    return Card(sample=sample, best=best, figures=tuple(figures[:_THREE]), first=first, others=tuple(others))
