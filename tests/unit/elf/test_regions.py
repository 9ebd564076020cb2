"""A file's bytes, each in one region, its symbols and its frames: held to pyelftools on this machine's own programs."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from bareboat.elf import read_frames, read_regions, read_symbols
from bareboat.errors import BareboatError
from tests.unit.elf_builder import BARE, ET_EXEC, build_elf, without_section_headers

CODE, FRAMES, NOTES = bytes(range(64)), b"\x01" * 32, b"\x02" * 9
REAL = [path for path in map(Path, ("/bin/sh", "/bin/true", "/usr/bin/env")) if path.is_file()]


def cover(regions):
    position = 0
    for region in regions:
        assert region.offset == position, "no gap and no overlap"
        assert region.size_bytes > 0
        position += region.size_bytes
    return position


def test_each_byte_is_in_one_region():
    data = build_elf(contents=((".text", CODE), (".debug_info", NOTES)), loaded=True)
    regions = read_regions(data)
    assert cover(regions) == len(data)
    sections = {region.name: region for region in regions if region.kind == "section"}
    text = sections[".text"]
    assert data[text.offset : text.offset + text.size_bytes] == CODE
    assert (text.address, text.is_code) == (text.offset, True)
    assert sections[".debug_info"].size_bytes == len(NOTES)
    assert {region.name for region in regions if region.kind == "headers"} == {
        "ELF header",
        "segment headers",
        "section headers",
    }


def test_of_sections_that_have_the_same_bytes_the_first_has_them():
    data = bytearray(build_elf(contents=((".text", CODE), (".rodata", FRAMES)), loaded=True))
    (sections_at,) = struct.unpack_from("<Q", data, 40)
    (count,) = struct.unpack_from("<H", data, 60)
    rows = [sections_at + 64 * number for number in range(count)]
    text, rodata = (
        next(row for row in rows if struct.unpack_from("<Q", data, row + 32)[0] == size)
        for size in (len(CODE), len(FRAMES))
    )
    (start,) = struct.unpack_from("<Q", data, text + 24)
    struct.pack_into("<QQ", data, rodata + 24, start + 60, len(data))  # overlaps, and goes beyond the file's end
    regions = read_regions(bytes(data))
    assert cover(regions) == len(data)
    sizes = [(region.name, region.size_bytes) for region in regions if region.kind == "section"]
    assert sizes == [(".text", 64), (".rodata", len(data) - start - 64)]


def test_a_file_without_section_headers_is_divided_by_its_segments():
    data = build_elf(section_headers=False)
    regions = read_regions(data)
    assert cover(regions) == len(data)
    assert [region.name for region in regions] == ["ELF header", "segment headers", "segment that is read, executed"]
    assert (regions[-1].kind, regions[-1].is_code) == ("segment", True)


def test_a_file_without_section_headers_is_divided_as_the_one_that_has_them():
    twin = build_elf(contents=((".text", CODE), (".rodata", FRAMES)), loaded=True)
    data = without_section_headers(twin)
    regions = read_regions(data, twin)
    assert cover(regions) == len(data)
    theirs = [one for one in read_regions(twin) if one.kind == "section" and one.address]
    assert [one for one in regions if one.kind == "section"] == theirs
    # What the twin has and no segment of the file loads is not in it.
    elsewhere = build_elf(kind=ET_EXEC, contents=((".text", CODE),), loaded=True)
    assert {one.kind for one in read_regions(data, elsewhere)} == {"headers", "between"}


def test_a_program_that_the_toolchain_made_of_headers_and_code_alone():
    regions = read_regions(BARE)
    assert [(region.kind, region.size_bytes) for region in regions] == [
        ("headers", 64),
        ("headers", 112),
        ("segment", len(BARE) - 176),
    ]


@pytest.mark.parametrize("path", REAL, ids=lambda path: path.name)
def test_a_real_program_is_divided_as_another_reader_does(path):
    data = path.read_bytes()
    regions = read_regions(data)
    assert cover(regions) == len(data)
    theirs = {
        section.name: (section["sh_offset"], section["sh_size"], section["sh_addr"])
        for section in ELFFile(io.BytesIO(data)).iter_sections()
        if section["sh_type"] not in {"SHT_NULL", "SHT_NOBITS"} and section["sh_size"]
    }
    ours = {one.name: (one.offset, one.size_bytes, one.address) for one in regions if one.kind == "section"}
    assert ours == theirs


def test_symbols_have_name_address_and_size():
    functions = (("start", ".text", 0, 16), ("_ZN4main", ".text", 16, 48))
    data = build_elf(contents=((".text", CODE),), loaded=True, functions=functions)
    address = next(region.address for region in read_regions(data) if region.name == ".text")
    found = [(one.name, one.address - address, one.size_bytes, one.is_function) for one in read_symbols(data)]
    assert found == [("start", 0, 16, True), ("_ZN4main", 16, 48, True)]


def test_a_stripped_file_has_no_symbols():
    assert read_symbols(build_elf()) == ()


def test_what_is_no_elf_file_is_one_error():
    for read in (read_regions, read_symbols):
        with pytest.raises(BareboatError, match="does not begin as an ELF file does"):
            read(b"#!/bin/sh\n")


def entry(content):
    return struct.pack("<I", len(content)) + content


def test_frames_name_their_functions():
    common = entry(struct.pack("<I", 0) + b"\x01zR\0\x01\x78\x10\x01\x1b\0\0\0")
    at = len(common)
    frame = entry(struct.pack("<Iii", at + 4, 0x5000 - (0x9000 + at + 8), 32) + bytes(8))
    frames = list(read_frames(common + frame + bytes(4), 0x9000))
    assert [(one.offset, one.size_bytes, one.function) for one in frames] == [(at, len(frame), 0x5000)]


def test_frames_that_are_cut_off_end_there():
    assert list(read_frames(struct.pack("<III", 100, 1, 1), 0)) == []
    assert list(read_frames(struct.pack("<III", 0xFFFFFFFF, 1, 1), 0)) == []
