"""One figure of an image: what it is called and means, what came out, how sure it is, and why it could not be taken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import ConfigDict

Unit = Literal["bytes", "seconds", "count", "text", "flag"]
Better = Literal["less", "more", ""]
Figure = bool | int | float | str | None
# Why a figure is not there that takes long to take and was not asked for; a run that asks for it takes it then.
NOT_ASKED = "taken with --thorough alone"
# Why one is not there that is timed: all else of the cell is done, and the same run takes it at its end, or the next.
NOT_TIMED = "not timed yet"
_STRICT = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)  # JSON has no sign for those


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A measurement's place in the table, and what it means."""

    __pydantic_config__ = _STRICT

    name: str
    heading: str  # at the column's top
    unit: Unit
    order: int  # from the left; columns of the same order stand by name
    meaning: str = ""  # Markdown for the results page: what the figure counts and how it was taken
    version: int = 1  # raised when the figure changes its meaning, so that what has the older one is measured again
    better: Better = ""  # which way is better; "" where neither is
    thorough: bool = False  # taken only where it is asked for, because it takes long


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """How far the runs lay apart that a figure, their median, was taken from; in the column's unit."""

    __pydantic_config__ = _STRICT

    runs: int
    p10: float  # a tenth of the runs are below
    p90: float  # a tenth of the runs are above
    low: float  # with `high`, the 95 % bootstrap interval of the median
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One figure taken from the image as shipped; None where it does not apply."""

    __pydantic_config__ = _STRICT

    column: Column
    value: Figure
    spread: Spread | None = None  # of a figure that is a median
    why: str = ""  # one line of why it could not be taken; "" where it was, and where it does not apply


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a measurement's module says that has more to say than a bare figure; as in `Measurement`."""

    value: Figure
    spread: Spread | None = None
    why: str = ""
