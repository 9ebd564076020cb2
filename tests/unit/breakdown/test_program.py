"""A program's bytes by section, crate and symbol, from a twin, from a linker's map, or from neither."""

from __future__ import annotations

import pytest

from bareboat.breakdown import Listed, crates_of, divide_program, read_twin
from bareboat.breakdown.objects import owner_of, read_map
from bareboat.breakdown.program import BETWEEN, UNKNOWN
from bareboat.elf import read_regions
from tests.unit.elf_builder import build_elf, without_section_headers

CODE = bytes(range(64))
DATA = b"messages of several crates......"
SECTIONS = ((".text", CODE), (".rodata", DATA))
# A function of 16 bytes, two copies of one, one of assembly without a size; 8 bytes are nobody's.
FUNCTIONS = (("a1", ".text", 0, 16), ("b1", ".text", 16, 8), ("b2", ".text", 24, 8), ("memcpy", ".text", 40, 0))
NAMES = Listed(
    names=(b"0 t a1\n1 t b1\n2 t b2\n3 T memcpy\n", b"0 t <app::Thing as x>::f\n1 t core::g\n2 t core::g\n3 T memcpy\n")
)
PROGRAM = build_elf(contents=SECTIONS, loaded=True)


def twin(*, code=CODE, functions=FUNCTIONS):
    return build_elf(contents=((".text", code), SECTIONS[1]), loaded=True, functions=functions)


def divided(listed=NAMES, made=None):
    symbols, same, says = read_twin(PROGRAM, made or twin(), listed, crates_of(["app"]))
    return {row.name: row for row in divide_program(PROGRAM, symbols)}, same, says


def adds_up(row):
    assert not row.rows or sum(one.size_bytes for one in row.rows) == row.size_bytes, row.name
    for one in row.rows:
        adds_up(one)


def test_code_is_told_by_crate_and_symbol():
    rows, same, says = divided()
    assert same
    assert says == ".text is the same byte by byte, so are 1 of 1 other sections"
    assert sum(row.size_bytes for row in rows.values()) == len(PROGRAM)
    for row in rows.values():
        adds_up(row)
    crates = {
        row.name: (row.size_bytes, [(one.name, one.size_bytes) for one in row.rows]) for row in rows[".text"].rows
    }
    assert crates == {
        "C, or assembly": (24, [("memcpy", 24)]),
        "app": (16, [("<app::Thing as x>::f", 16)]),
        "core": (16, [("core::g", 16)]),
        UNKNOWN: (8, []),
    }
    assert rows[".rodata"].rows == (), "without a map nobody knows whose constants are"
    assert rows["ELF header"].size_bytes == 64
    assert rows[BETWEEN].kind == "overhead"


def test_without_a_symbol_the_map_tells():
    at = {region.name: region.address for region in read_regions(PROGRAM)}
    text, data = at[".text"], at[".rodata"]
    lines = [
        "             VMA              LMA     Size Align Out     In      Symbol",
        f"  {text:x} {text:x} 40 1 .text",
        f"  {text + 40:x} {text + 40:x} 18 1         /liblibc-0123456789abcdef.rlib(memcpy.lo):(.text)",
        f"  {data:x} {data:x} a 1         /t/app-0123456789abcdef.app.1-cgu.0.rcgu.o:(.rodata..L1)",
        f"  {data + 20:x} {data + 20:x} 4 1 /libstd-0123456789abcdef.rlib(std-0.o.rcgu.o):(.rodata)",
    ]
    rows, _, _ = divided(Listed(names=NAMES.names, map="\n".join(lines).encode()))
    assert {row.name: row.size_bytes for row in rows[".rodata"].rows} == {"app": 10, "std": 4, UNKNOWN: len(DATA) - 14}
    assert {row.name for row in rows[".text"].rows} == {"libc (static)", "app", "core", UNKNOWN}


def test_a_twin_of_another_program_says_how_far_it_is_off():
    other = bytearray(CODE)
    other[10:13] = b"\xff\xff\xff"
    rows, same, says = divided(made=twin(code=bytes(other)))
    assert same is False
    assert says == "not the same: .text has 64 bytes in place of 64, and 3 differ; its symbols are not used there"
    assert rows[".text"].rows == ()
    assert sum(row.size_bytes for row in rows.values()) == len(PROGRAM)


