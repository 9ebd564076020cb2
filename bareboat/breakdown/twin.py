"""Reads a program's symbols out of its twin, and says of each section whether both have the same."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bareboat.breakdown.objects import read_map
from bareboat.elf import read_regions, read_symbols

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bareboat.breakdown.crates import Crates
    from bareboat.breakdown.objects import Objects
    from bareboat.elf import Region, Symbol

CODE = ".text"
OTHERS = "C, or assembly"
_LENT = "; the program has no section headers, and is divided by its twin's"


@dataclass(frozen=True, slots=True, kw_only=True)
class Symbols:
    """The symbols of a program."""

    # Sorted by address; of several at one address the longest comes first.
    sorted: tuple[Symbol, ...]
    # Their names as people read them, by what the linker calls them.
    readable: Mapping[str, str]
    crates: Crates
    objects: Objects
    # What the program is divided into: where it has no section headers, by those of the twin.
    regions: tuple[Region, ...]
    # The sections, by name, that program and twin have at the same address with the same content.
    same: frozenset[str]

    def read(self, symbol: Symbol) -> str:
        """The symbol's name as people read it."""
        return self.readable.get(symbol.name, symbol.name)

    def whose(self, symbol: Symbol) -> str:
        """The crate that a symbol is of: by its name, and where that is no path of Rust by its object file."""
        return self.crates.of(self.read(symbol)) or self.objects.of(symbol.address) or OTHERS

    def within(self, section: Region) -> Iterator[tuple[int, int, Symbol | None]]:
        """Pieces of a section that add up to it: address, how many bytes, and the symbol that they are of.

        Where symbols overlap, the first has the bytes. A symbol of code without a size, written in assembly, ends where
        the next begins.
        """
        position, end = section.address, section.address + section.size_bytes
        first = bisect_right(self.sorted, position - 1, key=_address)
        last = bisect_right(self.sorted, end - 1, key=_address)
        inside = [one for one in self.sorted[first:last] if one.size_bytes or (section.is_code and one.is_function)]
        for number, symbol in enumerate(inside):
            following = inside[number + 1].address if number + 1 < len(inside) else end
            stop = min(end, symbol.address + symbol.size_bytes if symbol.size_bytes else following)
            start = max(symbol.address, position)
            if start >= stop:
                continue
            if start > position:
                yield position, start - position, None
            yield start, stop - start, symbol
            position = stop
        if position < end:
            yield position, end - position, None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """What tools say of a twin."""

    # The symbols as `nm` lists them, as they stand and as people read them.
    names: tuple[bytes, bytes]
    # The linker's map; b"" where there is none.
    map: bytes = b""


def read_twin(program: bytes, twin: bytes, listed: Listed, crates: Crates) -> tuple[Symbols, bool, str]:
    """The program's symbols, whether twin and program have the same code, and one line that says how far they have.

    Raises BareboatError where either is no sound ELF file.
    """
    regions = read_regions(program, twin)
    own, its = _loaded(program, regions), _loaded(twin, read_regions(twin))
    other = [name for name in own if own[name] != its.get(name)]
    symbols = Symbols(
        sorted=tuple(sorted(read_symbols(twin), key=lambda one: (one.address, -one.size_bytes, one.name))),
        readable=_readable(*listed.names),
        crates=crates,
        objects=read_map(listed.map),
        regions=regions,
        same=frozenset(own.keys() - set(other)),
    )
    lent = "" if any(region.kind == "section" for region in read_regions(program)) else _LENT
    if CODE in own and CODE not in other:
        differing = f"; other: {', '.join(other)}" if other else ""
        others = f", so are {len(own) - len(other) - 1} of {len(own) - 1} other sections" if len(own) > 1 else ""
        return symbols, True, f"{CODE} is the same byte by byte{others}{differing}{lent}"
    return symbols, False, f"not the same: {_distance(own.get(CODE), its.get(CODE))}; its symbols are not used there"


def _distance(own: tuple[int, bytes] | None, its: tuple[int, bytes] | None) -> str:
    if own is None or its is None:
        return f"{CODE} is not in {'the program' if own is None else 'the twin'}"
    ours, others = own[1], its[1]
    differing = sum(a != b for a, b in zip(ours, others, strict=False)) + abs(len(ours) - len(others))
    moved = "" if own[0] == its[0] else f", at {its[0]:#x} in place of {own[0]:#x}"
    return f"{CODE} has {len(others)} bytes in place of {len(ours)}{moved}, and {differing} differ"


def _loaded(data: bytes, regions: Sequence[Region]) -> dict[str, tuple[int, bytes]]:
    """The address and the content of each section that is loaded, by name."""
    return {
        region.name: (region.address, data[region.offset : region.offset + region.size_bytes])
        for region in regions
        if region.kind == "section" and region.address
    }


def _readable(plain: bytes, readable: bytes) -> dict[str, str]:
    pairs = zip(_names(plain), _names(readable), strict=False)
    return {name: text for name, text in pairs if name and text}


def _names(listed: bytes) -> Sequence[str]:
    # `0000000000005060 t name`, or blanks for the address of what is not defined.
    return [line.lstrip().split(" ", 2)[-1] for line in listed.decode(errors="backslashreplace").split("\n")]


def _address(symbol: Symbol) -> int:
    return symbol.address
