"""Says a figure with its unit, how sure it is, and why there is none. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bareboat.report.figures import seconds_text, size_text, value_text

if TYPE_CHECKING:
    from bareboat.result.measurement import Measurement

NONE = "does not apply"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A measurement in words."""

    text: str  # with its unit; "" where there is none
    number: float | None = None  # by which it is sorted; None of a text
    interval: str = ""  # in short; "" where the runs were not many
    spread: str = ""  # in full
    why: str = ""  # where there is no value


def show(taken: Measurement | None) -> Shown:
    """A measurement, or that there is none."""
    if taken is None:
        return Shown(text="", why="not measured")
    text, value = value_text(taken), taken.value
    if not text:
        return Shown(text="", why=taken.why or NONE)
    number = float(value) if isinstance(value, int | float) else None
    spread = taken.spread
    if spread is None:
        return Shown(text=text, number=number)
    say = {"bytes": size_text, "seconds": seconds_text}.get(taken.column.unit, _plain)
    interval = f"{say(spread.low)} to {say(spread.high)}"
    return Shown(
        text=text,
        number=number,
        interval=interval,
        spread=f"95 % interval {interval}; p10 {say(spread.p10)}, p90 {say(spread.p90)}; {spread.runs} runs",
    )


def _plain(figure: float | None) -> str:
    return "" if figure is None else f"{figure:.3g}"
