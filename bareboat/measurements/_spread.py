"""The median of many runs, and how sure it is."""

from __future__ import annotations

import random
import statistics
from typing import TYPE_CHECKING

from bareboat.result.measurement import Reading, Spread

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bareboat.result.gauged import Gauged, GaugedRun

_RESAMPLES = 1000
_SEED = 12  # the same runs give the same interval
_TENTHS, _FORTIETHS = 10, 40  # the ends of 40 parts leave 2.5 % at each side


def summarise(values: Sequence[float]) -> Reading:
    """The median of one or more values, with the tenth and the ninetieth percentile and a 95 % bootstrap interval."""
    chance = random.Random(_SEED)  # noqa: S311 (no secret comes of it)
    medians = [statistics.median(chance.choices(values, k=len(values))) for _ in range(_RESAMPLES)]
    (p10, p90), (low, high) = _ends(values, _TENTHS), _ends(medians, _FORTIETHS)
    spread = Spread(runs=len(values), p10=p10, p90=p90, low=low, high=high)
    middle = statistics.median(values)
    return Reading(value=round(middle) if all(isinstance(one, int) for one in values) else middle, spread=spread)


def read_runs(
    gauged: Gauged | None,
    figure: Callable[[GaugedRun], float | None],
    *,
    service: bool | None = None,
    of: Callable[[Gauged], Sequence[GaugedRun]] = lambda gauged: gauged.runs,
) -> Reading:
    """The median of what `figure` takes of each run; no figure where none was taken, and why, or where not all have it.

    `service` says whether only services have the figure, or only other programs. What only some of the runs showed is
    no property of the program.
    """
    if gauged is None or (service is not None and service != gauged.service):
        return Reading(value=None)
    if gauged.why:
        return Reading(value=None, why=gauged.why)
    taken = [figure(run) for run in of(gauged)]
    values = [value for value in taken if value is not None]
    if values and len(values) < len(taken):
        return Reading(value=None, why=f"{len(values)} of {len(taken)} runs showed it")
    return summarise(values) if values else Reading(value=None)


def _ends(values: Sequence[float], parts: int) -> tuple[float, float]:
    """The first and the last of the cuts into so many equal parts."""
    if len(set(values)) == 1:
        return values[0], values[0]
    cuts = statistics.quantiles(values, n=parts, method="inclusive")
    return cuts[0], cuts[-1]
