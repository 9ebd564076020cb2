"""Draws size against start-up, and the front: the images than which none is both smaller and sooner up."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeGuard

import altair as alt

from bareboat.page.labels import place_labels
from bareboat.page.scales import axis_of, log_ticks
from bareboat.page.svg import HUES, MUTED, SURFACE, TEXT, render_svg, stand_alone
from bareboat.report.figures import value_text
from bareboat.report.table import measurement_of, size_of
from bareboat.result.values import Passed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bareboat.result.values import Result

# What is drawn against the size: the first of these that was measured; heading and name.
AGAINST = (
    ("Start-up", "start_up"),
    ("Time to serve", "time_to_serve"),
    ("Peak memory", "peak"),
    ("Transfer, gzip -6", "transfer_size"),
)
WIDE, NARROW = 1080, 350  # pixels that a chart takes
_HEIGHT, _MARGINS, _ROOMY = 330, 76, 600
_LINEAR = 12  # times the least that the most may be where a scale begins at 0
_KINDS = ("from scratch", "distroless", "alpine", "debian", "other")
_SHAPES = {"musl": "diamond", "gnu": "circle"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    """A chart's points, the smallest first."""

    heading: str  # of what is drawn against the size
    unit: str
    points: tuple[tuple[Result, float, float], ...]  # with size in bytes and the other figure
    best: tuple[str, ...]  # the recipes on the front


def find_front(results: Iterable[Result]) -> Front | None:
    """The passed cells of one sample on one host; None where fewer than three have two figures to draw."""
    passed = [one for one in results if isinstance(one.outcome, Passed) and size_of(one)]
    for heading, name in AGAINST:
        found = [(one, size_of(one) or 0.0, taken) for one in passed if (taken := measurement_of(one, name))]
        points = sorted(
            ((one, size, float(value)) for one, size, taken in found if _is_figure(value := taken.value)),
            key=lambda point: (point[1], point[2], point[0].recipe),
        )
        if len(points) > 2:  # noqa: PLR2004 (two points make no front)
            unit = next(taken.column.unit for _, _, taken in found)
            spreads = {one.recipe: taken.spread for one, _, taken in found}
            best, least = [], math.inf
            for one, _, figure in points:
                if figure < least:
                    best.append(one.recipe)
                    # A median that is no lower than many a single run was is no better: the next run may turn it round.
                    least = spread.p10 if (spread := spreads[one.recipe]) else figure
            return Front(heading=heading, unit=unit, points=tuple(points), best=tuple(best))
    return None


def front_sentence(front: Front) -> str:
    """What the chart shows, in words."""
    figures = {one.recipe: point_text(front, one) for one, _, _ in front.points}
    named = "; ".join(f"{recipe} ({figures[recipe]})" for recipe in front.best)
    return f"Nothing measured is better in one figure without being worse in the other than: {named}."


def point_text(front: Front, result: Result) -> str:
    """Both figures of a point: `438 kB, 1.2 ms`."""
    names = ("size", next(name for heading, name in AGAINST if heading == front.heading))
    return ", ".join(value_text(taken) for name in names if (taken := measurement_of(result, name)))


def draw_front(front: Front, identity: str, title: str, *, width: int = WIDE, linked: bool = True) -> str:
    """The chart as SVG; on a page each point leads to its cell, and what stands alone brings its colours along."""
    svg = render_svg(_chart(front, width - _MARGINS, linked=linked), identity, title, front_sentence(front))
    return svg if linked else stand_alone(svg)


