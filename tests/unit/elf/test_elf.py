"""The facts read from an ELF file, held against files made by hand, real compilers, pyelftools and a fuzzer."""

from __future__ import annotations

import io
import shutil
import struct
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bareboat.elf import Dlopen, ElfFacts, read_elf, read_linking
from bareboat.errors import BareboatError
from tests.unit.elf_builder import (
    ET_DYN,
    ET_EXEC,
    ET_REL,
    GLIBC_LOADER,
    GNU,
    MUSL,
    MUSL_LOADER,
    NO_LIBC,
    Signs,
    build_elf,
)

STATIC_PIE = {"interpreter": None, "flags_1": 0x08000001}
LIBC = Path("/lib/x86_64-linux-gnu/libc.so.6")
STATIC = {"kind": ET_EXEC, "interpreter": None, "has_dynamic": False}


def test_a_dynamic_program_says_what_it_needs():
    facts = read_elf(
        build_elf(
            needed=("libgcc_s.so.1", "libc.so.6"),
            runpath="$ORIGIN/../lib:/opt/lib",
            rpath="/old",
            versions=(("libgcc_s.so.1", ("GCC_3.0",)), ("libc.so.6", ("GLIBC_2.34", "GLIBC_2.2.5"))),
            flags_1=0x08000001,
        )
    )
    assert facts == ElfFacts(
        machine="x86_64",
        is_64bit=True,
        interpreter=GLIBC_LOADER,
        needed=("libgcc_s.so.1", "libc.so.6"),
        rpath=("/old",),
        runpath=("$ORIGIN/../lib", "/opt/lib"),
        soname=None,
        symbol_versions_needed=(("libgcc_s.so.1", ("GCC_3.0",)), ("libc.so.6", ("GLIBC_2.34", "GLIBC_2.2.5"))),
        linkage="dynamic-pie",
        crt="dynamic",
        libc="gnu",
        pie=True,
        relro="full",
        bind_now=True,
        nx=True,
        stripped=True,
    )


@pytest.mark.parametrize(
    ("made", "linkage", "crt", "pie"),
    [
        ({"interpreter": GLIBC_LOADER}, "dynamic-pie", "dynamic", True),
        ({"interpreter": GLIBC_LOADER, "kind": ET_EXEC}, "dynamic", "dynamic", False),
        (STATIC, "static", "static", False),
        (STATIC_PIE, "static-pie", "static", True),
        ({"interpreter": None}, "static-pie", "static", True),  # a linker older than DF_1_PIE
        ({"interpreter": None, "has_entry": False}, "shared-object", "dynamic", False),
        ({"interpreter": None, "soname": "libx.so.1"}, "shared-object", "dynamic", False),
        ({"interpreter": None, "needed": ("libc.so.6",)}, "shared-object", "dynamic", False),
        ({"interpreter": None, "needed": ("libc.so.6",), "kind": ET_EXEC}, "dynamic", "dynamic", False),
    ],
)
def test_linkage(made, linkage, crt, pie):
    facts = read_elf(build_elf(**made))
    assert (facts.linkage, facts.crt, facts.pie) == (linkage, crt, pie)


@pytest.mark.parametrize(
    ("made", "relro", "bind_now"),
    [
        ({"relro": False}, "none", False),
        ({"relro": False, "bind_now": True}, "none", True),
        ({}, "partial", False),
        ({"bind_now": True}, "full", True),
        ({"flags": 8}, "full", True),
        ({"flags_1": 1}, "full", True),
        ({"flags_1": 0x08000000}, "partial", False),
    ],
)
def test_relro(made, relro, bind_now):
    facts = read_elf(build_elf(**made))
    assert (facts.relro, facts.bind_now) == (relro, bind_now)


@pytest.mark.parametrize(("stack_flags", "nx"), [(6, True), (7, False), (None, False)])
def test_nx_is_the_stack_segments_missing_execute_flag(stack_flags, nx):
    assert read_elf(build_elf(stack_flags=stack_flags)).nx is nx


def test_stripped_is_no_symbol_table_or_no_section_headers_at_all():
    assert not read_elf(build_elf(symbol_table=True)).stripped
    assert read_elf(build_elf(symbol_table=False)).stripped
    assert read_elf(build_elf(symbol_table=True, section_headers=False)).stripped


