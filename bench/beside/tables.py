"""Writes what was measured as Markdown. Pure."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

from beside.figures import BAREBOAT, ratio_to

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from beside.figures import Figures, Row, Taken

_MANY_SECONDS = 100
_SOME_SECONDS = 10
# A share of the time that says that a row has the column at all.
_EXTRAS: tuple[tuple[str, Callable[[Taken], float], str], ...] = (
    ("CPU, s", lambda one: one.processor_seconds, "{:.2f}"),
    ("Peak, MB", lambda one: one.peak_bytes / 1e6, "{:.0f}"),
    ("Probes, s", lambda one: one.probe_seconds, "{:.2f}"),
    ("Without probes, s", lambda one: one.seconds - one.probe_seconds if one.probe_seconds else 0.0, "{:.2f}"),
)


def seconds_text(seconds: float) -> str:
    """Three digits, as far as that goes."""
    digits = 0 if seconds >= _MANY_SECONDS else 1 if seconds >= _SOME_SECONDS else 2
    return f"{seconds:.{digits}f}"


def write_table(figures: Figures) -> str:
    """A row a way: the median and the interval of its seconds, and its ratio to Bareboat's first row."""
    extras = [extra for extra in _EXTRAS if any(extra[1](one) for row in figures.rows for one in row.taken)]
    headings = ("Median, s", "Least, s", "Most, s", "To Bareboat", *(heading for heading, _, _ in extras))
    lines = [f"| Way | {' | '.join(headings)} |", f"|---|{'---:|' * len(headings)}"]
    for row in figures.rows:
        if not row.taken:
            lines.append(f"| {row.way} | {row.absent} |{' |' * (len(headings) - 1)}")
            continue
        seconds = [one.seconds for one in row.taken]
        ratio = ratio_to(row, figures.unit)
        words = [seconds_text(value) for value in (row.median, min(seconds), max(seconds))]
        words.append("" if ratio is None else f"{ratio:.2f}")
        for _, value, form in extras:
            middle = statistics.median(value(one) for one in row.taken)
            words.append(form.format(middle) if middle else "")
        lines.append(f"| {row.way} | {' | '.join(words)} |")
    return "\n".join(lines)


def write_section(figures: Figures) -> str:
    """A work with its heading, its table, and the facts of the machine that it ran on."""
    remarks = "".join(f"- {remark}\n" for remark in figures.remarks)
    facts = f"<details><summary>The machine</summary>\n\n{figures.facts}\n\n</details>\n"
    parts = (f"### {figures.title}\n", f"{figures.note}\n", f"{write_table(figures)}\n", remarks, facts)
    return "\n".join(part for part in parts if part)


def write_summary(all_figures: Sequence[Figures]) -> str:
    """A row a work, a column a peer: how many times as long as Bareboat it took."""
    ways = list(dict.fromkeys(row.way for figures in all_figures for row in _peers(figures)))
    if not ways:
        return ""
    lines = [f"| Work | Bareboat, s | {' | '.join(ways)} |", f"|---|---:|{'---:|' * len(ways)}"]
    for figures in all_figures:
        unit, rows = figures.unit, {row.way: row for row in _peers(figures)}
        if unit is None or not rows:
            continue
        ratios = [ratio_to(rows[way], unit) if way in rows else None for way in ways]
        words = ["" if ratio is None else f"{ratio:.2f}" for ratio in ratios]
        lines.append(f"| {figures.title} | {seconds_text(unit.median)} | {' | '.join(words)} |")
    return "\n".join(lines)


def _peers(figures: Figures) -> list[Row]:
    return [row for row in figures.rows if not row.way.startswith(BAREBOAT)]
