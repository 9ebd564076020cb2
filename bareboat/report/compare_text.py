"""Tells a comparison: as text of 80 columns, as Markdown for a pull request, as JSON for other programs. Pure."""

from __future__ import annotations

import json
import textwrap
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING, Literal, assert_never

from bareboat.report.escape import markdown_text
from bareboat.report.figures import value_text
from bareboat.report.listed import listed
from bareboat.report.render import markdown_table
from bareboat.report.table import Alignment, Table
from bareboat.result.measurement import Measurement
from bareboat.system.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from bareboat.report.compare import Change, Comparison, Verdict
    from bareboat.result.measurement import Spread

CompareFormat = Literal["text", "markdown", "json"]
WIDTH = 80
# By default only these are shown: what is timed is another figure in every run.
_SHOWN: tuple[Verdict, ...] = ("worse", "better", "changed")
_COUNTED: tuple[Verdict, ...] = (*_SHOWN, "not judged", "same")
_NO_FIGURE = "none"


def tell_comparison(
    found: Comparison,
    against: str,
    format: CompareFormat,  # noqa: A002  # the option's name
    *,
    whole: bool = False,
) -> str:
    """What was found, compared with `against`; `whole` shows the figures too that did not change or are not judged."""
    shown = tuple(change for change in found.changes if whole or change.verdict in _SHOWN)
    match format:
        case "text":
            return _text(found, against, shown)
        case "markdown":
            return _markdown(found, against, shown)
        case "json":
            return _json(found, against, shown)
        case _:
            assert_never(format)


def counts_line(found: Comparison) -> str:
    """`12 cells: 1 figure worse, 2 changed, 240 same; 1 cell gone, 0 new`."""
    cells = len({(change.host, change.cell) for change in found.changes})
    verdicts = [f"{found.counts[verdict]} {verdict}" for verdict in _COUNTED if found.counts[verdict]]
    figures = f": of their figures {', '.join(verdicts)}" if verdicts else ""
    return f"{cells} cell{'' if cells == 1 else 's'} compared{figures}; {len(found.gone)} gone, {len(found.added)} new"


def _text(found: Comparison, against: str, shown: Sequence[Change]) -> str:
    lines = [*_wrap(f"Compared with {against}."), *(line for note in found.notes for line in _wrap(note, "  "))]
    widths = _widths(shown)
    several = len({change.host for change in found.changes}) > 1
    for (host, cell), group in groupby(shown, key=lambda change: (change.host, change.cell)):
        lines += ["", printable(f"{host}/{cell}" if several else cell)]
        lines += [line for change in group for line in _row(change, widths)]
    for word, cells in (("gone", found.gone), ("new", found.added)):
        lines += ["", *_wrap(f"{word}: {listed([printable(cell) for cell in cells])}")] if cells else []
    lines += ["", *_wrap(counts_line(found))]
    return "\n".join(lines) + "\n"


def _widths(shown: Iterable[Change]) -> tuple[int, ...]:
    rows = [_words(change) for change in shown if change.percent is not None]
    return tuple(max(map(len, column)) for column in zip(*rows, strict=True)) or (0, 0, 0, 0, 0)


def _row(change: Change, widths: Sequence[int]) -> Iterator[str]:
    heading, old, new, percent, verdict = _words(change)
    first, second, third, fourth, _ = widths
    line = f"  {heading:<{first}}  {old:>{second}} -> {new:>{third}}  {percent:>{fourth}}  {verdict}"
    if change.percent is None or len(line) > WIDTH:
        line = f"  {heading:<{first}}  {old} -> {new}" + f"  {percent}" * bool(percent) + f"  {verdict}"
    yield from [line] if len(line) <= WIDTH else _wrap(" ".join(line.split()), "  ", "    ")
    yield from _wrap(printable(_reason(change)), "    ")


def _words(change: Change) -> tuple[str, str, str, str, str]:
    old, new = _values(change)
    return printable(change.new.column.heading), old, new, _percent_text(change.percent), change.verdict


