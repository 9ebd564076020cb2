"""Writes what was measured as Markdown, and as sentences whose every figure is computed. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from curves.claims import ratio_text, threads_text
from curves.figures import LOADS, THREADS, Median, median_of, parts, ratio_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from curves.figures import Book, CellFigures

_FEW, _MANY = THREADS[0], THREADS[-1]
# Switches and faults are told for a million operations, futex calls too.
_MILLION = 1e6


def write_sentences(book: Book) -> tuple[str, ...]:
    """What the figures come to, for static programs; nothing is said of what was not measured."""
    return (*_own_allocators(book), *_others(book), *_memory(book), *_futexes(book))


def _own_allocators(book: Book) -> Iterator[str]:
    glibc, musl = book.find("system", "scratch-glibc"), book.find("system", "scratch-musl")
    if not glibc or not musl:
        return
    for load, title in LOADS.items():
        for threads in (_FEW, _MANY):
            ratio = ratio_of(glibc.values(load, threads, "rate"), musl.values(load, threads, "rate"))
            if ratio:
                yield f"{title}, {threads_text(threads)}: musl's own allocator is {_speed(ratio)} glibc's."


def _others(book: Book) -> Iterator[str]:
    for recipe, libc in (("scratch-musl", "musl"), ("scratch-glibc", "glibc")):
        own = book.find("system", recipe)
        for cell in parts(book):
            if own is None or cell.recipe != recipe or cell is own:
                continue
            ratio = ratio_of(cell.values("churn", _MANY, "rate"), own.values("churn", _MANY, "rate"))
            if ratio:
                yield (
                    f"{LOADS['churn']}, {threads_text(_MANY)}: {libc}'s own allocator is {_speed(ratio)} "
                    f"{cell.allocator} with {libc}."
                )


def _memory(book: Book) -> Iterator[str]:
    for recipe, libc in (("scratch-musl", "musl"), ("scratch-glibc", "glibc")):
        own = book.find("system", recipe)
        for cell in parts(book):
            if own is None or cell.recipe != recipe or cell is own:
                continue
            ratio = ratio_of(cell.values("churn", _MANY, "resting_bytes"), own.values("churn", _MANY, "resting_bytes"))
            if ratio:
                yield (
                    f"At rest after small churn of {threads_text(_MANY)}, a program with {cell.allocator} keeps "
                    f"{ratio_text(ratio)} times the memory that it keeps with {libc}'s own allocator."
                )


def _futexes(book: Book) -> Iterator[str]:
    for recipe in ("scratch-musl", "scratch-glibc"):
        cell = book.find("system", recipe)
        for one in cell.futexes if cell else ():
            if (one.load, one.threads) == ("churn", _MANY):
                yield (
                    f"Small churn of {threads_text(_MANY)} with {cell.libc if cell else ''}'s own allocator makes "
                    f"{_calls(one.calls, one.operations)} futex calls for a million operations, counted under strace."
                )


def _speed(ratio: Median) -> str:
    """How something stands to what the ratio is of; where the interval holds 1, nothing is said to differ."""
    if ratio.low > 1:
        return f"{ratio_text(ratio)} times slower than"
    if ratio.high < 1:
        faster = Median(1 / ratio.value, 1 / ratio.high, 1 / ratio.low)
        return f"{ratio_text(faster)} times faster than"
    return f"not told apart ({ratio_text(ratio)}) from"


def write_table(book: Book) -> str:
    """A table a load, a row a cell and number of threads."""
    return "\n\n".join(f"### {title}\n\n{_write_load(book, load)}" for load, title in LOADS.items())


def _write_load(book: Book, load: str) -> str:
    headings = ("Thousand operations/s", "Peak, MB", "At rest, MB", "Waited", "Put off", "Faults", "Futex calls")
    lines = [f"| Cell | Threads | {' | '.join(headings)} |", f"|---|---:|{'---:|' * len(headings)}"]
    for cell in parts(book):
        for threads in THREADS:
            rates = cell.values(load, threads, "rate")
            if rates:
                lines.append(f"| {cell.cell} | {threads} | {' | '.join(_row(cell, load, threads))} |")
    return "\n".join(lines)


def _row(cell: CellFigures, load: str, threads: int) -> Iterator[str]:
    yield _median_text([rate / 1e3 for rate in cell.values(load, threads, "rate")])
    yield _median_text([size / 1e6 for size in cell.values(load, threads, "peak_bytes")])
    yield _median_text([size / 1e6 for size in cell.values(load, threads, "resting_bytes")])
    taken = [one for part in cell.rounds for one in part if (one.load, one.threads) == (load, threads)]
    for name in ("voluntary_switches", "involuntary_switches", "minor_faults"):
        yield _calls(sum(getattr(one, name) for one in taken), sum(one.all_operations for one in taken))
    counted = [one for one in cell.futexes if (one.load, one.threads) == (load, threads)]
    yield _calls(counted[0].calls, counted[0].operations) if counted else ""


def write_starts(book: Book) -> str:
    """A row a cell: how long its program takes from its start to its end, when it does nothing but say its name."""
    lines = ["### Start to end", "", "| Cell | libc | CRT | Milliseconds |", "|---|---|---|---:|"]
    started = [cell for cell in parts(book) if cell.start_milliseconds]
    rows = [f"| {one.cell} | {one.libc} | {one.crt} | {_median_text(one.start_milliseconds)} |" for one in started]
    return "\n".join([*lines, *rows])


def _calls(count: int, operations: int) -> str:
    """For a million operations; whole numbers, for their last digits mean nothing."""
    return f"{_MILLION * count / operations:.0f}" if operations else ""


def _median_text(values: list[float] | tuple[float, ...]) -> str:
    median = median_of(values)
    digits = 0 if median.value >= 100 else 2  # noqa: PLR2004 (three digits say enough)
    return f"{median.value:.{digits}f} [{median.low:.{digits}f}, {median.high:.{digits}f}]"
