"""Reads the dynamic symbols of an ELF file and their versions: what it needs from other files, and what it offers.

Source: https://refspecs.linuxfoundation.org/LSB_5.0.0/LSB-Core-generic/LSB-Core-generic/symversion.html, and
https://sourceware.org/gnu-gabi/program-loading-and-dynamic-linking.txt for the hash table of GNU.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bareboat.elf.layout import STRING_LIMIT_BYTES, WALK_LIMIT, fault, read_layout

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bareboat.elf.layout import Layout

DT_HASH, DT_STRTAB, DT_SYMTAB, DT_STRSZ, DT_GNU_HASH = 4, 5, 6, 10, 0x6FFFFEF5
DT_VERDEF, DT_VERDEFNUM, DT_VERNEED, DT_VERNEEDNUM = 0x6FFFFFFC, 0x6FFFFFFD, 0x6FFFFFFE, 0x6FFFFFFF
DT_RELA, DT_REL, DT_JMPREL, DT_VERSYM = 7, 17, 23, 0x6FFFFFF0
_TABLES = (DT_HASH, DT_STRTAB, DT_GNU_HASH, DT_VERDEF, DT_VERNEED, DT_RELA, DT_REL, DT_JMPREL, DT_VERSYM)
VER_FLG_WEAK = 2
SHN_UNDEF = 0
STB_LOCAL, STB_WEAK = 0, 2
SYMBOL_LIMIT = 1 << 20
NAMES_LIMIT_CHARACTERS = 1 << 26


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionNeed:
    """The symbol versions that a file needs from one library."""

    # As DT_NEEDED names it.
    library: str
    versions: tuple[str, ...]
    # Those of the versions that the library may lack.
    weak: tuple[str, ...]


def read_versions_needed(layout: Layout) -> tuple[VersionNeed, ...]:
    """What the file needs of each library, in the file's order. Raises BareboatError where a table leaves the file."""
    needs: list[VersionNeed] = []
    left = WALK_LIMIT
    address, count = layout.first_value(DT_VERNEED), layout.first_value(DT_VERNEEDNUM)
    while address and len(needs) < min(count, WALK_LIMIT):
        _, versions, library, first, following = layout.unpack("HHIII", address)
        names = tuple(_walk_needed(layout, address + first, versions))
        left -= len(names)
        if left < 0:  # several libraries may point at one chain of versions, which is read for each: limit the sum
            raise fault("it needs more symbol versions than there are")
        needs.append(
            VersionNeed(
                library=layout.text(library),
                versions=tuple(name for name, _ in names),
                weak=tuple(name for name, is_weak in names if is_weak),
            )
        )
        address = address + following if following else 0
    return tuple(needs)


def read_versions_defined(layout: Layout) -> tuple[str, ...]:
    """The versions that the file offers, the first being its own name. Raises as `read_versions_needed`."""
    names: list[str] = []
    address, count = layout.first_value(DT_VERDEF), layout.first_value(DT_VERDEFNUM)
    while address and len(names) < min(count, WALK_LIMIT):
        _, _, _, _, _, first, following = layout.unpack("HHHHIII", address)
        name, _ = layout.unpack("II", address + first)
        names.append(layout.text(name))
        address = address + following if following else 0
    return tuple(names)


@dataclass(frozen=True, slots=True, kw_only=True)
class Linking:
    """The dynamic symbols of a file."""

    # Those that other files have to define, and without which a loader that asks for all of them refuses the file.
    wanted: frozenset[str]
    # Those that it defines itself.
    offered: frozenset[str]


def read_imports(layout: Layout) -> frozenset[str]:
    """The names of the dynamic symbols that other files have to define. Raises BareboatError as the others do."""
    return _read_names(layout, lambda _, section: section == SHN_UNDEF)


def read_linking(data: bytes) -> Linking:
    """What a file's dynamic symbols ask for and offer. Raises BareboatError as `read_elf` does."""
    layout = read_layout(data)
    return Linking(
        wanted=_read_names(layout, lambda binding, section: section == SHN_UNDEF and binding != STB_WEAK),
        offered=_read_names(layout, lambda binding, section: section != SHN_UNDEF and binding != STB_LOCAL),
    )