def _values(change: Change) -> tuple[str, str]:
    """Both figures as text; unrounded where rounding leaves no difference to see."""
    old, new = _value(change, change.old), _value(change, change.new)
    if old == new and change.percent:
        unit = {"bytes": " B", "seconds": " s"}.get(change.new.column.unit, "")
        return f"{change.old.value:,}{unit}", f"{change.new.value:,}{unit}"
    return old, new


def _value(change: Change, measurement: Measurement) -> str:
    return value_text(replace(measurement, column=change.new.column)) or _NO_FIGURE


def _percent_text(percent: float | None) -> str:
    """About three digits and the sign: `+0.34 %`, `+12.5 %`, `-100 %`; "" for None."""
    if percent is None:
        return ""
    digits = next((digits for digits, below in ((2, 10), (1, 100)) if abs(percent) < below), 0)
    return f"{percent:+,.{digits}f} %"


def _wrap(text: str, first: str = "", others: str | None = None) -> list[str]:
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=first,
        subsequent_indent=first if others is None else others,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _markdown(found: Comparison, against: str, shown: Sequence[Change]) -> str:
    worse = found.counts["worse"]
    verdict = f"{worse} figure{'' if worse == 1 else 's'} became worse" if worse else "nothing became worse"
    parts = [f"## Bareboat: {verdict}", f"Compared with {markdown_text(against)}. {counts_line(found)}."]
    parts += ["\n".join(f"- {markdown_text(note)}" for note in found.notes)] if found.notes else []
    several = len({change.host for change in found.changes}) > 1
    # What has to be looked at stands first.
    ordered = sorted(shown, key=lambda change: _COUNTED.index(change.verdict))
    rows = tuple(
        (f"{change.host}/{change.cell}" if several else change.cell, *_words(change), _reason(change))
        for change in ordered
    )
    if rows:
        parts.append(markdown_table(_table(rows)).rstrip("\n"))
    for word, cells in (("Gone", found.gone), ("New", found.added)):
        parts += [f"{word}: {markdown_text(listed(cells))}"] if cells else []
    return "\n\n".join(parts) + "\n"


def _reason(change: Change) -> str:
    """Why it is so: what a result says of it, or how sure both figures are; "" where nothing has changed."""
    if change.verdict == "same":
        return ""
    spreads = [one.spread for one in (change.old, change.new)]
    return change.new.why or " -> ".join(_interval(change, spread) for spread in spreads if spread and all(spreads))


def _interval(change: Change, spread: Spread) -> str:
    low, high = (value_text(Measurement(column=change.new.column, value=end)) for end in (spread.p10, spread.p90))
    return f"{low} to {high}"


def _table(rows: tuple[tuple[str, ...], ...]) -> Table:
    why = any(row[-1] for row in rows)
    kept = rows if why else tuple(row[:-1] for row in rows)
    headings = ("Cell", "Figure", "Before", "Now", "Change", "Verdict", "Why")[: len(kept[0])]
    sides: tuple[Alignment, ...] = ("left", "left", "right", "right", "right", "left", "left")
    return Table(headings=headings, rows=kept, alignment=sides[: len(kept[0])])


def _json(found: Comparison, against: str, shown: Sequence[Change]) -> str:
    changes = [
        {
            "host": change.host,
            "cell": change.cell,
            "column": change.new.column.name,
            "unit": change.new.column.unit,
            "old": change.old.value,
            "new": change.new.value,
            "change_percent": change.percent,
            "verdict": change.verdict,
            "why": _reason(change),
        }
        for change in shown
    ]
    counts = {verdict.replace(" ", "_"): found.counts[verdict] for verdict in _COUNTED}
    return dump(
        {"against": against, "counts": counts, "changes": changes}
        | {"gone": found.gone, "new": found.added, "notes": found.notes}
    )


def dump(value: object) -> str:
    """A value as JSON, ending with a newline."""
    return json.dumps(value, indent=2) + "\n"
