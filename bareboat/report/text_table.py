"""Writes a table as text: headings of one word a line, a rule, and the rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tabulate import SEPARATING_LINE, DataRow, Line, TableFormat, tabulate

if TYPE_CHECKING:
    from bareboat.report.table import Table


def text_table(table: Table, gap: str, rule: str = "─") -> str:
    """`table` as lines without spaces at their ends; `gap` is between two columns, and `rule` drawn by the headings."""
    # tabulate makes a column two characters wider than its heading, so the headings are passed as rows.
    row = DataRow("", gap, "")
    style = TableFormat(
        lineabove=None,
        linebelowheader=Line("", rule, gap, ""),
        linebetweenrows=None,
        linebelow=None,
        headerrow=row,
        datarow=row,
        padding=0,
        with_header_hide=None,
    )
    lines = [*stacked(table.headings), SEPARATING_LINE, *table.rows]
    text = tabulate(lines, tablefmt=style, disable_numparse=True, colalign=table.alignment)
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines())


def stacked(headings: tuple[str, ...]) -> list[tuple[str, ...]]:
    """The headings as lines of one word each, aligned at the bottom, so that columns are as narrow as their figures."""
    words = [heading.split() or [""] for heading in headings]
    height = max(map(len, words))
    return [tuple((["" for _ in range(height - len(each))] + each)[line] for each in words) for line in range(height)]