@pytest.mark.parametrize(
    ("made", "libc"),
    [
        ({"interpreter": MUSL_LOADER, "needed": ("libc.so",)}, "musl"),
        ({"interpreter": MUSL_LOADER, "needed": ("libc.musl-x86_64.so.1",)}, "musl"),
        ({"interpreter": GLIBC_LOADER}, "gnu"),
        ({"interpreter": "/lib/ld-linux-aarch64.so.1"}, "gnu"),
        ({"interpreter": "/lib/ld64.so.2"}, "gnu"),
        ({"interpreter": "/system/bin/linker64", "needed": ("libc.so",)}, None),
        ({"interpreter": None, "soname": "l", "needed": ("libc.so.6",)}, "gnu"),
        ({"interpreter": None, "soname": "l", "needed": ("m",), "versions": (("m", ("GLIBC_2.2.5",)),)}, "gnu"),
        ({"interpreter": None, "soname": "l", "needed": ("libc.musl-x86_64.so.1",)}, "musl"),
        ({"interpreter": None, "soname": "l", "needed": ("libc.so",)}, "musl"),
        ({"interpreter": None, "soname": "l", "needed": ("libc.so",), "versions": (("libc.so", ("LIBC",)),)}, None),
        ({"interpreter": None, "soname": "l"}, None),
    ],
)
def test_a_dynamic_file_names_its_libc(made, libc):
    assert read_elf(build_elf(**made)).libc == libc


QUOTES_GNU = replace(MUSL, messages=(*MUSL.messages, *GNU.messages))  # a tool that knows the other libc's messages
QUOTES_MUSL = replace(GNU, messages=(*GNU.messages, *MUSL.messages))


@pytest.mark.parametrize("linkage", [STATIC, STATIC_PIE])
@pytest.mark.parametrize(
    ("signs", "libc"),
    [
        (GNU, "gnu"),
        (replace(GNU, start=b"\xf3\x0f\x1e\xfa" + GNU.start), "gnu"),  # with control-flow protection
        (MUSL, "musl"),
        (replace(MUSL, messages=()), "musl"),  # a program that prints nothing
        (QUOTES_GNU, "musl"),
        (QUOTES_MUSL, "gnu"),
        (NO_LIBC, None),
        (replace(NO_LIBC, messages=GNU.messages), None),
        (replace(NO_LIBC, messages=MUSL.messages), None),
        (Signs(start=GNU.start), None),
        (Signs(start=MUSL.start), None),
        (replace(GNU, code=MUSL.code, messages=(*GNU.messages, *MUSL.messages)), None),  # signs of both
    ],
)
def test_a_stripped_static_program_shows_its_libc_by_two_signs(linkage, signs, libc):
    assert read_elf(build_elf(**linkage, signs=signs)).libc == libc


@pytest.mark.parametrize(("is_64bit", "order", "machine"), [(False, "<", 3), (False, ">", 8), (True, ">", 22)])
def test_other_classes_and_byte_orders_are_read_too(is_64bit, order, machine):
    made = build_elf(needed=("libc.so.6",), symbol_table=True, is_64bit=is_64bit, order=order, machine=machine)
    facts = read_elf(made)
    assert (facts.needed, facts.interpreter, facts.stripped) == (("libc.so.6",), GLIBC_LOADER, False)
    assert facts.machine == {3: "x86", 8: "machine-8", 22: "s390x"}[machine]
    assert facts.is_64bit is is_64bit


COMPILERS = [
    ("gcc", ("-static",), "static", "gnu"),
    ("gcc", ("-static-pie",), "static-pie", "gnu"),
    ("gcc", ("-pie", "-fPIE"), "dynamic-pie", "gnu"),
    ("gcc", ("-no-pie",), "dynamic", "gnu"),
    ("musl-gcc", ("-static",), "static", "musl"),
    ("musl-gcc", ("-no-pie",), "dynamic", "musl"),
]


@pytest.mark.parametrize(("compiler", "options", "linkage", "libc"), COMPILERS)
@pytest.mark.starts_processes("the machine's own compilers make the files")
def test_what_a_compiler_makes_is_recognised_stripped(tmp_path, compiler, options, linkage, libc):
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is absent; the same signs are tested from bytes above")
    source, program = tmp_path / "a.c", tmp_path / "a"
    source.write_text('#include <stdio.h>\nint main(int n, char **v) { return printf("%s %d\\n", *v, n) < 0; }\n')
    subprocess.run([compiler, "-O2", "-s", *options, "-o", program, source], check=True)
    facts = read_elf(program.read_bytes())
    assert (facts.linkage, facts.libc, facts.stripped) == (linkage, libc, True)


