"""Reads where things are in an ELF file: header, segments, dynamic section, notes.

The file is untrusted: every table is checked against the file's size, and every loop has a limit. pyelftools follows
whatever count a file gives, so only the tests use it, to compare. Section headers may be missing or untrue, because no
loader uses them: `sections` reads what they name.
Source: https://gabi.xinuos.com (System V gABI), elf.h of glibc.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bareboat.errors import BareboatError

if TYPE_CHECKING:
    from collections.abc import Mapping

PT_LOAD, PT_DYNAMIC, PT_INTERP, PT_NOTE = 1, 2, 3, 4
PT_GNU_STACK, PT_GNU_RELRO = 0x6474E551, 0x6474E552
ET_EXEC, ET_DYN = 2, 3
SHT_SYMTAB = 2
DT_NULL, DT_STRTAB, DT_STRSZ = 0, 5, 10

IDENT_BYTES = 16
ELFCLASS64 = 2
WALK_LIMIT = 4096  # of dynamic entries, of notes, of libraries and of a library's versions: linkers write far fewer
STRING_LIMIT_BYTES = 4096
SEGMENT_LIMIT = 1170  # Linux's own limit: 64 KB of program headers (fs/binfmt_elf.c, load_elf_phdrs)

_TYPES = {ET_EXEC, ET_DYN}
_HEADER = "HHI{0}{0}{0}IHHHHHH"  # behind the bytes that identify the file; three words of its class among them


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One segment of a file, as its program header gives it."""

    # PT_LOAD and the like.
    kind: int
    # PF_X and the like.
    flags: int
    # Where it begins in the file, in bytes.
    offset: int
    # Where it is loaded: a virtual address.
    address: int
    # Its size in the file.
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One section of a file, as its section header gives it; nothing says that the file is that long."""

    # Where its name is in the section that holds the names.
    name_offset: int
    # SHT_SYMTAB and the like.
    kind: int
    # SHF_EXECINSTR and the like.
    flags: int
    # Where it is loaded: a virtual address; 0 for what is not.
    address: int
    # Where it begins in the file, in bytes.
    offset: int
    # Its size in the file; SHT_NOBITS sections have a size and no bytes.
    size_bytes: int
    # The number of another section that it needs: of a symbol table, the one with the symbols' names.
    link: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One note of a file."""

    # Who defines the note, GNU for example.
    name: bytes
    # Its type, a number that only `name` gives a meaning.
    kind: int
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """An ELF file's parts."""

    # The whole file.
    data: bytes
    # Its byte order, as the module struct spells it: `<` or `>`.
    order: str
    is_64bit: bool
    # ET_EXEC, or ET_DYN for a file that can be loaded at any address.
    type: int
    # The number of the machine, EM_X86_64 for example.
    machine: int
    # The virtual address of the first instruction, 0 where there is none.
    entry: int
    segments: tuple[Segment, ...]
    sections: tuple[Section, ...]
    # The number of the section that holds the sections' names.
    section_names: int
    # What is in the file beside segments and sections: the offset and the size of the header, of the table of segments
    # and of that of sections.
    tables: tuple[tuple[int, int], tuple[int, int], tuple[int, int]]
    # The dynamic section: each tag's values, in the file's order.
    dynamic: Mapping[int, tuple[int, ...]]

    def find(self, kind: int) -> Segment | None:
        """The first segment of a kind."""
        return next((segment for segment in self.segments if segment.kind == kind), None)

    def values(self, tag: int) -> tuple[int, ...]:
        """The values of a tag in the dynamic section, in its order."""
        return self.dynamic.get(tag, ())

    def bytes_at(self, address: int, size_bytes: int) -> bytes:
        """Up to `size_bytes` bytes of what the file loads at `address`. Raises BareboatError where it loads nothing."""
        segment = self.loading(address)
        if segment is None:
            raise fault(f"nothing is loaded at address {address:#x}")
        start = segment.offset + address - segment.address
        return self.data[start : min(start + size_bytes, segment.offset + segment.size_bytes)]

    def loading(self, address: int) -> Segment | None:
        """The segment that has in the file what is loaded at `address`."""
        loaded = (segment for segment in self.segments if segment.kind == PT_LOAD)
        return next((one for one in loaded if one.address <= address < one.address + one.size_bytes), None)

    def text(self, offset: int) -> str:
        """The string at an offset of the dynamic string table."""
        tables, sizes = self.values(DT_STRTAB), self.values(DT_STRSZ)
        if not tables or not sizes or offset >= sizes[0]:
            raise fault("a name lies outside the string table")
        return decode(self.bytes_at(tables[0] + offset, min(sizes[0] - offset, STRING_LIMIT_BYTES)))

    def notes(self) -> tuple[Note, ...]:
        """Every note of every note segment."""
        notes: list[Note] = []
        # Segments may overlap, and each would have its notes copied: limit their sum to the file's size.
        if sum(segment.size_bytes for segment in self.segments if segment.kind == PT_NOTE) > len(self.data):
            raise fault("its notes are longer than the file")
        for segment in (segment for segment in self.segments if segment.kind == PT_NOTE):
            start, end = segment.offset, segment.offset + segment.size_bytes
            while start + 12 <= end and len(notes) < WALK_LIMIT:
                name_bytes, content_bytes, kind = struct.unpack_from(f"{self.order}III", self.data, start)
                name_end = start + 12 + name_bytes
                content = start + 12 + _aligned(name_bytes)
                if content + content_bytes > end:
                    raise fault("a note is longer than its segment")
                name = self.data[start + 12 : name_end].rstrip(b"\0")
                notes.append(Note(name=name, kind=kind, content=self.data[content : content + content_bytes]))
                start = content + _aligned(content_bytes)
        return tuple(notes)

    def unpack(self, form: str, address: int) -> tuple[int, ...]:
        """One record of a table that is loaded at a virtual address; `form` is struct's, without the byte order."""
        record = struct.Struct(f"{self.order}{form}")
        data = self.bytes_at(address, record.size)
        if len(data) < record.size:
            raise fault("a table of the dynamic section is cut off")
        return record.unpack(data)

    def first_value(self, tag: int) -> int:
        """The first value of a tag in the dynamic section, 0 where there is none."""
        return next(iter(self.values(tag)), 0)


