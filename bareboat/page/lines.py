"""Draws lines: allocators over threads, and a cell's figures over its commits."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import altair as alt
from markupsafe import Markup

from bareboat.page.svg import HUES, render_svg
from bareboat.system.printable import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bareboat.page.values import Curve

_SPARK_WIDTH, _SPARK_HEIGHT, _INSET = 160, 28, 3
_PANEL = 150


def draw_curves(curves: Sequence[Curve], identity: str, title: str, *, width: int) -> str:
    """A panel for each pattern, a line for each allocator; all `curves` are of one figure."""
    patterns = list(dict.fromkeys(curve.pattern for curve in curves))
    names = list(dict.fromkeys(curve.allocator for curve in curves))
    columns = max(1, min(len(patterns), width // 255))
    panels = [
        _panel([one for one in curves if one.pattern == pattern], names, width, columns).properties(title=pattern)
        for pattern in patterns
    ]
    chart = alt.concat(*panels, columns=columns).resolve_scale(y="independent")
    said = "; ".join(
        f"{pattern}: most with {max((one for one in curves if one.pattern == pattern), key=_last).allocator}"
        for pattern in patterns
    )
    return render_svg(chart, identity, title, said)


def _panel(curves: Sequence[Curve], names: list[str], width: int, columns: int) -> alt.LayerChart | alt.FacetChart:
    values = [
        {"allocator": curve.allocator, "threads": threads, "value": value, "low": low, "high": high}
        for curve in curves
        for threads, value, low, high in curve.values
    ]
    threads = sorted({count for curve in curves for count, *_ in curve.values})
    # More allocators than hues: the stroke tells them apart.
    dashes = [[1, 0] if number < len(HUES) else [4, 3] for number in range(len(names))]
    hues = [HUES[number % len(HUES)] for number in range(len(names))]
    legend = alt.Legend(
        title=None, orient="top", columns=max(1, width // 200), symbolType="stroke", symbolStrokeWidth=2
    )
    x = alt.X("threads:Q", scale=alt.Scale(type="log", base=2), title="threads").axis(values=threads)
    y = alt.Y("value:Q", title=None, axis=alt.Axis(labelExpr="format(datum.value, '~s')", tickCount=4))
    colour = alt.Color("allocator:N", scale=alt.Scale(domain=names, range=hues), legend=legend)
    dash = alt.StrokeDash("allocator:N", scale=alt.Scale(domain=names, range=dashes), legend=legend)
    chart = alt.Chart(alt.Data(values=values))
    lines = chart.mark_line(point=True, strokeWidth=1.6).encode(x=x, y=y, color=colour, strokeDash=dash)
    spans = chart.mark_rule(strokeWidth=1).encode(x=x, y=alt.Y("low:Q"), y2="high:Q", color=colour)
    return alt.layer(lines, spans).properties(width=width // columns - 70, height=_PANEL)


def _last(curve: Curve) -> float:
    return curve.values[-1][1]


def spark(values: Sequence[float], said: str) -> Markup:
    """A line of figures over time, as small as a word; `said` tells it in words."""
    low, high = min(values), max(values)
    step = (_SPARK_WIDTH - 2 * _INSET) / max(1, len(values) - 1)
    room = _SPARK_HEIGHT - 2 * _INSET
    spots = [
        (_INSET + number * step, _INSET + room * (1 - ((value - low) / (high - low) if high > low else 0.5)))
        for number, value in enumerate(values)
    ]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in spots)
    x, y = spots[-1]
    return Markup(  # noqa: S704 (what is quoted is escaped)
        f'<svg class="spark" role="img" aria-label="{escape(printable(said))}"'
        f' viewBox="0 0 {_SPARK_WIDTH} {_SPARK_HEIGHT}" width="{_SPARK_WIDTH}" height="{_SPARK_HEIGHT}">'
        f'<polyline points="{path}" fill="none" stroke="var(--hue-1)" stroke-width="1.5"/>'
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="var(--hue-1)"/></svg>'
    )
