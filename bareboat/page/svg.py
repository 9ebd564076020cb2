"""Renders a chart to SVG without a browser, small, in the colours of whatever page it stands in."""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING, Any

import vl_convert

from bareboat.system.printable import printable

if TYPE_CHECKING:
    import altair as alt

FONT = "Liberation Sans"  # which the renderer has aboard, so that every machine measures texts alike
FONTS = f"Arial,'{FONT}',Helvetica,sans-serif"  # as wide as that, letter by letter
# What stands for a colour until the page's scheme is known. A hue is for one kind of thing on all charts.
TEXT, MUTED, GRID, SURFACE = "#010101", "#020202", "#030303", "#040404"
HUES = ("#a00001", "#a00002", "#a00003", "#a00004", "#a00005", "#a00006")
_VARIABLES = {
    TEXT: "currentColor",
    MUTED: "var(--muted)",
    GRID: "var(--line)",
    SURFACE: "var(--surface)",
    **{hue: f"var(--hue-{number})" for number, hue in enumerate(HUES, start=1)},
}
# Of each variable, its value in light and in dark.
VARIABLES = (
    ("muted", "#57606a", "#9da7b3"),
    ("line", "#d8dee4", "#30363d"),
    ("surface", "#ffffff", "#0d1117"),
    ("hue-1", "#0b62c4", "#58a6ff"),
    ("hue-2", "#b35900", "#f0883e"),
    ("hue-3", "#1a7f37", "#3fb950"),
    ("hue-4", "#8250df", "#bc8cff"),
    ("hue-5", "#bf3989", "#f778ba"),
    ("hue-6", "#6e7781", "#8b949e"),
)
_TAG = re.compile(r"<[^>]+>")
_FRACTION = re.compile(r"-?\d+\.\d{2,}")
# Marks say nothing on their own: the chart has a title and a description, and each link its own.
_DROPPED = re.compile(
    r' (?:(?:role|class|aria-[a-z]+|font-family|stroke-miterlimit|pointer-events|cursor|opacity|style)="[^"]*"'
    r'|stroke-dasharray="1,0")'
)
_EMPTY = re.compile(r'<path(?: display="none"| d="(?:M0,0h0v0h0Z|)?"| fill="none")*/>|<g></g>|<g/>')
_NUMBERED = re.compile(r"clip\d+")
_CIRCLE = re.compile(
    r'<path transform="translate\(([-\d.]+),([-\d.]+)\)" d="M([\d.]+),0A\3,\3,0,1,1,-\3,0A\3,\3,0,1,1,\3,0"'
)
_LINK = re.compile(r'<a [^>]*href="[^"#]*(#[^"]*)"[^>]*>(<path [^>]*?)aria-label="([^"]*)"')


def render_svg(chart: alt.TopLevelMixin, identity: str, title: str, description: str) -> str:
    """The chart as an SVG element whose title and description a reader of screens is told; `identity` is its own."""
    # What measures texts aborts the whole process at some characters that turn letters round.
    text = vl_convert.vegalite_to_svg(_harmless(_configure(chart)), allowed_base_urls=[])
    opening, _, body = text.partition(">")
    width, height = (re.search(rf' {side}="([\d.]+)"', opening)[1] for side in ("width", "height"))  # type: ignore[index]
    role = "group" if "<a " in body else "img"
    body = _shrink(body.removesuffix("</svg>"), identity)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
        f' role="{role}" aria-labelledby="{identity}-t {identity}-d">'
        f'<title id="{identity}-t">{escape(printable(title))}</title>'
        f'<desc id="{identity}-d">{escape(printable(description))}</desc>'
        f"{body}</svg>"
    )


def stand_alone(svg: str) -> str:
    """A rendered chart as a file of its own, light or dark as its reader has it."""
    light, dark = ("".join(f"--{name}:{pair[side]};" for name, *pair in VARIABLES) for side in (0, 1))
    style = (
        f"svg{{color:#1f2328;{light}font-family:{FONTS};background:var(--surface)}}"
        f"@media (prefers-color-scheme:dark){{svg{{color:#e6edf3;{dark}}}}}"
    )
    opening, _, body = svg.partition(">")
    return f"{opening}><style>{style}</style>{body}\n"


def _configure(chart: alt.TopLevelMixin) -> dict[str, Any]:
    spec: dict[str, Any] = chart.to_dict()
    axis = {
        "labelColor": MUTED,
        "titleColor": TEXT,
        "gridColor": GRID,
        "domainColor": GRID,
        "tickColor": GRID,
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "titlePadding": 10,
        "labelPadding": 6,
        "labelLimit": 260,
    }
    legend = {"labelColor": TEXT, "titleColor": MUTED, "labelFontSize": 12, "titleFontSize": 12, "labelLimit": 300}
    header = {"labelColor": TEXT, "titleColor": TEXT, "labelFontSize": 12, "labelFontWeight": "bold"}
    spec["config"] = {
        "background": None,
        "font": FONT,
        "axis": axis,
        "legend": {**legend, "symbolSize": 90, "columnPadding": 24},
        "header": header,
        "title": {"color": TEXT, "fontSize": 13, "anchor": "start"},
        "text": {"color": TEXT},
        "view": {"stroke": None},
        "range": {"category": list(HUES)},
    }
    return spec


def _harmless(value: Any) -> Any:
    """A specification whose every text is safe to show."""
    if isinstance(value, dict):
        return {key: _harmless(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_harmless(one) for one in value]
    return printable(value) if isinstance(value, str) else value


def _shrink(body: str, identity: str) -> str:
    # The renderer has links begin with a web address of its own, and says beside the link what the link is.
    body = _LINK.sub(r'<a href="\1"><title>\3</title>\2', body)
    body = _DROPPED.sub("", body)
    body = _TAG.sub(lambda tag: _FRACTION.sub(_round, tag[0]), body)
    body = _CIRCLE.sub(r'<circle cx="\1" cy="\2" r="\3"', body)
    # The renderer counts on from one chart to the next.
    clips = {name: f"{identity}-{number}" for number, name in enumerate(dict.fromkeys(_NUMBERED.findall(body)))}
    body = _NUMBERED.sub(lambda found: clips[found[0]], body)
    before = ""
    while before != body:
        before, body = body, _EMPTY.sub("", body)
    for colour, variable in _VARIABLES.items():
        body = body.replace(f'"{colour}"', f'"{variable}"')
    return body


def _round(found: re.Match[str]) -> str:
    return f"{float(found[0]):.1f}".removesuffix(".0")