def test_pyelftools_says_the_same_of_this_interpreter_and_its_libraries():
    for path in {Path(sys.executable).resolve(), *_loaded_libraries()}:
        data = path.read_bytes()
        facts, other = read_elf(data), ELFFile(io.BytesIO(data))
        tags = list(next(iter(other.iter_segments("PT_DYNAMIC"))).iter_tags())
        versions = other.get_section_by_name(".gnu.version_r")
        found = versions.iter_versions() if versions else ()
        assert facts.needed == tuple(tag.needed for tag in tags if tag.entry.d_tag == "DT_NEEDED")
        assert facts.soname == next((tag.soname for tag in tags if tag.entry.d_tag == "DT_SONAME"), None)
        assert facts.stripped is (other.get_section_by_name(".symtab") is None)
        needs = [(need.name, tuple(versions)) for need, versions in found]
        assert facts.symbol_versions_needed == tuple((name, tuple(v.name for v in vs)) for name, vs in needs)
        weak = [(name, tuple(v.name for v in vs if v.entry.vna_flags & 2)) for name, vs in needs]
        assert facts.symbol_versions_weak == tuple((name, names) for name, names in weak if names)
        offers = other.get_section_by_name(".gnu.version_d")
        offered = [next(iter(names)).name for _, names in offers.iter_versions()] if offers else []
        assert facts.symbol_versions_defined == tuple(offered)
        symbols = other.get_section_by_name(".dynsym").iter_symbols()
        undefined = {symbol.name for symbol in symbols if symbol.entry.st_shndx == "SHN_UNDEF" and symbol.name}
        assert facts.imports == undefined


@pytest.mark.skipif(not LIBC.exists(), reason="this machine has its libc elsewhere")
def test_this_machines_libc_offers_versions_of_its_own():
    facts = read_elf(LIBC.read_bytes())
    assert facts.symbol_versions_defined[:2] == ("libc.so.6", "GLIBC_2.2.5")
    assert {"GLIBC_2.34", "GLIBC_PRIVATE"} <= set(facts.symbol_versions_defined)
    assert "__tls_get_addr" in facts.imports


@pytest.mark.parametrize(("is_64bit", "order", "machine"), [(True, "<", 62), (False, "<", 3), (True, ">", 22)])
@pytest.mark.parametrize("hash_table", ["gnu", "sysv", "none"])
@pytest.mark.parametrize("exports", [(), ("here", "there")])
def test_imports_are_the_undefined_symbols(is_64bit, order, machine, hash_table, exports):
    made = build_elf(
        imports=("getaddrinfo", "exit"),
        exports=exports,
        hash_table=hash_table,
        is_64bit=is_64bit,
        order=order,
        machine=machine,
    )
    assert read_elf(made).imports == {"getaddrinfo", "exit"}


def test_weak_versions_and_those_that_are_offered():
    made = build_elf(versions=(("a", ("V1", "V2")), ("b", ("V3",))), weak=("V2",), defined=("me", "V8", "V9"))
    facts = read_elf(made)
    assert facts.symbol_versions_needed == (("a", ("V1", "V2")), ("b", ("V3",)))
    assert facts.symbol_versions_weak == (("a", ("V2",)),)
    assert facts.symbol_versions_defined == ("me", "V8", "V9")


def test_a_dlopen_note_is_read():
    content = b'[{"soname":["libx.so.1","libx.so.0"],"feature":"x","priority":"required"},{"soname":["liby.so"]}]\0'
    assert read_elf(build_elf(dlopens=content)).dlopens == (
        Dlopen(sonames=("libx.so.1", "libx.so.0"), feature="x", priority="required"),
        Dlopen(sonames=("liby.so",), feature="", priority="recommended"),
    )


@pytest.mark.parametrize(
    "content",
    [
        b"no JSON",
        b"{}",
        b"[1]",
        b"[{}]",
        b'[{"soname":[]}]',
        b'[{"soname":"libx.so"}]',
        b'[{"soname":[7]}]',
        b'[{"soname":["a\\u0000b"]}]',
        b'[{"soname":["\\ud800"]}]',
        b"[" * 60_000,
        b"[1" + b"0" * 60_000 + b"]",
        b"[" + b" " * 70_000 + b"]",
        b"\xff",
    ],
)
def test_a_dlopen_note_that_is_none_is_one_clear_error(content):
    with pytest.raises(BareboatError, match="dlopen note"):
        read_elf(build_elf(dlopens=content))