def _is_figure(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0


def kind_of(result: Result) -> str:
    """What a cell is put on, in a word."""
    if result.provenance and result.provenance.base.kind == "scratch":
        return _KINDS[0]
    word = result.recipe.partition("-")[0]
    return word if word in _KINDS else _KINDS[-1]


def _chart(front: Front, width: int, *, linked: bool) -> alt.TopLevelMixin:
    sizes = [size for _, size, _ in front.points]
    figures = [figure for _, _, figure in front.points]
    across = (min(sizes) / 1.5, max(sizes) * 1.9)
    is_log = max(figures) / min(figures) > _LINEAR
    up = (min(figures) / 1.6, max(figures) * 1.6) if is_log else (0.0, max(figures) * 1.15)
    x = alt.X("size:Q", scale=alt.Scale(type="log", domain=across, nice=False), title="Image size")
    y = alt.Y("figure:Q", scale=alt.Scale(type="log" if is_log else "linear", domain=up, nice=False))
    x = x.axis(**axis_of("bytes", log_ticks(*across)))
    y = y.axis(**axis_of(front.unit, log_ticks(*up) if is_log else None)).title(front.heading)
    values = [_point(one, size, figure, front, linked=linked) for one, size, figure in front.points]
    marks = alt.Chart(alt.Data(values=values)).mark_point(filled=True, size=95, stroke=SURFACE, strokeWidth=1)
    kinds = [kind for kind in _KINDS if kind in {value["kind"] for value in values}]
    colour = alt.Color(
        "kind:N", scale=alt.Scale(domain=kinds, range=list(HUES)), legend=_legend("Base", 5 if width > _ROOMY else 2)
    )
    libcs = sorted({value["libc"] for value in values})
    shape = alt.Shape(
        "libc:N",
        scale=alt.Scale(domain=libcs, range=[_SHAPES.get(libc, "square") for libc in libcs]),
        legend=alt.Legend(**_legend("libc", 3 if width > _ROOMY else 1).to_dict(), symbolFillColor=TEXT),
    )
    points = marks.encode(x=x, y=y, color=colour, shape=shape, description="said:N")
    points = points.encode(href="href:N") if linked else points
    edge = [value for value in values if value["best"]]
    line = alt.Chart(alt.Data(values=edge)).mark_line(
        interpolate="step-after", color=MUTED, strokeDash=[4, 3], strokeWidth=1.2
    )
    names = _names(front, (across, up), width, is_log=is_log)
    chart = alt.layer(line.encode(x=x, y=y), points, names)
    return chart.properties(width=width, height=_HEIGHT)


def _legend(title: str, columns: int) -> alt.Legend:
    return alt.Legend(title=title, orient="top", direction="horizontal", columns=columns, offset=6, symbolStrokeWidth=0)


def _point(one: Result, size: float, figure: float, front: Front, *, linked: bool) -> dict[str, Any]:
    libc = measurement_of(one, "libc")
    return {
        "size": size,
        "figure": figure,
        "kind": kind_of(one),
        "best": one.recipe in front.best,
        "libc": value_text(libc) if libc else "",
        "said": f"{one.recipe}: {point_text(front, one)}",
        **({"href": f"#{one.cell}"} if linked else {}),
    }


def _names(front: Front, domains: tuple[tuple[float, float], tuple[float, float]], width: int, *, is_log: bool) -> Any:
    across, up = domains
    spots = {
        one.recipe: (_log_share(size, across) * width, (1 - _share(figure, up, is_log=is_log)) * _HEIGHT)
        for one, size, figure in front.points
    }
    heavy = sorted(spots, key=lambda recipe: (recipe not in front.best, spots[recipe]))
    placed = place_labels([(recipe, *spots[recipe]) for recipe in heavy], width, _HEIGHT, _steps(front, spots))
    values = [{"x": label.left, "y": label.middle, "name": label.name} for label in placed]
    return (
        alt.Chart(alt.Data(values=values))
        .mark_text(align="left", baseline="middle", fontSize=11.5)
        .encode(x=alt.X("x:Q", scale=None, axis=None), y=alt.Y("y:Q", scale=None, axis=None), text="name:N")
    )


def _steps(front: Front, spots: dict[str, tuple[float, float]]) -> Sequence[tuple[float, float]]:
    """Places on the front's line, which no name is to cross."""
    found: list[tuple[float, float]] = []
    for here, there in zip(front.best, front.best[1:], strict=False):
        (x, y), (right, low) = spots[here], spots[there]
        found += [(x + (right - x) * part / 20, y) for part in range(21)]
        found += [(right, y + (low - y) * part / 20) for part in range(21)]
    return found


def _log_share(value: float, domain: tuple[float, float]) -> float:
    return math.log(value / domain[0]) / math.log(domain[1] / domain[0])


def _share(value: float, domain: tuple[float, float], *, is_log: bool) -> float:
    return _log_share(value, domain) if is_log else (value - domain[0]) / (domain[1] - domain[0])
