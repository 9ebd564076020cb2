"""Divides a program into sections, and what is the same in its twin into crates and symbols."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bareboat.breakdown.rows import Row, add_up
from bareboat.elf import read_frames, read_regions
from bareboat.errors import BareboatError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bareboat.breakdown.twin import Symbols
    from bareboat.elf import Region

FRAMES = ".eh_frame"
NO_SYMBOL = "constants and other parts without a symbol"
UNKNOWN = "merged by the linker, or padding"
BETWEEN = "padding between sections"


def divide_program(content: bytes, symbols: Symbols | None) -> tuple[Row, ...]:
    """The rows of a program, the biggest first, which add up to its size; none for what is no sound ELF file."""
    try:
        regions = symbols.regions if symbols else read_regions(content)
    except BareboatError:
        return ()
    # A program without section headers and without a twin has nothing smaller than segments.
    rows = [_section(content, region, symbols) for region in regions if region.kind in {"section", "segment"}]
    rows += [
        Row(kind="overhead", name=region.name, size_bytes=region.size_bytes)
        for region in regions
        if region.kind == "headers"
    ]
    between = sum(region.size_bytes for region in regions if region.kind == "between")
    rows.append(Row(kind="overhead", name=BETWEEN, size_bytes=between))
    return add_up("file", "", rows).rows


def _section(content: bytes, region: Region, symbols: Symbols | None) -> Row:
    if symbols is None or region.name not in symbols.same:
        return Row(kind="section", name=region.name, size_bytes=region.size_bytes)
    if region.name == FRAMES:
        pieces = _frames(content[region.offset : region.offset + region.size_bytes], region, symbols)
    else:
        pieces = _pieces(region, symbols)
    crates: dict[str, dict[str, int]] = {}
    for size_bytes, crate, name in pieces:
        sizes = crates.setdefault(crate, {})
        # Copies of one function, of generic types say, may have one readable name.
        sizes[name] = sizes.get(name, 0) + size_bytes
    if crates.keys() == {UNKNOWN}:
        return Row(kind="section", name=region.name, size_bytes=region.size_bytes)
    return add_up("section", region.name, [_crate(name, sizes) for name, sizes in crates.items()])


def _crate(name: str, sizes: dict[str, int]) -> Row:
    if sizes.keys() == {""}:
        return Row(kind="crate", name=name, size_bytes=sizes[""])
    rows = [Row(kind="symbol", name=one or NO_SYMBOL, size_bytes=size) for one, size in sizes.items()]
    return add_up("crate", name, rows)


def _pieces(region: Region, symbols: Symbols) -> Iterator[tuple[int, str, str]]:
    """Pieces of a section: how many bytes, whose they are, and the symbol, "" where there is none."""
    for address, size_bytes, symbol in symbols.within(region):
        if symbol:
            yield size_bytes, symbols.whose(symbol), symbols.read(symbol)
        else:
            for part, whose in symbols.objects.within(address, size_bytes):
                yield part, whose or UNKNOWN, ""


def _frames(content: bytes, region: Region, symbols: Symbols) -> Iterator[tuple[int, str, str]]:
    """Pieces of the section of frames: each is of the function that it tells of."""
    functions = {one.address: one for one in reversed(symbols.sorted) if one.is_function}
    left = region.size_bytes
    for frame in read_frames(content, region.address):
        left -= frame.size_bytes
        symbol = functions.get(frame.function)
        yield frame.size_bytes, symbols.whose(symbol) if symbol else UNKNOWN, symbols.read(symbol) if symbol else ""
    yield left, UNKNOWN, ""
