"""Draws the curves: a panel a load and quantity, over the number of threads, as SVG for light and dark. Pure."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING, NamedTuple

from curves.figures import LOADS, THREADS, median_of, parts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from curves.figures import Book, CellFigures, Median, Quantity

# Only static programs are drawn: a curve a cell would be too many, and dynamic ones are in the tables.
_DRAWN = {"scratch-glibc": "glibc", "scratch-musl": "musl"}
_QUANTITIES: tuple[tuple[Quantity, str, float], ...] = (
    ("rate", "operations a second, thousands", 1e3),
    ("peak_bytes", "peak memory, MB", 1e6),
    ("resting_bytes", "memory at rest, MB", 1e6),
    ("futexes", "futex calls for a million operations", 1.0),
)
_WIDTH, _PANEL, _LEFT, _TOP = 1200, 230, 72, 66
_HIGH, _ROW, _COLUMN = 130, 190, 290
_STYLE = """\
  text { font: 12px system-ui, sans-serif; fill: #1f2328 }
  .head { font-weight: 600; font-size: 13px }
  .page { fill: #ffffff }
  .grid { stroke: #d1d9e0; stroke-width: 1 }
  path, .dot { stroke-width: 1.8; fill: none }
  .musl { stroke-dasharray: 5 3 }
  .span { stroke-dasharray: none; stroke-width: 1.2 }
  .system { stroke: #1f2328 }
  .mimalloc { stroke: #0969da }
  .jemalloc { stroke: #bc4c00 }
  .snmalloc { stroke: #1a7f37 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .page { fill: #0d1117 }
    .grid { stroke: #30363d }
    .system { stroke: #e6edf3 }
    .mimalloc { stroke: #4493f8 }
    .jemalloc { stroke: #f0883e }
    .snmalloc { stroke: #3fb950 }
  }
"""


class Curve(NamedTuple):
    """One cell's medians over the number of threads, divided by the quantity's unit."""

    allocator: str
    libc: str
    points: tuple[tuple[int, Median], ...]


def draw_chart(book: Book) -> str:
    """The whole chart; both scales are logarithmic, so that equal ratios are equal steps."""
    height = _TOP + _ROW * len(LOADS)
    title = "By threads: the median, with a line from end to end of its 95 % interval"
    drawn = [cell for cell in parts(book) if cell.recipe in _DRAWN]
    panels = [
        _draw_panel(drawn, load, quantity, _TOP + _ROW * row, _LEFT + _COLUMN * column)
        for row, load in enumerate(LOADS)
        for column, quantity in enumerate(_QUANTITIES)
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" role="img"'
        f' viewBox="0 0 {_WIDTH} {height}" aria-label="{title}">\n'
        f"<style>\n{_STYLE}</style>\n"
        f'<rect class="page" width="{_WIDTH}" height="{height}"/>\n'
        f'<text x="{_LEFT}" y="18">{title}</text>\n'
        f"{_draw_legend(drawn)}{''.join(panels)}</svg>\n"
    )


def curves_of(cells: Sequence[CellFigures], load: str, quantity: Quantity, unit: float) -> tuple[Curve, ...]:
    """The curves of one panel; a cell without figures has none."""
    found = []
    for cell in cells:
        taken = [(threads, values) for threads in THREADS if (values := cell.values(load, threads, quantity))]
        points = tuple((threads, median_of([value / unit for value in values])) for threads, values in taken)
        if points:
            found.append(Curve(cell.allocator, cell.libc, points))
    return tuple(found)


def ticks_between(low: float, high: float) -> tuple[float, ...]:
    """The powers of ten from the one that is not above `low` to the one that is not below `high`; at least two."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    return tuple(10.0**power for power in range(first, max(last, first + 1) + 1))


def tick_text(tick: float) -> str:
    """A power of ten, its thousands apart."""
    return f"{tick:,.0f}" if tick >= 1 else f"{tick:g}"


def _draw_panel(
    cells: Sequence[CellFigures], load: str, quantity: tuple[Quantity, str, float], top: int, left: int
) -> str:
    name, words, unit = quantity
    curves = curves_of(cells, load, name, unit)
    head = f'<text class="head" x="{left}" y="{top + 8}">{escape(LOADS[load])}</text>\n'
    head += f'<text x="{left}" y="{top + 22}">{escape(words)}</text>\n'
    if not curves:
        return f'{head}<text x="{left}" y="{top + 80}">not measured</text>\n'
    # Nothing at all has no place on such a scale: it is drawn on the floor.
    bounds = [value for curve in curves for _, median in curve.points for value in median if value > 0] or [1.0]
    ticks = ticks_between(min(bounds), max(bounds))
    floor, ceiling = math.log10(ticks[0]), math.log10(ticks[-1])

    def high(value: float) -> float:
        share = (math.log10(max(value, ticks[0])) - floor) / (ceiling - floor)
        return top + 30 + (_HIGH - 14) * (1 - share)

    lines = [head, *_draw_grid(ticks, [high(tick) for tick in ticks], left, top)]
    for curve in curves:
        places = [(_across(threads, left), median) for threads, median in curve.points]
        path = " L".join(f"{across:.1f} {high(median.value):.1f}" for across, median in places)
        lines.append(f'<path class="{curve.allocator} {curve.libc}" d="M{path}"/>\n')
        lines += [
            f'<line class="span {curve.allocator}" x1="{across:.1f}" x2="{across:.1f}" y1="{high(median.low):.1f}"'
            f' y2="{high(median.high):.1f}"/>\n'
            for across, median in places
        ]
    return "".join(lines)


def _draw_grid(ticks: Sequence[float], heights: Sequence[float], left: int, top: int) -> Iterator[str]:
    for tick, height in zip(ticks, heights, strict=True):
        yield f'<line class="grid" x1="{left}" x2="{left + _PANEL}" y1="{height:.1f}" y2="{height:.1f}"/>\n'
        yield f'<text x="{left - 6}" y="{height + 4:.1f}" text-anchor="end">{tick_text(tick)}</text>\n'
    for threads in THREADS:
        across = _across(threads, left)
        yield f'<text x="{across:.1f}" y="{top + 30 + _HIGH}" text-anchor="middle">{threads}</text>\n'


def _across(threads: int, left: int) -> float:
    return left + 10 + (_PANEL - 20) * math.log2(threads) / math.log2(THREADS[-1])


def _draw_legend(cells: Sequence[CellFigures]) -> str:
    lines, left = [], _LEFT
    for cell in cells:
        words = f"{cell.libc}'s own" if cell.allocator == "system" else f"{cell.allocator}, {cell.libc}"
        lines.append(f'<path class="{cell.allocator} {cell.libc}" d="M{left} 38 h24"/>\n')
        lines.append(f'<text x="{left + 30}" y="42">{escape(words)}</text>\n')
        left += 50 + 7 * len(words)
    return "".join(lines)