def test_a_program_without_section_headers_is_divided_by_its_twins():
    bare = without_section_headers(PROGRAM)
    symbols, same, says = read_twin(bare, twin(), NAMES, crates_of(["app"]))
    assert same
    assert says.endswith("; the program has no section headers, and is divided by its twin's")
    rows = {row.name: row for row in divide_program(bare, symbols)}
    assert sum(row.size_bytes for row in rows.values()) == len(bare)
    assert {row.name for row in rows[".text"].rows} == {"C, or assembly", "app", "core", UNKNOWN}
    alone = {row.name: row.size_bytes for row in divide_program(bare, None)}
    assert sum(alone.values()) == len(bare)
    assert alone["segment that is read, executed"] > len(CODE) + len(DATA)


def test_without_a_twin_there_are_sections():
    rows = divide_program(PROGRAM, None)
    assert sum(row.size_bytes for row in rows) == len(PROGRAM)
    assert {row.name for row in rows} > {".text", ".rodata"}
    assert divide_program(b"#!/bin/sh\n", None) == ()


@pytest.mark.parametrize(
    ("name", "crate"),
    [
        ("<my_app::Opt as clap::Args>::f", "my_app"),
        ("core::ptr::drop_in_place::<my_app::Opt>", "core"),
        ("<P as clap::Parser>::parse", "clap"),
        ("<&mut dyn core::fmt::Write as unheard_of::T>::f", "core"),
        ("unheard_of::f", "unheard_of"),
        ("std[8f0f9c990831f7d7]::rt::lang_start", "std"),
        ("__rustc::rust_begin_unwind", "std"),
        ("memcpy", ""),
        ("rust_eh_personality", ""),
    ],
)
def test_a_symbol_is_of_the_first_crate_in_its_name(name, crate):
    assert crates_of(["my-app", "clap"]).of(name) == crate


@pytest.mark.parametrize(
    ("file", "owner"),
    [
        ("/libstd-8f0f9c990831f7d7.rlib(std-8f0f9c990831f7d7.std.f892-cgu.0.rcgu.o)", "std"),
        ("/l/liblibc-8f0f9c990831f7d7.rlib(malloc.lo)", "libc (static)"),
        ("/l/libring-8f0f9c990831f7d7.rlib(aes.o)", "ring (its C)"),
        ("/usr/lib/x86_64-linux-gnu/libc.a(printf.o)", "libc (static)"),
        ("/usr/lib/gcc/x86_64-linux-gnu/14/libgcc.a(_muldi3.o)", "libgcc.a"),
        ("/t/deps/app-8f0f9c990831f7d7.app.f892-cgu.0.rcgu.o", "app"),
        ("/usr/lib/x86_64-linux-gnu/Scrt1.o", "start-up files of C"),
        ("<internal>", ""),
    ],
)
def test_an_object_file_is_told_by_its_name(file, owner):
    assert owner_of(file) == owner


def test_the_map_of_the_gnu_linker_is_read_below_what_was_left_out():
    text = (
        "Discarded input sections\n\n .text          0x0000000000005000      0x100 /t/gone-8f0f9c990831f7d7.o\n"
        "\nLinker script and memory map\n\n"
        " .text._ZN3app4main17h0123456789abcdefE\n"
        "                0x0000000000005000       0x10 /t/app-8f0f9c990831f7d7.app.1.rcgu.o\n"
        " *fill*         0x0000000000005010        0x8 \n"
        " .text          0x0000000000005018        0x8 /usr/lib/crtn.o\n"
    )
    found = read_map(text.encode())
    assert [found.of(at) for at in (0x4FFF, 0x5000, 0x500F, 0x5010, 0x5018)] == [
        *("", "app", "app", "", "start-up files of C"),
    ]
    assert list(found.within(0x5008, 0x20)) == [(8, "app"), (8, ""), (8, "start-up files of C"), (8, "")]
    assert list(read_map(b"\xff no map").within(1, 5)) == [(5, "")]
