"""Reads what benchmarks keep: the tables of bench/load.md and the curves of bench/allocators.json."""

from __future__ import annotations

import re
from collections.abc import Callable  # noqa: TC003 (a module's own variable names it)
from statistics import median
from typing import TYPE_CHECKING

from pydantic import BaseModel, ValidationError

from bareboat.errors import InputError
from bareboat.page.values import Curve, Load

if TYPE_CHECKING:
    from collections.abc import Iterator

_SECTION = re.compile(r"^## (?P<title>.+)\n\n(?P<rows>(?:\|.*\n)+)", re.MULTILINE)


class _Reading(BaseModel):
    """What one allocator did of one load by one number of threads."""

    load: str
    threads: int
    seconds: float
    operations: int
    peak_bytes: int


class _Cell(BaseModel):
    """One allocator on one recipe; bench/allocators.py keeps more than is read here."""

    recipe: str
    allocator: str
    rounds: list[list[_Reading]]


class _Book(BaseModel):
    """A whole run of bench/allocators.py."""

    cells: list[_Cell]


# Each allocator with each libc, linked statically: nobody tells more lines apart on a chart, and docs/allocators.md has
# all of them.
_SHOWN = ("scratch-glibc", "scratch-musl")
_FIGURES: tuple[tuple[str, Callable[[_Reading], float]], ...] = (
    ("operations a second", lambda one: one.operations / one.seconds),
    ("peak memory, MB", lambda one: one.peak_bytes / 1e6),
)


def read_loads(text: str) -> tuple[Load, ...]:
    """The rates that a page of loads tells; the last row of a table, which tries the first cell again, is left out."""
    return tuple(load for section in _SECTION.finditer(text) for load in _loads(section["title"], section["rows"]))


def _loads(title: str, table: str) -> Iterator[Load]:
    headings, _, *rows = ([cell.strip() for cell in line.strip("| ").split("|")] for line in table.splitlines())
    seen: set[str] = set()
    for row in (dict(zip(headings, cells, strict=False)) for cells in rows):
        if "Requests/s" in row and row["Cell"] not in seen:
            seen.add(row["Cell"])
            named = {"libc": row["libc"], "tls": row["TLS"], "allocator": row["Allocator"]}
            yield Load(series=title, cell=row["Cell"], rate=float(row["Requests/s"]), **named)


def read_allocators(content: bytes) -> tuple[Curve, ...]:
    """The curves of a run of bench/allocators.py, each figure's after another; InputError where it is none."""
    try:
        book = _Book.model_validate_json(content)
    except ValidationError as error:
        raise InputError(f"bench/allocators.json: {error}") from error
    cells = [cell for cell in book.cells if cell.recipe in _SHOWN]
    return tuple(curve for name, say in _FIGURES for cell in cells for curve in _curves(cell, name, say))


def _curves(cell: _Cell, figure: str, say: Callable[[_Reading], float]) -> Iterator[Curve]:
    taken: dict[str, dict[int, list[float]]] = {}
    for one in (one for readings in cell.rounds for one in readings):
        taken.setdefault(one.load, {}).setdefault(one.threads, []).append(say(one))
    for load, by_threads in taken.items():
        values = tuple(
            (threads, median(values), min(values), max(values)) for threads, values in sorted(by_threads.items())
        )
        yield Curve(pattern=load, figure=figure, allocator=f"{cell.allocator}, {cell.recipe}", values=values)
