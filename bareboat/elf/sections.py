"""Reads sections of an ELF file: what a linker or compiler left in it for tools, and which no loader looks at.

Section headers are as untrusted as the rest, and may have been removed: a section that is not there, or not wholly
inside the file, is empty.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bareboat.elf.layout import SHT_SYMTAB, read_layout

if TYPE_CHECKING:
    from bareboat.elf.layout import Layout

SHT_NOBITS = 8


def read_section(data: bytes, name: str) -> bytes:
    """The bytes of the first section of that name, b"" without one. Raises BareboatError as `read_elf` does."""
    layout = read_layout(data)
    names = section_content(layout, layout.section_names)
    wanted = name.encode() + b"\0"
    numbers = range(len(layout.sections))
    found = (number for number in numbers if names.startswith(wanted, layout.sections[number].name_offset))
    return next((section_content(layout, number) for number in found), b"")


def read_symbol_names(data: bytes) -> bytes:
    """The names of the symbol table, each between two NULs; b"" for a stripped file. Raises as `read_section`."""
    layout = read_layout(data)
    tables = (section for section in layout.sections if section.kind == SHT_SYMTAB)
    return next((section_content(layout, table.link) for table in tables), b"")


def section_content(layout: Layout, number: int) -> bytes:
    """The bytes of the section of that number; b"" where it has none in the file."""
    if number >= len(layout.sections):
        return b""
    section = layout.sections[number]
    end = section.offset + section.size_bytes
    if section.kind == SHT_NOBITS or end > len(layout.data):
        return b""
    return layout.data[section.offset : end]
