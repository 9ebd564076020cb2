"""Divides an ELF file into regions, each byte of it in exactly one: headers, sections, and what lies between them.

No loader looks at section headers, so they may be missing, overlap, or name what is not in the file: of two sections
that have the same bytes the one that begins first has them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from bareboat.elf.layout import read_layout
from bareboat.elf.sections import SHT_NOBITS, section_content

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bareboat.elf.layout import Layout, Section

SHF_EXECINSTR = 4
NAME_LIMIT_BYTES = 255
_TABLES = ("ELF header", "segment headers", "section headers")


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """A part of a file."""

    kind: Literal["headers", "section", "between"]
    # A section's name, or what the region is.
    name: str
    # Where it begins in the file, in bytes, and how many it has.
    offset: int
    size_bytes: int
    # The virtual address of a section's first byte; 0 for what is not loaded.
    address: int = 0
    # Whether what is there is code.
    is_code: bool = False


def read_regions(data: bytes) -> tuple[Region, ...]:
    """All regions of a linked ELF file, in its order. Raises BareboatError as `read_elf` does."""
    layout = read_layout(data)
    parts = sorted(_parts(layout), key=lambda part: (part.offset, -part.size_bytes))
    regions: list[Region] = []
    position = 0
    for part in parts:
        start, end = max(part.offset, position), min(part.offset + part.size_bytes, len(data))
        if start >= end:
            continue
        if start > position:
            regions.append(_between(position, start))
        cut = start - part.offset
        regions.append(
            Region(
                kind=part.kind,
                name=part.name,
                offset=start,
                size_bytes=end - start,
                address=part.address + cut if part.address else 0,
                is_code=part.is_code,
            )
        )
        position = end
    if position < len(data):
        regions.append(_between(position, len(data)))
    return tuple(regions)


def _between(start: int, end: int) -> Region:
    return Region(kind="between", name="between sections", offset=start, size_bytes=end - start)


def _parts(layout: Layout) -> Iterator[Region]:
    for name, (offset, size_bytes) in zip(_TABLES, layout.tables, strict=True):
        yield Region(kind="headers", name=name, offset=offset, size_bytes=size_bytes)
    names = section_content(layout, layout.section_names)
    for section in layout.sections:
        # The first section header is of no section (SHT_NULL), and has no size.
        if section.kind not in {0, SHT_NOBITS}:
            yield Region(
                kind="section",
                name=_name(names, section) or "section without a name",
                offset=section.offset,
                size_bytes=section.size_bytes,
                address=section.address,
                is_code=bool(section.flags & SHF_EXECINSTR),
            )


def _name(names: bytes, section: Section) -> str:
    end = section.name_offset + NAME_LIMIT_BYTES
    return names[section.name_offset : end].partition(b"\0")[0].decode(errors="backslashreplace")
