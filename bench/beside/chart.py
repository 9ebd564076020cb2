"""Draws the works as bars, a panel a work with a scale of its own, as SVG that reads well in light and dark. Pure."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from beside.figures import BAREBOAT, ratio_to
from beside.tables import seconds_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from beside.figures import Figures, Row

_WIDTH, _LABELS, _BARS = 860, 250, 440
_LINE, _HEAD, _GAP, _MARGIN = 22, 28, 18, 16
_STYLE = """\
  text { font: 13px system-ui, sans-serif; fill: #1f2328 }
  .head { font-weight: 600; font-size: 14px }
  .page { fill: #ffffff }
  .own { fill: #0969da }
  .peer { fill: #8c959f }
  .span { stroke: #1f2328; stroke-width: 1 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .page { fill: #0d1117 }
    .own { fill: #4493f8 }
    .peer { fill: #6e7681 }
    .span { stroke: #e6edf3 }
  }
"""


def draw_chart(all_figures: Sequence[Figures]) -> str:
    """The chart; works without a peer are left to their tables."""
    top, parts = _MARGIN, []
    for figures in all_figures:
        rows = [row for row in figures.rows if row.taken]
        if len({row.way for row in rows}) > 1 and not any(row.size for row in rows):
            panel, top = _draw_panel(figures, rows, top)
            parts.append(panel)
    title = "Seconds: the median, a line from the least to the most, and in brackets the ratio to Bareboat's median"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{top + _LINE}" role="img"'
        f' viewBox="0 0 {_WIDTH} {top + _LINE}" aria-label="{title}">\n'
        f"<style>\n{_STYLE}</style>\n"
        f'<rect class="page" width="{_WIDTH}" height="{top + _LINE}"/>\n{"".join(parts)}'
        f'<text x="{_MARGIN}" y="{top + 6}">{title}</text>\n</svg>\n'
    )


def _draw_panel(figures: Figures, rows: Sequence[Row], top: int) -> tuple[str, int]:
    most = max(max(one.seconds for one in row.taken) for row in rows) or 1.0
    lines = [f'<text class="head" x="{_MARGIN}" y="{top + 15}">{escape(figures.title)}</text>\n']
    top += _HEAD
    for row in rows:
        lines.append(_draw_row(row, figures, most, top))
        top += _LINE
    return "".join(lines), top + _GAP


def _draw_row(row: Row, figures: Figures, most: float, top: int) -> str:
    scale = _BARS / most
    seconds = [one.seconds for one in row.taken]
    kind = "own" if row.way.startswith(BAREBOAT) else "peer"
    middle, left = top + 8, _MARGIN + _LABELS
    ratio = ratio_to(row, figures.unit)
    words = f"{seconds_text(row.median)} s" + ("" if ratio is None or row is figures.unit else f" ({ratio:.2f})")
    width, end = max(1.0, scale * row.median), left + scale * max(seconds)
    return (
        f'<text x="{left - 8}" y="{top + 13}" text-anchor="end">{escape(row.way.replace("`", ""))}</text>\n'
        f'<rect class="{kind}" x="{left}" y="{top + 1}" width="{width:.1f}" height="15" rx="2"/>\n'
        f'<line class="span" x1="{left + scale * min(seconds):.1f}" x2="{end:.1f}" y1="{middle}" y2="{middle}"/>\n'
        f'<text x="{end + 8:.1f}" y="{top + 13}">{words}</text>\n'
    )
