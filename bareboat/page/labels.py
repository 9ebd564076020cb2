"""Puts names beside points so that none lies on another, or leaves one out. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_LETTER, _HEIGHT, _GAP, _RADIUS = 6.3, 13.0, 9.0, 7.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """Where a name stands, in pixels from its chart's left and top; the middle of its line, and its left end."""

    name: str
    left: float
    middle: float


_Box = tuple[float, float, float, float]


def place_labels(
    points: Sequence[tuple[str, float, float]], width: float, height: float, line: Sequence[tuple[float, float]] = ()
) -> tuple[Placed, ...]:
    """Names of points, given as name, x and y in order of weight; `line` has further places to keep clear of."""
    taken: list[_Box] = [_around(x, y, _RADIUS) for _, x, y in points] + [_around(x, y, 2) for x, y in line]
    placed: list[Placed] = []
    for name, x, y in points:
        long = len(name) * _LETTER
        sides = ((x + _GAP, y), (x - _GAP - long, y), (x - long / 2, y - 15), (x - long / 2, y + 15))
        corners = ((x + 5, y - 13), (x + 5, y + 13), (x - 5 - long, y - 13), (x - 5 - long, y + 13))
        for left, middle in (*sides, *corners):
            box = (left, middle - _HEIGHT / 2, left + long, middle + _HEIGHT / 2)
            inside = box[0] >= 0 and box[1] >= 0 and box[2] <= width and box[3] <= height
            if inside and not any(_overlap(box, other) for other in taken):
                taken.append(box)
                placed.append(Placed(name=name, left=left, middle=middle))
                break
    return tuple(placed)


def _around(x: float, y: float, radius: float) -> _Box:
    return x - radius, y - radius, x + radius, y + radius


def _overlap(one: _Box, other: _Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
