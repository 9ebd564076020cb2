"""What was taken of each cell in each round, and what it comes to: medians with their intervals. Pure."""

from __future__ import annotations

import random
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

LOADS = {
    "churn": "Small churn",
    "handoff": "Freed on another thread",
    "large": "Large blocks",
    "grow": "Grow and shrink",
}
THREADS = (1, 2, 4, 8)
Quantity = Literal["rate", "peak_bytes", "resting_bytes", "futexes"]
_RESAMPLES, _OUTSIDE = 2000, 0.025


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What the program says of one load by one number of threads."""

    allocator: str
    load: str
    threads: int
    seconds: float
    operations: int
    warm_operations: int  # before they were counted, until all was warm
    before_bytes: int  # resident before the load
    peak_bytes: int
    resting_bytes: int  # resident when all is freed, a fifth of a second later
    voluntary_switches: int
    involuntary_switches: int
    minor_faults: int

    @property
    def all_operations(self) -> int:
        """What the kernel's counts are of, which begin with the process."""
        return self.warm_operations + self.operations

    @property
    def rate(self) -> float:
        """Operations a second."""
        return self.operations / self.seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Futexes:
    """The futex calls of a run under strace, which is slower: only their number to the operations means something."""

    load: str
    threads: int
    calls: int
    operations: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CellFigures:
    """All that was taken of one cell; a round each."""

    cell: str
    recipe: str
    libc: str
    crt: str
    allocator: str
    rounds: tuple[tuple[Reading, ...], ...] = ()
    start_milliseconds: tuple[float, ...] = ()  # the median of each round's starts
    futexes: tuple[Futexes, ...] = ()

    def values(self, load: str, threads: int, quantity: Quantity) -> tuple[float, ...]:
        """One quantity of one load, by round; of futex calls, for a million operations, by traced run."""
        if quantity == "futexes":
            counted = [one for one in self.futexes if (one.load, one.threads) == (load, threads) and one.operations]
            return tuple(1e6 * one.calls / one.operations for one in counted)
        return tuple(
            float(getattr(one, quantity))
            for taken in self.rounds
            for one in taken
            if (one.load, one.threads) == (load, threads)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """A whole run."""

    rounds: int
    seconds: float  # that each load was put on
    facts: str  # of the machine, a line a fact
    cells: tuple[CellFigures, ...]

    def find(self, allocator: str, recipe: str) -> CellFigures | None:
        """A cell; None where it was not measured."""
        return next((cell for cell in self.cells if (cell.allocator, cell.recipe) == (allocator, recipe)), None)


class Median(NamedTuple):
    """A median and its 95 % bootstrap interval."""

    value: float
    low: float
    high: float


def median_of(values: Sequence[float]) -> Median:
    """The median of at least one value. The draws are the same at every call, so that a page is written alike twice."""
    draws = random.Random(len(values))
    drawn = sorted(statistics.median(draws.choices(values, k=len(values))) for _ in range(_RESAMPLES))
    outside = round(_OUTSIDE * _RESAMPLES)
    return Median(statistics.median(values), drawn[outside], drawn[-1 - outside])


def ratio_of(above: Iterable[float], below: Iterable[float]) -> Median | None:
    """The median of the ratios of each round, which cancels what a round's minute did to both; None without figures."""
    pairs = [one / other for one, other in zip(above, below, strict=False) if other]
    return median_of(pairs) if pairs else None


def parts(book: Book) -> tuple[CellFigures, ...]:
    """The cells, ordered as they are shown: by recipe, the system's own allocator first."""
    return tuple(sorted(book.cells, key=lambda cell: (cell.recipe, cell.allocator != "system", cell.allocator)))
