"""Puts the page together: one file, in which whatever a program printed is text, and which asks for nothing."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from bareboat.page.answer import main_samples, make_cards
from bareboat.page.bars import Bar, draw_bars, draw_parts, made_of
from bareboat.page.cells import make_panels
from bareboat.page.choice import find_choices
from bareboat.page.grids import make_grids, make_predictions, make_table
from bareboat.page.lines import draw_curves
from bareboat.page.scatter import AGAINST, NARROW, WIDE, draw_front, find_front, front_sentence
from bareboat.page.svg import VARIABLES
from bareboat.report.figures import size_text, value_text
from bareboat.report.table import measurement_of, size_of
from bareboat.result.values import Passed
from bareboat.system.printable import printable_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from bareboat.page.values import PageInput
    from bareboat.result.values import Result

# End tags that HTML has its readers put in, twelve thousand of them:
# https://html.spec.whatwg.org/multipage/syntax.html#optional-tags
_IMPLIED = re.compile(r"</t[dh]>(?=\s*(?:<t[dhr]\b|</tr>|</tbody>))|</tr>(?=\s*(?:<tr\b|</tbody>))")
_TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """One chart, drawn for a wide page and for a narrow one."""

    title: str
    said: str  # a sentence of what it shows
    wide: Markup
    narrow: Markup


def make_page(page: PageInput) -> str:
    """The page as HTML; equal input gives equal text."""
    style, script = _style(), (_TEMPLATES / "page.js").read_text(encoding="utf-8")
    made = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_harmless,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    whole = made.get_template("page.html.jinja").render(
        **_words(page, page.hosts[lead_of(page.hosts)]),
        style=Markup(style),  # noqa: S704 (a file of ours)
        script=Markup(script),  # noqa: S704 (likewise)
        style_hash=_hash(style),
        script_hash=_hash(script),
        size_text=size_text,
        size_of=size_of,
    )
    return _IMPLIED.sub("", whole)


def _words(page: PageInput, results: tuple[Result, ...]) -> dict[str, object]:
    """What the template shows; `results` are those of the host that the charts are of."""
    headings, rows = make_table(page.hosts)
    against = [front.heading for _, group in main_samples(results) if (front := find_front(group))]
    return {
        "title": page.title,
        "lead": lead_of(page.hosts),
        "hosts": tuple(page.hosts),
        "headings": headings,
        "rows": rows,
        "cards": make_cards(results, page.summaries),
        "choices": find_choices(results),
        "fronts": tuple(_fronts(results)),
        "against": against[0].lower() if against else "",
        "started": AGAINST[0][0] in against,
        "parts": tuple(_parts(results)),
        "memory": tuple(_memory(results)),
        "loads": tuple(_loads(page)),
        "curves": tuple(_curves(page)),
        "panels": make_panels(page),
        "grids": make_grids(page.hosts),
        "predictions": make_predictions(page.hosts),
    }


def front_chart(results: Iterable[Result]) -> str:
    """The one chart that stands alone, of the first of the main programs; "" where too little was measured."""
    for sample, group in main_samples(results):
        if front := find_front(group):
            title = f"Which base image for a Rust program? Size against {front.heading.lower()} of {sample}"
            return draw_front(front, "front", title, linked=False)
    return ""


def _harmless(value: object) -> object:
    """What a template shows: of a text each character that would turn letters round or be obeyed is spelt out."""
    if value is None:
        return ""
    return printable_lines(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _style() -> str:
    light, dark = ("".join(f"--{name}:{pair[side]};" for name, *pair in VARIABLES) for side in (0, 1))
    text = (_TEMPLATES / "page.css").read_text(encoding="utf-8")
    return text.replace("/* light */", light).replace("/* dark */", dark)


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def lead_of(hosts: Mapping[str, tuple[Result, ...]]) -> str:
    """The host that the charts are of: the one with the most results."""
    return min(hosts, key=lambda host: (-len(hosts[host]), host))


def _chart(identity: str, title: str, said: str, draw: Callable[[str, int], str]) -> Chart:
    # An SVG is made by code of ours, which escapes what it quotes.
    wide, narrow = (Markup(draw(f"{identity}-{width}", width)) for width in (WIDE, NARROW))  # noqa: S704
    return Chart(title=title, said=said, wide=wide, narrow=narrow)


def _fronts(results: tuple[Result, ...]) -> Iterator[Chart]:
    for number, (sample, group) in enumerate(main_samples(results)):
        if front := find_front(group):
            title = f"{sample}: size against {front.heading.lower()}"
            yield _chart(
                f"front{number}",
                title,
                front_sentence(front),
                lambda identity, width, front=front, title=title: draw_front(front, identity, title, width=width),  # type: ignore[misc]
            )


def _parts(results: tuple[Result, ...]) -> Iterator[Chart]:
    for number, (sample, group) in enumerate(main_samples(results)):
        if shown := made_of(group):
            title = f"{sample}: what each image is made of"
            yield _chart(
                f"parts{number}",
                title,
                "",
                lambda identity, width, shown=shown, title=title: draw_parts(shown, identity, title, width=width),  # type: ignore[misc]
            )


def _memory(results: tuple[Result, ...]) -> Iterator[Chart]:
    bars = [bar for one in results if (bar := _memory_bar(one))]
    if bars:
        bars.sort(key=lambda bar: (bar.value, bar.name))
        title = "Peak memory"
        yield _chart(
            "memory", title, "", lambda identity, width: draw_bars(bars, "bytes", identity, title, width=width)
        )


def _memory_bar(result: Result) -> Bar | None:
    taken = measurement_of(result, "peak")
    if not isinstance(result.outcome, Passed) or not taken or not isinstance(taken.value, int | float):
        return None
    ends = (taken.spread.p10, taken.spread.p90) if taken.spread else (None, None)
    libc = measurement_of(result, "libc")
    text, group = value_text(taken), value_text(libc) if libc else ""
    return Bar(name=result.cell, value=float(taken.value), text=text, group=group, low=ends[0], high=ends[1])


def _loads(page: PageInput) -> Iterator[Chart]:
    for number, (series, loads) in enumerate(groupby(page.loads, key=lambda load: load.series)):
        ordered = sorted(loads, key=lambda load: -load.rate)
        bars = [
            Bar(
                name=load.cell,
                value=load.rate,
                text=f"{load.rate:,.0f}",
                group=_library(load.tls),
            )
            for load in ordered
        ]
        yield _chart(
            f"load{number}",
            f"Requests a second by TLS library: {series[:1].lower()}{series[1:]}",
            "",
            lambda identity, width, bars=bars, series=series: draw_bars(bars, "count", identity, series, width=width),  # type: ignore[misc]
        )


def _library(tls: str) -> str:
    """The TLS library without its version: `OpenSSL 3.5.9, static` is `OpenSSL`."""
    return re.sub(r" [\d.]+.*", "", tls)


def _curves(page: PageInput) -> Iterator[Chart]:
    figures = list(dict.fromkeys(curve.figure for curve in page.curves))
    for number, figure in enumerate(figures):
        own = [curve for curve in page.curves if curve.figure == figure]
        title = f"Allocators: {figure}"
        yield _chart(
            f"curve{number}",
            title,
            "",
            lambda identity, width, own=own, title=title: draw_curves(own, identity, title, width=width),  # type: ignore[misc]
        )
