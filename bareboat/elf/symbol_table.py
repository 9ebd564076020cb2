"""Reads the symbol table of an ELF file, which strip removes: the name, the address and the size of each symbol."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from bareboat.elf.layout import SHT_SYMTAB, fault, read_layout
from bareboat.elf.sections import section_content
from bareboat.elf.symbols import NAMES_LIMIT_CHARACTERS, SHN_UNDEF, SYMBOL_LIMIT

NAME_LIMIT_BYTES = 1 << 16
STT_FUNC, STT_SECTION, STT_FILE, STT_TLS, STT_GNU_IFUNC = 2, 3, 4, 6, 10
# Those of sections and source files name no bytes, and those of TLS have an offset where others have an address.
_OTHERS = frozenset({STT_SECTION, STT_FILE, STT_TLS})
_FUNCTIONS = frozenset({STT_FUNC, STT_GNU_IFUNC})
SHN_ABS = 0xFFF1


@dataclass(frozen=True, slots=True, kw_only=True)
class Symbol:
    """A symbol of something in a file."""

    # As the linker knows it; what is no UTF-8 is spelt out.
    name: str
    # A virtual address.
    address: int
    # 0 where whoever wrote it in assembly did not say.
    size_bytes: int
    is_function: bool


def read_symbols(data: bytes) -> tuple[Symbol, ...]:
    """The symbols that a file defines, in its order; () for a stripped one. Raises BareboatError as `read_elf` does."""
    layout = read_layout(data)
    number = next((number for number, one in enumerate(layout.sections) if one.kind == SHT_SYMTAB), None)
    if number is None:
        return ()
    table, names = section_content(layout, number), section_content(layout, layout.sections[number].link)
    record = struct.Struct(f"{layout.order}{'IBBHQQ' if layout.is_64bit else 'IIIBBH'}")
    if len(table) // record.size > SYMBOL_LIMIT:
        raise fault("it has more symbols than a program has")
    symbols: list[Symbol] = []
    characters = 0
    for fields in record.iter_unpack(table[: len(table) // record.size * record.size]):
        if layout.is_64bit:
            offset, info, _, section, address, size_bytes = fields
        else:
            offset, address, size_bytes, info, _, section = fields
        kind = info & 0xF
        if not offset or kind in _OTHERS or section in {SHN_UNDEF, SHN_ABS}:
            continue
        name = names[offset : offset + NAME_LIMIT_BYTES].partition(b"\0")[0].decode(errors="backslashreplace")
        characters += len(name)
        # Names may overlap in the file, but not without limit.
        if characters > NAMES_LIMIT_CHARACTERS:
            raise fault("its symbols' names are longer than a program's")
        symbols.append(Symbol(name=name, address=address, size_bytes=size_bytes, is_function=kind in _FUNCTIONS))
    return tuple(symbols)
