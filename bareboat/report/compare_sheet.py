"""Puts each size that the cheat sheet publishes beside ours, with the ratio. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from bareboat.report.compare_text import dump
from bareboat.report.escape import markdown_text
from bareboat.report.figures import ratio_text, size_text
from bareboat.report.render import markdown_table
from bareboat.report.table import Alignment, Table, size_of
from bareboat.system.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bareboat.report.compare_text import CompareFormat
    from bareboat.result.values import Result

_HEADINGS = ("Cell", "Cheat sheet", "Ours", "Ratio")
_SIDES: tuple[Alignment, ...] = ("left", "right", "right", "right")


class _Pair(NamedTuple):
    """A published size and ours; ours and the ratio are None where nothing was measured."""

    host: str
    cell: str
    cheat_sheet_bytes: int
    size_bytes: float | None
    ratio: float | None


def tell_cheat_sheet(
    found: Mapping[str, Iterable[Result]],
    sizes: Mapping[str, int],
    format: CompareFormat,  # noqa: A002  # the option's name
) -> str:
    """Every published size of `sizes`, in bytes by cell, with ours of each host and the ratio of both."""
    pairs = {host: _pairs(host, results, sizes) for host, results in found.items()}
    if format == "json":
        return dump([pair._asdict() for of_host in pairs.values() for pair in of_host])
    if format == "markdown":
        return "\n".join(
            f"## {markdown_text(host)}\n\n{markdown_table(_table(of_host))}" for host, of_host in pairs.items()
        )
    return "\n".join(f"{printable(host)}\n\n{_aligned(_table(of_host))}" for host, of_host in pairs.items())


def _pairs(host: str, results: Iterable[Result], sizes: Mapping[str, int]) -> tuple[_Pair, ...]:
    measured = {result.cell: size_of(result) for result in results}
    # Of each sample the largest first, as it is published.
    ordered = sorted(sizes.items(), key=lambda pair: (pair[0].partition("@")[0], -pair[1]))
    ours = [(cell, published, measured.get(cell)) for cell, published in ordered]
    return tuple(
        _Pair(host, cell, published, size, None if size is None else size / published) for cell, published, size in ours
    )


def _table(pairs: Iterable[_Pair]) -> Table:
    rows = tuple(
        (
            pair.cell,
            size_text(pair.cheat_sheet_bytes),
            size_text(pair.size_bytes) or "not measured",
            ratio_text(pair.ratio),
        )
        for pair in pairs
    )
    return Table(headings=_HEADINGS, rows=rows, alignment=_SIDES)


def _aligned(table: Table) -> str:
    lines = (table.headings, *table.rows)
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    padded = (
        "  ".join(
            text.rjust(width) if side == "right" else text.ljust(width)
            for text, width, side in zip(line, widths, table.alignment, strict=True)
        )
        for line in lines
    )
    return "".join(f"{line.rstrip()}\n" for line in padded)