def _read_names(layout: Layout, takes: Callable[[int, int], bool]) -> frozenset[str]:
    """The names of the dynamic symbols that `takes` takes, by their binding and the number of their section."""
    table, strings = layout.first_value(DT_SYMTAB), layout.first_value(DT_STRTAB)
    # A 64-bit symbol is name, info, other, section, value, size; a 32-bit one has the same six in another order.
    record = struct.Struct(f"{layout.order}{'IBBHQQ' if layout.is_64bit else 'IIIBBH'}")
    count = min(_count_symbols(layout, record.size), SYMBOL_LIMIT) if table and strings else 0
    if not count:
        return frozenset()
    data = layout.bytes_at(table, count * record.size)
    info, section = (1, 3) if layout.is_64bit else (3, 5)
    symbols = record.iter_unpack(data[: len(data) // record.size * record.size])
    offsets = {symbol[0] for symbol in symbols if symbol[0] and takes(symbol[info] >> 4, symbol[section])}
    names = layout.bytes_at(strings, layout.first_value(DT_STRSZ))
    found = frozenset(_name_at(names, offset) for offset in offsets)
    # A linker lets a name be the end of a longer one, so names may overlap in the file, but not without limit.
    if sum(map(len, found)) > NAMES_LIMIT_CHARACTERS:
        raise fault("its symbols' names are longer than a program's")
    return found


def _walk_needed(layout: Layout, address: int, count: int) -> Iterator[tuple[str, bool]]:
    for _ in range(min(count, WALK_LIMIT)):
        _, flags, _, name, following = layout.unpack("IHHII", address)
        yield layout.text(name), bool(flags & VER_FLG_WEAK)
        if not following:
            break
        address += following


def _count_symbols(layout: Layout, symbol_bytes: int) -> int:
    # ELF stores no symbol count: derive it from DT_GNU_HASH, else DT_HASH, else assume the table ends where the next
    # begins. DT_GNU_HASH tells it only if the file defines symbols.
    if (table := layout.first_value(DT_GNU_HASH)) and (count := _count_gnu_hash(layout, table)):
        return count
    if table := layout.first_value(DT_HASH):
        # On s390x and Alpha its words have 64 bits, but linkers write DT_GNU_HASH as well there.
        return layout.unpack("II", table)[1]
    start = layout.first_value(DT_SYMTAB)
    following = [address for tag in _TABLES if (address := layout.first_value(tag)) > start]
    return (min(following, default=start) - start) // symbol_bytes


def _count_gnu_hash(layout: Layout, table: int) -> int:
    """The last symbol's number plus one; 0 where the table does not tell."""
    buckets, first, blooms, _ = layout.unpack("IIII", table)
    buckets_at = table + 16 + blooms * (8 if layout.is_64bit else 4)
    heads = layout.bytes_at(buckets_at, min(buckets, SYMBOL_LIMIT) * 4) if buckets else b""
    last = max((head for (head,) in struct.iter_unpack(f"{layout.order}I", heads[: len(heads) // 4 * 4])), default=0)
    # No symbol is defined: their first number would be the count, but BFD's linker writes 1 whatever the count is.
    if last < first or not last:
        return first if first > 1 else 0
    chain = layout.bytes_at(buckets_at + buckets * 4 + (last - first) * 4, SYMBOL_LIMIT * 4)
    for length, (link,) in enumerate(struct.iter_unpack(f"{layout.order}I", chain[: len(chain) // 4 * 4]), start=1):
        if link & 1:
            return last + length
    raise fault("its symbols' hash table has no end")


def _name_at(names: bytes, offset: int) -> str:
    end = names.find(b"\0", offset, offset + STRING_LIMIT_BYTES)
    if end < 0:
        raise fault("a symbol's name lies outside the string table")
    # A name need not be UTF-8; escaped, two different names still give two different texts.
    return names[offset:end].decode(errors="backslashreplace")
