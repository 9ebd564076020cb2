"""Divides an ELF file into regions, each byte of it in exactly one: headers, sections, and what lies between them.

No loader looks at section headers, so they may overlap, or name what is not in the file: of two sections that have the
same bytes the one that begins first has them. They may be missing, too: then the segments are told, or the sections
that the same program has elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from bareboat.elf.layout import PT_LOAD, read_layout
from bareboat.elf.sections import SHT_NOBITS, section_content

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bareboat.elf.layout import Layout, Section

SHF_EXECINSTR = 4
PF_X = 1
NAME_LIMIT_BYTES = 255
_TABLES = ("ELF header", "segment headers", "section headers")
_USES = ((4, "read"), (2, "written"), (1, "executed"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """A part of a file."""

    kind: Literal["headers", "section", "segment", "between"]
    # A section's name, or what the region is.
    name: str
    # Where it begins in the file, in bytes, and how many it has.
    offset: int
    size_bytes: int
    # The virtual address of the first byte of a section or segment; 0 for what is not loaded.
    address: int = 0
    # Whether what is there is code.
    is_code: bool = False


def read_regions(data: bytes, twin: bytes = b"") -> tuple[Region, ...]:
    """All regions of a linked ELF file, in its order. Raises BareboatError as `read_elf` does.

    `twin` is the same program with section headers, for one that has none.
    """
    layout = read_layout(data)
    parts = sorted((*_headers(layout), *_parts(layout, twin)), key=lambda part: (part.offset, -part.size_bytes))
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


def _headers(layout: Layout) -> Iterator[Region]:
    for name, (offset, size_bytes) in zip(_TABLES, layout.tables, strict=True):
        yield Region(kind="headers", name=name, offset=offset, size_bytes=size_bytes)


def _parts(layout: Layout, twin: bytes) -> Iterator[Region]:
    if layout.sections:
        return _sections(layout)
    return _placed(layout, _sections(read_layout(twin))) if twin else _segments(layout)


def _placed(layout: Layout, sections: Iterator[Region]) -> Iterator[Region]:
    """Sections of another file, where this one has what is loaded at their addresses."""
    for section in sections:
        if section.address and (segment := layout.loading(section.address)):
            yield replace(section, offset=segment.offset + section.address - segment.address)


def _segments(layout: Layout) -> Iterator[Region]:
    for segment in (segment for segment in layout.segments if segment.kind == PT_LOAD):
        start = segment.offset
        # The first one begins with the headers, which are told apart.
        for offset, size_bytes in layout.tables:
            start = offset + size_bytes if offset <= start < offset + size_bytes else start
        uses = ", ".join(use for flag, use in _USES if segment.flags & flag)
        yield Region(
            kind="segment",
            name=f"segment that is {uses or 'not used'}",
            offset=start,
            size_bytes=segment.offset + segment.size_bytes - start,
            address=segment.address + start - segment.offset,
            is_code=bool(segment.flags & PF_X),
        )


def _sections(layout: Layout) -> Iterator[Region]:
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
