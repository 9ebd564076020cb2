"""Keeps what was measured in bench/results.json, and writes it into bench/README.md and bench/chart.svg."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from bareboat.report import replace_block
from bareboat.system.files import write_whole
from beside.chart import draw_chart
from beside.figures import Figures
from beside.tables import write_section, write_summary

if TYPE_CHECKING:
    from collections.abc import Sequence

FOLDER = Path(__file__).parents[1]
_BOOK = TypeAdapter(tuple[Figures, ...])


def write_page(found: Sequence[Figures], order: Sequence[str], folder: Path = FOLDER) -> None:
    """Put new figures in the place of older ones of the same works; the others stay, with their own run's facts."""
    file = folder / "results.json"
    known = {one.name: one for one in _BOOK.validate_json(file.read_bytes())} if file.exists() else {}
    known |= {one.name: one for one in found}
    book = tuple(known[name] for name in order if name in known)
    page = folder / "README.md"
    text = replace_block(page.read_text(encoding="utf-8"), "bench", write_report(book))
    write_whole(file, _BOOK.dump_json(book, indent=1) + b"\n")
    write_whole(page, text.encode())
    write_whole(folder / "chart.svg", draw_chart(book).encode())


def write_report(book: Sequence[Figures]) -> str:
    """How many times as long as Bareboat each way took, then every work."""
    return "\n".join([write_summary(book), "", *(write_section(figures) for figures in book)])
