"""What was taken of each way in each round, and what it comes to. Pure."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

BAREBOAT = "Bareboat"


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What one way took in one round."""

    seconds: float
    processor_seconds: float = 0.0  # user and system, of the whole tree of processes
    peak_bytes: int = 0  # the most resident memory of one of its processes; 0 where it was not looked at
    probe_seconds: float = 0.0  # of `seconds`, those in which a service answered probes


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One way in one work."""

    way: str
    taken: tuple[Taken, ...] = ()  # a round each
    absent: str = ""  # why there are no figures
    size: int = 0  # how much was asked of it, in works that ask for several sizes

    @property
    def median(self) -> float:
        """The median of its seconds."""
        return statistics.median(one.seconds for one in self.taken)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """All that one work found."""

    name: str
    title: str
    note: str  # what was timed, for the reader
    rows: tuple[Row, ...]
    remarks: tuple[str, ...] = ()  # what the figures come to
    facts: str = ""  # of the machine, a line a fact

    @property
    def unit(self) -> Row | None:
        """The row that ratios are to: Bareboat's first."""
        return next((row for row in self.rows if row.way.startswith(BAREBOAT) and row.taken), None)


class Line(NamedTuple):
    """A straight line through points, and how well it goes through them."""

    slope: float
    intercept: float
    r_squared: float


def fit_line(points: Sequence[tuple[float, float]]) -> Line:
    """Least squares; at least two points that differ in x."""
    across, up = zip(*points, strict=True)
    slope, intercept = statistics.linear_regression(across, up)
    spread = sum((value - statistics.fmean(up)) ** 2 for value in up)
    left = sum((value - slope * place - intercept) ** 2 for place, value in points)
    return Line(slope, intercept, 1 - left / spread if spread else 1.0)


def fit_text(rows: Iterable[Row], what: str) -> str:
    """How the medians of rows grow with their size, in words."""
    measured = [row for row in rows if row.taken]
    points = [(float(row.size), row.median) for row in measured]
    if len({across for across, _ in points}) < 2:  # noqa: PLR2004 (one point makes no line)
        return f"{what}: too few sizes for a line"
    line = fit_line(points)
    return (
        f"{what}: {1000 * line.slope:.2f} ms for each cell and {line.intercept:.2f} s beside them, "
        f"R² = {line.r_squared:.4f} over {len(points)} sizes"
    )


def ratio_to(row: Row, unit: Row | None) -> float | None:
    """How many times as long as the unit a way took; None where one of them has no figures."""
    if unit is None or not row.taken or row.size or not unit.median:
        return None
    return row.median / unit.median