@pytest.mark.parametrize(("place", "number"), [(0, 2**32 - 1), (8, 2**32 - 1), (24, 2**31)])
def test_a_hash_table_that_leads_nowhere_is_one_clear_error(place, number):
    data = bytearray(build_elf(imports=("a",), exports=("b", "c")))
    table = bytes(data).index(struct.pack("<IIII", 1, 2, 1, 0))
    struct.pack_into("<I", data, table + place, number)
    with pytest.raises(BareboatError, match="not a sound ELF file"):
        read_elf(bytes(data))


def test_versions_that_are_offered_four_thousand_million_times_end():
    data = bytearray(build_elf(defined=("me", "V1")))
    struct.pack_into("<QQ", data, bytes(data).index(struct.pack("<QQ", 0x6FFFFFFD, 2)), 0x6FFFFFFD, 2**32 - 1)
    assert read_elf(bytes(data)).symbol_versions_defined == ("me", "V1")


def _loaded_libraries() -> set[Path]:
    lines = Path("/proc/self/maps").read_text().splitlines()
    return {Path(line.split()[-1]) for line in lines if line.rpartition("/")[2].startswith("lib") and ".so" in line}


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "begin"),
        (b"#!/bin/sh\n", "begin"),
        (b"\x7fELF" + bytes(60), "begin"),
        (build_elf(kind=ET_REL), "type 1"),
        (build_elf()[:-200], "cut off"),
        (build_elf()[:80], "cut off"),
        (build_elf(section_headers=False)[:-1], "cut off"),
    ],
)
def test_what_is_no_whole_program_is_one_clear_error(data, why):
    with pytest.raises(BareboatError, match=why):
        read_elf(data)


def test_a_version_table_that_counts_to_four_thousand_million_ends():
    data = bytearray(build_elf(needed=("c",), versions=(("c", ("V1",)),)))
    count = bytes(data).index(struct.pack("<QQ", 0x6FFFFFFF, 1))
    struct.pack_into("<QQ", data, count, 0x6FFFFFFF, 2**32 - 1)
    assert read_elf(bytes(data)).symbol_versions_needed == (("c", ("V1",)),)


SEEDS = [
    build_elf(needed=("libc.so.6",), runpath="/x", versions=(("libc.so.6", ("A", "B")),), symbol_table=True),
    build_elf(**STATIC_PIE, signs=GNU),
    build_elf(**STATIC, signs=MUSL),
    build_elf(needed=("libc.so",), interpreter=MUSL_LOADER, is_64bit=False, machine=3),
    build_elf(imports=("a", "b"), exports=("c",), defined=("me", "V1"), dlopens=b'[{"soname":["libx.so.1"]}]'),
    build_elf(imports=("a", "b"), hash_table="sysv", is_64bit=False, machine=3),
]
NUMBERS = st.sampled_from([0, 1, 2, 0x7F, 0xFFFF, 2**31, 2**32 - 1, 2**63, 2**64 - 1]) | st.integers(0, 2**64 - 1)
MUTATION = st.tuples(st.integers(0, 1400), st.sampled_from("BHIQ"), NUMBERS)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.sampled_from(SEEDS), mutations=st.lists(MUTATION, max_size=6), kept=st.none() | st.integers(0, 1400))
def test_no_bytes_bring_anything_but_facts_or_a_bareboat_error(seed, mutations, kept):
    data = bytearray(seed)
    for offset, form, number in mutations:
        size = struct.calcsize(form)
        if offset + size <= len(data):
            struct.pack_into(f"<{form}", data, offset, number & (256**size - 1))
    assert isinstance(_read_or_refuse(bytes(data[:kept])), ElfFacts | BareboatError)


@given(st.binary(max_size=300))
def test_nor_do_random_bytes(data):
    for head in (b"", b"\x7fELF\x02\x01", SEEDS[0][:64], SEEDS[3][:52]):
        assert isinstance(_read_or_refuse(head + data), ElfFacts | BareboatError)


def _read_or_refuse(data: bytes) -> ElfFacts | BareboatError:
    try:
        return read_elf(data)
    except BareboatError as error:
        return error


def test_a_shared_object_can_be_named_and_is_not_a_program():
    assert read_elf(build_elf(kind=ET_DYN, interpreter=None, soname="libz.so.1")).soname == "libz.so.1"


@pytest.mark.parametrize("is_64bit", [True, False])
def test_what_dynamic_symbols_ask_for_leaves_out_those_that_may_be_absent(is_64bit):
    made = build_elf(imports=("a", "b"), weak_imports=("b",), exports=("c",), is_64bit=is_64bit)
    linking = read_linking(made)
    assert (linking.wanted, linking.offered) == ({"a"}, {"c"})
    assert read_elf(made).imports == {"a", "b"}
