"""Keeps what was measured in bench/allocators.json, and writes it into bench/allocators.svg and docs/allocators.md."""

from __future__ import annotations

from pathlib import Path

from pydantic import TypeAdapter

from bareboat.report import replace_block
from bareboat.system.files import write_whole
from curves.chart import draw_chart
from curves.claims import CLAIMS, judge, ratio_text
from curves.figures import Book
from curves.tables import write_sentences, write_starts, write_table

ROOT = Path(__file__).parents[2]
_BOOK = TypeAdapter(Book)


def read_book(root: Path = ROOT) -> Book:
    """What was measured last and kept."""
    return _BOOK.validate_json((root / "bench" / "allocators.json").read_bytes())


def write_page(book: Book, root: Path = ROOT) -> None:
    """Put a run in the place of the last one: the figures, the chart and the page."""
    page = root / "docs" / "allocators.md"
    text = page.read_text(encoding="utf-8")
    for name, block in blocks(book).items():
        text = replace_block(text, name, block)
    write_whole(root / "bench" / "allocators.json", _BOOK.dump_json(book) + b"\n")
    write_whole(root / "bench" / "allocators.svg", draw_chart(book).encode())
    write_whole(page, text.encode())


def write_report(book: Book) -> str:
    """All of it that is text."""
    return "\n\n".join(blocks(book).values())


def blocks(book: Book) -> dict[str, str]:
    """What stands on the page between marks, by the mark's name."""
    chart = "![Throughput and memory of each allocator by threads](../bench/allocators.svg)"
    return {
        "allocator-sentences": "\n".join(f"- {sentence}" for sentence in write_sentences(book)),
        "allocator-claims": write_claims(book),
        "allocator-tables": "\n\n".join([chart, write_table(book), write_starts(book)]),
        "allocator-facts": f"{book.rounds} rounds, each load for {book.seconds:g} s.\n\n{book.facts}",
    }


def write_claims(book: Book) -> str:
    """A heading a claim: what was said and where, what is held beside it, the verdict, and every ratio."""
    sections = []
    for claim in CLAIMS:
        compared = list(claim.compare(book))
        rows = "\n".join(f"| {one.where} | {ratio_text(one.ratio)} |" for one in compared)
        table = f"<details><summary>Every ratio</summary>\n\n| What | Ratio |\n|---|---:|\n{rows}\n\n</details>"
        sections.append(
            f"### {claim.title}\n\n"
            f"[Said]({claim.thread}): {claim.said}: a ratio of {claim.ratio:.1f}. Ours: {claim.asks}.\n\n"
            f"{judge(claim, compared)}" + (f"\n\n{table}" if compared else "")
        )
    return "\n\n".join(sections)
