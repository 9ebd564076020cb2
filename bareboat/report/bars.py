"""Draws figures of a table's column as bars, so that they compare at a glance. Pure."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from bareboat.report.table import BAR, SIZE, START_UP, Field, measurement_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bareboat.result.values import Result

BAR_COLUMNS = 12
_DRAWN = (SIZE, START_UP)
# A block that fills so many eighths of its place from the left.
_EIGHTHS = " ▏▎▍▌▋▊▉█"


def bar(share: float, columns: int, *, blocks: bool = True) -> str:
    """A bar of a share, from 0 to 1, of `columns` characters: in blocks, or else in `#`; what is above 0 is seen."""
    if not blocks:
        return "#" * max(round(share * columns), 1 if share > 0 else 0)
    full, eighths = divmod(max(round(share * columns * 8), 1 if share > 0 else 0), 8)
    return "█" * full + (_EIGHTHS[eighths] if eighths else "")


def with_bars(fields: Sequence[Field], results: Sequence[Result], *, blocks: bool) -> tuple[Field, ...]:
    """The columns with one of bars behind each that is drawn, where several figures can be compared.

    The longest bar is the largest figure's.
    """
    drawn: list[Field] = []
    for field in fields:
        drawn.append(field)
        figures = [figure for result in results if (figure := _figure(result, field.name))]
        if field.name in _DRAWN and len(figures) > 1:
            text = partial(_bar, name=field.name, largest=max(figures), blocks=blocks)
            drawn.append(Field(heading="", text=text, name=f"{field.name}_bar", rank=BAR))
    return tuple(drawn)


def _bar(result: Result, *, name: str, largest: float, blocks: bool) -> str:
    return bar(_figure(result, name) / largest, BAR_COLUMNS, blocks=blocks)


def _figure(result: Result, name: str) -> float:
    taken = measurement_of(result, name)
    return taken.value if taken and isinstance(taken.value, int | float) else 0.0
