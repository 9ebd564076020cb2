"""Reads an ELF file into one value: how it is linked, what it needs, how it is hardened.

Words mean what they mean in checksec and in the linker's manual:
https://sourceware.org/binutils/docs/ld/Options.html (-z).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from bareboat.elf.dlopen import read_dlopens
from bareboat.elf.layout import (
    ET_DYN,
    PT_DYNAMIC,
    PT_GNU_RELRO,
    PT_GNU_STACK,
    PT_INTERP,
    SHT_SYMTAB,
    STRING_LIMIT_BYTES,
    decode,
    read_layout,
)
from bareboat.elf.libc import recognise_dynamic, recognise_static
from bareboat.elf.symbols import read_imports, read_versions_defined, read_versions_needed

if TYPE_CHECKING:
    from bareboat.elf.dlopen import Dlopen
    from bareboat.elf.layout import Layout
    from bareboat.elf.libc import Libc

Crt = Literal["static", "dynamic"]
Relro = Literal["none", "partial", "full"]
Linkage = Literal["static", "static-pie", "dynamic", "dynamic-pie", "shared-object"]

DT_NEEDED, DT_SONAME, DT_RPATH, DT_BIND_NOW, DT_RUNPATH, DT_FLAGS, DT_FLAGS_1 = 1, 14, 15, 24, 29, 30, 0x6FFFFFFB
DF_BIND_NOW, DF_1_NOW, DF_1_PIE = 0x8, 0x1, 0x08000000
PF_X = 1
MACHINES = {3: "x86", 40: "arm", 62: "x86_64", 183: "aarch64", 243: "riscv64", 21: "ppc64", 22: "s390x"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ElfFacts:
    """The facts of one program or shared object."""

    # As uname spells it, or `machine-N` for a number that is not in MACHINES.
    machine: str
    is_64bit: bool
    # The path of the dynamic loader that the kernel starts; None for a static program or a library.
    interpreter: str | None
    # The libraries that the loader has to load, as the file names them (DT_NEEDED).
    needed: tuple[str, ...]
    # The folders in which the loader looks for them, split at colons (DT_RPATH and DT_RUNPATH).
    rpath: tuple[str, ...]
    runpath: tuple[str, ...]
    # The name that a library gives itself (DT_SONAME).
    soname: str | None
    # Pairs of a library and the versions of its symbols that the file needs.
    symbol_versions_needed: tuple[tuple[str, tuple[str, ...]], ...]
    # How it was linked, and whether it is a program or a library.
    linkage: Linkage
    # Static for a program that needs neither interpreter nor library.
    crt: Crt
    # None where there is no libc or too little evidence of one: see `bareboat.elf.libc`.
    libc: Libc | None
    # Whether a program can be loaded at any address.
    pie: bool
    # Full where the whole global offset table is read-only, for which `bind_now` is necessary.
    relro: Relro
    # Whether the loader resolves every symbol before the program starts.
    bind_now: bool
    # Whether the stack is not executable; without PT_GNU_STACK the kernel makes it executable.
    nx: bool
    # Whether the symbol table has been removed.
    stripped: bool
    # Those of the needed versions without which ld.so starts the file nevertheless.
    symbol_versions_weak: tuple[tuple[str, tuple[str, ...]], ...] = ()
    # The versions that the file itself offers, its own name among them.
    symbol_versions_defined: tuple[str, ...] = ()
    # The names of the symbols that other files have to define.
    imports: frozenset[str] = frozenset()
    # The libraries that the file says it may load later.
    dlopens: tuple[Dlopen, ...] = ()


def read_elf(data: bytes) -> ElfFacts:
    """The facts of an ELF file, given whole. Raises BareboatError if it is another file, cut off or inconsistent."""
    layout = read_layout(data)
    interpreter = _read_interpreter(layout)
    needed = _texts(layout, DT_NEEDED)
    sonames = _texts(layout, DT_SONAME)
    needs = read_versions_needed(layout)
    versions = tuple((need.library, need.versions) for need in needs)
    linkage = _judge_linkage(layout, interpreter, is_library=bool(sonames or (needed and interpreter is None)))
    bind_now = _is_bind_now(layout)
    stack = layout.find(PT_GNU_STACK)
    wanted = tuple(version for _, names in versions for version in names)
    is_static = linkage in {"static", "static-pie"}
    return ElfFacts(
        machine=MACHINES.get(layout.machine, f"machine-{layout.machine}"),
        is_64bit=layout.is_64bit,
        interpreter=interpreter,
        needed=needed,
        rpath=_split(_texts(layout, DT_RPATH)),
        runpath=_split(_texts(layout, DT_RUNPATH)),
        soname=next(iter(sonames), None),
        symbol_versions_needed=versions,
        linkage=linkage,
        crt="static" if is_static else "dynamic",
        libc=recognise_static(layout) if is_static else recognise_dynamic(interpreter, needed, wanted),
        pie=linkage in {"static-pie", "dynamic-pie"},
        relro="none" if layout.find(PT_GNU_RELRO) is None else "full" if bind_now else "partial",
        bind_now=bind_now,
        nx=stack is not None and not stack.flags & PF_X,
        stripped=all(section.kind != SHT_SYMTAB for section in layout.sections),
        symbol_versions_weak=tuple((need.library, need.weak) for need in needs if need.weak),
        symbol_versions_defined=read_versions_defined(layout),
        imports=read_imports(layout),
        dlopens=read_dlopens(layout),
    )


def _read_interpreter(layout: Layout) -> str | None:
    segment = layout.find(PT_INTERP)
    if segment is None:
        return None
    return decode(layout.data[segment.offset : segment.offset + min(segment.size_bytes, STRING_LIMIT_BYTES)])


def _judge_linkage(layout: Layout, interpreter: str | None, *, is_library: bool) -> Linkage:
    is_movable = layout.type == ET_DYN
    if interpreter is not None:
        return "dynamic-pie" if is_movable else "dynamic"
    if not is_movable:
        return "dynamic" if is_library else "static"
    says_pie = any(flags & DF_1_PIE for flags in layout.values(DT_FLAGS_1))
    # Linkers before DF_1_PIE do not set the flag: a file with an entry point and without a soname is a program, too.
    starts = layout.entry != 0 and layout.find(PT_DYNAMIC) is not None
    return "static-pie" if not is_library and (says_pie or starts) else "shared-object"


def _is_bind_now(layout: Layout) -> bool:
    return (
        bool(layout.values(DT_BIND_NOW))
        or any(flags & DF_BIND_NOW for flags in layout.values(DT_FLAGS))
        or any(flags & DF_1_NOW for flags in layout.values(DT_FLAGS_1))
    )


def _texts(layout: Layout, tag: int) -> tuple[str, ...]:
    return tuple(layout.text(offset) for offset in layout.values(tag))


def _split(paths: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(part for path in paths for part in path.split(":"))
