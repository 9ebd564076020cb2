"""What others have published of allocators and libcs, and what our figures say of each. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from curves.figures import LOADS, THREADS, Median, ratio_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from curves.figures import Book, CellFigures, Quantity


class Compared(NamedTuple):
    """One ratio of ours: of what, where, and the figure."""

    where: str
    ratio: Median


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One published figure."""

    title: str
    thread: str  # its public address
    said: str  # what was published, in our words
    ratio: float  # what it comes to as a ratio
    asks: str  # what of ours is held beside it
    compare: Callable[[Book], Iterator[Compared]]


def _over(above: CellFigures | None, below: CellFigures | None, quantity: Quantity) -> Iterator[Compared]:
    if above is None or below is None:
        return
    for load, title in LOADS.items():
        for threads in THREADS:
            ratio = ratio_of(above.values(load, threads, quantity), below.values(load, threads, quantity))
            if ratio:
                yield Compared(f"{title.lower()}, {threads_text(threads)}", ratio)


def _leaving_alpine(book: Book) -> Iterator[Compared]:
    yield from _over(book.find("system", "debian-slim"), book.find("system", "alpine"), "rate")


def _static_start(book: Book) -> Iterator[Compared]:
    for dynamic in ("debian-slim", "scratch-glibc-dynamic"):
        yield from _starts(book, dynamic, "scratch-musl")


def _musl_launch(book: Book) -> Iterator[Compared]:
    yield from _starts(book, "scratch-musl", "scratch-glibc")
    yield from _over(book.find("system", "scratch-glibc"), book.find("system", "scratch-musl"), "rate")


def _starts(book: Book, above: str, below: str) -> Iterator[Compared]:
    cells = book.find("system", above), book.find("system", below)
    if cells[0] and cells[1]:
        ratio = ratio_of(cells[0].start_milliseconds, cells[1].start_milliseconds)
        if ratio:
            yield Compared(f"start on {above} to start on {below}", ratio)


def _mimalloc_memory(book: Book) -> Iterator[Compared]:
    yield from _over(book.find("mimalloc", "scratch-musl"), book.find("system", "scratch-musl"), "peak_bytes")


CLAIMS = (
    Claim(
        title="Five times as fast after leaving Alpine",
        thread="https://github.com/the-benchmarker/web-frameworks/pull/4094",
        said="a web framework answers 453,782 requests a second on debian:buster-slim, 90,456 on Alpine (2021)",
        ratio=453_782 / 90_456,
        asks="operations a second on debian-slim to those on alpine, each with its own allocator",
        compare=_leaving_alpine,
    ),
    Claim(
        title="33 ms become 8 ms by static musl",
        thread="https://github.com/cachix/devenv/pull/2967",
        said="a command that loads 83 shared libraries starts in about 33 ms, linked statically to musl in about 8 ms",
        ratio=33 / 8,
        asks="time from start to end of a small program, dynamic with glibc to static with musl",
        compare=_static_start,
    ),
    Claim(
        title="musl takes 2.0 s where glibc takes 1.5 s",
        thread="https://github.com/AppImage/type2-runtime/issues/116",
        said="an application starts through a runtime that is static with musl in 2 s, static with glibc in 1.5 s",
        ratio=2.0 / 1.5,
        asks="time to start, static musl to static glibc; and operations a second, glibc's to musl's, by load",
        compare=_musl_launch,
    ),
    Claim(
        title="137 MB become 450 MB with mimalloc",
        thread="https://github.com/rustic-rs/rustic/issues/1820",
        said="a backup of 227 MB peaks at 137 MB with musl's own allocator, at about 450 MB with mimalloc (2026)",
        ratio=450 / 137,
        asks="peak memory with mimalloc to that with musl's own allocator, static programs",
        compare=_mimalloc_memory,
    ),
)


def threads_text(threads: int) -> str:
    """`1 thread`, `2 threads`."""
    return f"{threads} thread{'' if threads == 1 else 's'}"


def judge(claim: Claim, compared: list[Compared]) -> str:
    """Whether a claim's ratio is met, by the intervals alone: the whole of one above it, one that holds it, or none."""
    if not compared:
        return "Not judged: what it is held beside was not measured."
    surely = [one for one in compared if one.ratio.low >= claim.ratio]
    perhaps = [one for one in compared if one.ratio.low < claim.ratio <= one.ratio.high]
    most = max(compared, key=lambda one: one.ratio.value)
    least = min(compared, key=lambda one: one.ratio.value)
    span = f"Ours go from {ratio_text(least.ratio)} ({least.where}) to {ratio_text(most.ratio)} ({most.where})."
    all_of_them = f"{len(compared)} comparisons"
    if surely:
        return (
            f"**Reproduced** in {len(surely)} of {all_of_them}, which surely come to {claim.ratio:.1f} or more. {span}"
        )
    if perhaps:
        return f"**Within reach** in {len(perhaps)} of {all_of_them}, whose intervals hold {claim.ratio:.1f}. {span}"
    return f"**Not reproduced** in any of {all_of_them}: no interval reaches {claim.ratio:.1f}. {span}"


def ratio_text(ratio: Median) -> str:
    """`6.05 [5.90, 6.20]`."""
    return f"{ratio.value:.2f} [{ratio.low:.2f}, {ratio.high:.2f}]"
