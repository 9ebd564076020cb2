"""Shows results on a terminal: tables as wide as it is, with bars, and below them what did not pass."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING

from bareboat.report.bars import with_bars
from bareboat.report.fit import GAP, choose_columns, fold, fold_lines, stack_columns
from bareboat.report.origin import origin_lines
from bareboat.report.render import NOTHING, not_passed
from bareboat.report.table import Table, choose_fields, group_by_sample, result_fields
from bareboat.report.text_table import text_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bareboat.report.table import Field
    from bareboat.result.values import Result
    from bareboat.system.screen import Screen

_CSV = "`--format csv`"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Column:
    """One column of a table, with its text."""

    field: Field
    cells: tuple[str, ...]

    @property
    def width(self) -> int:
        """Of the widest word of the heading, or the widest cell."""
        return max(map(len, [*self.field.heading.split(), *self.cells]), default=0)


def show(results: Iterable[Result], screen: Screen, chosen: Sequence[str] = ()) -> str:
    """A table for each sample, no line of which is longer than the screen unless a single word is.

    Where no columns are `chosen`, it has those that there is room for, and the last line names the others.
    """
    groups = group_by_sample(results)
    if not groups:
        return NOTHING
    blocks: list[str] = []
    left_out: dict[str, None] = {}
    for heading, group in groups:
        tables, others = _tables(group, screen, chosen)
        left_out |= dict.fromkeys(others)
        title = [f"{heading}\n"] if len(groups) > 1 else []
        blocks += [*title, *tables]
        if told := not_passed(group):
            blocks.append(fold_lines(told[1:], screen.columns, hang=2))
    blocks += _below([group for _, group in groups], tuple(left_out), screen.columns)
    return "\n".join(blocks)


def _tables(results: Sequence[Result], screen: Screen, chosen: Sequence[str]) -> tuple[list[str], list[str]]:
    """The table of a sample's results, or the tables that have all chosen columns; and the names that are left out."""
    fields = with_bars(result_fields(results, reasons=False), results, blocks=screen.blocks)
    if chosen:
        fields = choose_fields(fields, chosen)
    found = [_Column(field=field, cells=tuple(field.text(result) for result in results)) for field in fields]
    columns = [found[0], *(column for column in found[1:] if any(column.cells))]
    widths = [column.width for column in columns]
    if chosen:
        picked = stack_columns(widths, screen.columns)
    else:
        picked = (choose_columns(widths, [column.field.rank for column in columns], screen.columns),)
    shown = {index for each in picked for index in each}
    left_out = [column.field for index, column in enumerate(columns) if index not in shown]
    tables = [_table([columns[index] for index in each], screen) for each in picked]
    return tables, [field.name for field in left_out if field.heading]


def _table(columns: Sequence[_Column], screen: Screen) -> str:
    """A table as text; a column that alone is too wide for the screen has its cells folded."""
    room = screen.columns - sum(column.width + GAP for column in columns[:-1])
    *others, last = ([[cell] for cell in column.cells] for column in columns)
    if room < columns[-1].width:
        last = [fold(cell, room) for cell in columns[-1].cells]
    rows = [line for row in zip(*others, last, strict=True) for line in zip_longest(*row, fillvalue="")]
    return text_table(
        Table(
            headings=tuple(column.field.heading for column in columns),
            rows=tuple(rows),
            alignment=tuple(column.field.alignment for column in columns),
        ),
        " " * GAP,
        "─" if screen.blocks else "-",
    )


def _below(groups: Sequence[Sequence[Result]], left_out: Sequence[str], room: int) -> list[str]:
    """What is said once below all tables: where figures come from, and which columns there was no room for."""
    origins = dict.fromkeys(line for group in groups for line in origin_lines(group, _CSV))
    below = [fold_lines(origins, room)] if origins else []
    if left_out:
        said = (
            f"No room for {', '.join(left_out)}: `--columns {left_out[0]},...` shows these, `--columns all` every one."
        )
        below.append(fold_lines([said], room))
    return below