def read_layout(data: bytes) -> Layout:
    """The parts of a linked ELF file. Raises BareboatError for any other file, and for a file that is cut off."""
    if len(data) < IDENT_BYTES or data[:4] != b"\x7fELF" or data[4] not in {1, 2} or data[5] not in {1, 2}:
        raise fault("it does not begin as an ELF file does")
    is_64bit, order = data[4] == ELFCLASS64, "<" if data[5] == 1 else ">"
    word = "Q" if is_64bit else "I"
    header = _unpack_table(data, order + _HEADER.format(word), IDENT_BYTES, 1, 0)[0]
    kind, machine, _, entry, segments_at, sections_at, _, _, segment_bytes, segments, section_bytes, sections, names = (
        header
    )
    if kind not in _TYPES:
        raise fault(f"it is of ELF type {kind}, neither a program nor a shared object")
    if segments > SEGMENT_LIMIT:
        raise fault("it has more segments than a program has")
    form = "IIQQQQQQ" if is_64bit else "IIIIIIII"
    found = tuple(
        _make_segment(fields, is_64bit=is_64bit)
        for fields in _unpack_table(data, order + form, segments_at, segments, segment_bytes)
    )
    if any(segment.offset + segment.size_bytes > len(data) for segment in found):
        raise fault("it is cut off: a segment ends after the file does")
    section_form = f"{order}II{word}{word}{word}{word}II{word}{word}"
    headers = _unpack_table(data, section_form, sections_at, sections, section_bytes)
    return Layout(
        data=data,
        order=order,
        is_64bit=is_64bit,
        type=kind,
        machine=machine,
        entry=entry,
        segments=found,
        sections=tuple(_make_section(fields) for fields in headers),
        section_names=names,
        tables=(
            (0, IDENT_BYTES + struct.calcsize(f"{order}{_HEADER.format(word)}")),
            (segments_at, segments * struct.calcsize(order + form)),
            (sections_at, sections * struct.calcsize(section_form)),
        ),
        dynamic=_read_dynamic(data, found, order + word + word),
    )


def decode(data: bytes) -> str:
    """The text up to the first NUL. Raises BareboatError where there is no NUL, or the text is not UTF-8."""
    text, nul, _ = data.partition(b"\0")
    try:
        if nul:
            return text.decode()
    except UnicodeDecodeError:
        pass
    raise fault(f"{text[:40]!r} is no name")


def _unpack_table(data: bytes, form: str, offset: int, count: int, row_bytes: int) -> list[tuple[int, ...]]:
    row = struct.Struct(form)
    if count and row_bytes not in {0, row.size}:
        raise fault(f"a table has rows of {row_bytes} bytes, not {row.size}")
    if offset + count * row.size > len(data):
        raise fault("it is cut off: a table ends after the file does")
    return [row.unpack_from(data, offset + number * row.size) for number in range(count)]


def _make_segment(fields: tuple[int, ...], *, is_64bit: bool) -> Segment:
    if is_64bit:
        kind, flags, offset, address, _, size_bytes, _, _ = fields
    else:
        kind, offset, address, _, size_bytes, _, flags, _ = fields
    return Segment(kind=kind, flags=flags, offset=offset, address=address, size_bytes=size_bytes)


def _make_section(fields: tuple[int, ...]) -> Section:
    name, kind, flags, address, offset, size_bytes, link, _, _, _ = fields
    return Section(
        name_offset=name,
        kind=kind,
        flags=flags,
        address=address,
        offset=offset,
        size_bytes=size_bytes,
        link=link,
    )


def _read_dynamic(data: bytes, segments: tuple[Segment, ...], form: str) -> dict[int, tuple[int, ...]]:
    segment = next((segment for segment in segments if segment.kind == PT_DYNAMIC), None)
    entries: dict[int, list[int]] = {}
    if segment is None:
        return {}
    row = struct.Struct(form)
    for number in range(min(segment.size_bytes // row.size, WALK_LIMIT)):
        tag, value = row.unpack_from(data, segment.offset + number * row.size)
        if tag == DT_NULL:
            break
        entries.setdefault(tag, []).append(value)
    return {tag: tuple(values) for tag, values in entries.items()}


def _aligned(size_bytes: int) -> int:
    # Notes are aligned to 4 bytes, in 64-bit files too. GNU property notes are aligned to 8, but each is alone in its
    # segment, so that nothing follows whose place the alignment would decide.
    return -(-size_bytes // 4) * 4


def fault(message: str) -> BareboatError:
    """The error to raise for a file that is not an ELF file or is inconsistent."""
    return BareboatError(f"not a sound ELF file: {message}")
