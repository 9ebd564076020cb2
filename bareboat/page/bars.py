"""Draws bars: what images are made of, what memory programs took, how many requests they answered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import altair as alt

from bareboat.page.parts import PARTS, parts_of, parts_text
from bareboat.page.scales import axis_of
from bareboat.page.svg import HUES, TEXT, render_svg
from bareboat.report.figures import size_text
from bareboat.report.table import size_of
from bareboat.result.values import Passed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bareboat.result.values import Result

_SMALL = 10_000_000  # bytes: on the scale of what is larger nothing of it could be seen
_LABELS, _ENDS, _LINE, _LINE_NARROW = 265, 64, 24, 36  # pixels
_WIDE_ENOUGH = 600  # pixels: for names beside the bars, which else stand above them
_PART_HUES = dict(zip(PARTS, (HUES[5], HUES[0], HUES[3], HUES[2], HUES[1], HUES[4]), strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One bar."""

    name: str
    value: float
    text: str  # the value with its unit
    group: str = ""  # bars of one have the same colour
    low: float | None = None  # how far the runs lay apart; None where that is not known
    high: float | None = None


def draw_bars(bars: Sequence[Bar], unit: str, identity: str, title: str, *, width: int) -> str:
    """Bars below one another, each with its value, and a line from `low` to `high`."""
    most = max(max(bar.value, bar.high or 0) for bar in bars)
    values = [_bar_value(bar) for bar in bars]
    names = [bar.name for bar in bars]
    groups = sorted({bar.group for bar in bars})  # so that a group has one colour on all charts alike
    y = _rows(names, width)
    x = alt.X("value:Q", scale=alt.Scale(domain=(0, most), nice=False), title=None).axis(
        **axis_of(unit), domain=False, ticks=False
    )
    chart = alt.Chart(alt.Data(values=values))
    colour = alt.Color("group:N", scale=alt.Scale(domain=groups, range=list(HUES)), legend=_legend(groups))
    layers: list[alt.Chart] = [
        chart.mark_bar(height=13, cornerRadiusEnd=2).encode(x=x, y=y, color=colour),
        chart.mark_rule(color=TEXT, strokeWidth=1.2).encode(x=alt.X("low:Q"), x2="high:Q", y=y),
        _ends(chart, y),
    ]
    drawn = alt.layer(*layers).properties(**_extent(width, len(bars)))
    said = "; ".join(f"{bar.name}: {bar.text}" for bar in bars)
    return render_svg(drawn, identity, title, said)


def _bar_value(bar: Bar) -> dict[str, object]:
    low, high = (bar.value if end is None else end for end in (bar.low, bar.high))
    at = max(bar.value, high)
    return {
        "name": bar.name,
        "value": bar.value,
        "text": bar.text,
        "group": bar.group,
        "low": low,
        "high": high,
        "at": at,
    }


def made_of(results: Iterable[Result]) -> tuple[Result, ...]:
    """Those passed results whose bytes are known, the smallest first."""
    found = (one for one in results if isinstance(one.outcome, Passed) and parts_of(one))
    return tuple(sorted(found, key=lambda one: (size_of(one) or 0, one.cell)))


def draw_parts(results: Sequence[Result], identity: str, title: str, *, width: int) -> str:
    """What each image is made of, as stacked bars: the small ones on a scale of their own."""
    small = [one for one in results if (size_of(one) or 0) < _SMALL]
    large = [one for one in results if one not in small]
    used = [part for part in PARTS if any(part in parts_of(one) for one in results)]
    panels = [_stacks(group, used, width) for group in (small, large) if group]
    said = "; ".join(f"{one.recipe}: {parts_text(one)}" for one in results)
    return render_svg(alt.vconcat(*panels, spacing=28), identity, title, said)


def _stacks(results: Sequence[Result], used: list[str], width: int) -> alt.LayerChart | alt.FacetChart:
    rows = [
        {"name": one.recipe, "part": part, "value": size, "order": PARTS.index(part)}
        for one in results
        for part, size in parts_of(one).items()
    ]
    totals = [{"name": one.recipe, "at": size_of(one), "text": size_text(size_of(one))} for one in results]
    y = _rows([one.recipe for one in results], width)
    most = max(size_of(one) or 0 for one in results)
    colour = alt.Color(
        "part:N",
        scale=alt.Scale(domain=used, range=[_PART_HUES[part] for part in used]),
        legend=_legend(used, 6 if width > _WIDE_ENOUGH else 2),
    )
    x = alt.X("value:Q", stack="zero", scale=alt.Scale(domain=(0, most), nice=False), title=None).axis(
        **axis_of("bytes"), domain=False, ticks=False
    )
    bars = alt.Chart(alt.Data(values=rows)).mark_bar(height=13).encode(x=x, y=y, color=colour, order="order:Q")
    drawn = alt.layer(bars, _ends(alt.Chart(alt.Data(values=totals)), y))
    return drawn.properties(**_extent(width, len(results)))


def _extent(width: int, bars: int) -> dict[str, int]:
    if width > _WIDE_ENOUGH:
        return {"width": width - _LABELS - _ENDS, "height": _LINE * bars}
    return {"width": width - _ENDS, "height": _LINE_NARROW * bars}


def _rows(names: Sequence[str], width: int) -> alt.Y:
    if width > _WIDE_ENOUGH:
        place: dict[str, Any] = {"labelLimit": _LABELS - 12, "minExtent": _LABELS - 6, "maxExtent": _LABELS}
    else:
        place = {"labelLimit": width - _ENDS, "labelAlign": "left", "labelPadding": 0, "labelOffset": -15}
    axis = alt.Axis(domain=False, ticks=False, grid=False, labelColor=TEXT, **place)
    return alt.Y("name:N", sort=list(names), title=None, axis=axis)


def _ends(chart: alt.Chart, y: alt.Y) -> Any:
    return chart.mark_text(align="left", baseline="middle", dx=5, fontSize=11.5).encode(
        x=alt.X("at:Q"), y=y, text="text:N"
    )


def _legend(groups: Sequence[str], columns: int = 3) -> alt.Legend | None:
    if len(groups) < 2:  # noqa: PLR2004 (one colour says nothing)
        return None
    return alt.Legend(title=None, orient="top", direction="horizontal", columns=columns, offset=8)
