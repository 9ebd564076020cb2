"""Renders the table of results: as text for a terminal or as Markdown, and for other programs as CSV or JSON."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING, Literal, assert_never

from tabulate import tabulate

from bareboat.report.escape import markdown_text
from bareboat.report.origin import origin_lines
from bareboat.report.records import csv_text, json_text
from bareboat.report.table import Table, group_by_sample, results_table, sort_results
from bareboat.report.text_table import text_table
from bareboat.result.values import Failed, Passed, Skipped
from bareboat.system.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bareboat.result.values import Result

Format = Literal["text", "markdown", "csv", "json"]
TERMINAL_COLUMNS = 100
_LOG = "  the whole log: "
NOTHING = "No results.\n"


def render(
    results: Iterable[Result],
    format: Format,  # noqa: A002 (the option's name)
    *,
    wide: bool = True,
    chosen: Sequence[str] = (),
) -> str:
    """The results as `text`, `markdown`, `csv` or `json`, ending with a newline.

    Text and Markdown have a table for each sample, in Markdown with all columns; `wide=False` limits text to the main
    ones, which fit into 100 characters, and `chosen` names those of both. CSV and JSON have one list of all results and
    all columns.
    """
    given = tuple(results)
    match format:
        case "text":
            return _text(given, wide=wide, chosen=chosen)
        case "markdown":
            return markdown(given, level=2, chosen=chosen)
        case "csv":
            return csv_text(given)
        case "json":
            return json_text(given)
        case _:
            assert_never(format)


def markdown(results: Iterable[Result], *, level: int, chosen: Sequence[str] = ()) -> str:
    """A Markdown table for each sample; if there are several samples, each under a heading of that `level`."""
    grouped = group_by_sample(results)
    if not grouped:
        return NOTHING
    return "\n".join(
        (f"{'#' * level} {markdown_text(heading)}\n\n" if len(grouped) > 1 else "")
        + markdown_table(results_table(group, chosen=chosen))
        + markdown_origins(group)
        for heading, group in grouped
    )


def markdown_origins(results: Sequence[Result]) -> str:
    """What a Markdown table of these results says below it of where they come from, as a paragraph of its own."""
    lines = origin_lines(results)
    return f"\n{markdown_text(' '.join(lines))}\n" if lines else ""


def markdown_table(table: Table) -> str:
    """`table` as Markdown, with each cell escaped and a newline at the end."""
    cells = [[markdown_text(cell) for cell in row] for row in table.rows]
    headings = [markdown_text(heading) for heading in table.headings]
    if not cells:
        return NOTHING
    return tabulate(cells, headings, tablefmt="pipe", disable_numparse=True, colalign=table.alignment) + "\n"


def _text(results: tuple[Result, ...], *, wide: bool, chosen: Sequence[str]) -> str:
    grouped = group_by_sample(results)
    if not grouped:
        return NOTHING
    return "\n".join(
        (f"{heading}\n\n" if len(grouped) > 1 else "")
        + _text_table(_without_empty_columns(results_table(group, wide=wide, reasons=False, chosen=chosen)))
        + "".join(f"{line}\n" for line in ("", *origin_lines(group)) if origin_lines(group))
        + "".join(f"{line}\n" for line in not_passed(group))
        for heading, group in grouped
    )


def _text_table(table: Table) -> str:
    for gap in ("  ", " "):
        text = text_table(table, gap)
        if max(map(len, text.splitlines())) <= TERMINAL_COLUMNS:
            break
    return text


def _without_empty_columns(table: Table) -> Table:
    kept = [index for index, cells in enumerate(zip(*table.rows, strict=True)) if any(cells)]
    return Table(
        headings=tuple(table.headings[index] for index in kept),
        rows=tuple(tuple(row[index] for index in kept) for row in table.rows),
        alignment=tuple(table.alignment[index] for index in kept),
    )


def not_passed(results: Iterable[Result]) -> list[str]:
    """What is said below a table of what did not pass: each failure once, with its bases, behind an empty line."""
    lines: list[str] = []
    for _, group in groupby(sort_results(results), key=_failure):
        first, *others = group
        name = ", ".join(printable(result.recipe) for result in (first, *others))
        match first.outcome:
            case Failed(expected=expected, detail=detail) if expected:
                lines += ["", f"{name} fails as expected: {printable(expected)}", *_indented(detail)]
            case Failed(stage=stage, reason=reason, detail=detail):
                lines += ["", f"{name} failed at {stage}: {printable(reason)}"]
                lines += _indented(detail) if detail.strip() != reason.strip() else []
            case Skipped(reason=reason):
                lines += ["", f"{name} was skipped: {printable(reason)}"]
            case Passed():
                pass
            case _:
                assert_never(first.outcome)
    return lines


def _failure(result: Result) -> object:
    """What the same failure on several bases is told once by: a compile's log is another for each libc and linkage."""
    outcome = result.outcome
    if not isinstance(outcome, Failed):
        return outcome
    return replace(outcome, detail="\n".join(line for line in outcome.detail.split("\n") if _LOG not in line))


def _indented(detail: str) -> list[str]:
    # str.splitlines would also split at control characters, which `printable` must show.
    lines = detail.rstrip().split("\n") if detail.strip() else []
    return [f"    {printable(line.expandtabs())}".rstrip() for line in lines]
