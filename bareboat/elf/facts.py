"""What an ELF file says of itself, as one value: how it is linked, what it needs, how it is hardened.

Meanings are those of checksec and of the linker's manual: https://sourceware.org/binutils/docs/ld/Options.html (-z).
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
    """One program or shared object.

    `machine` is as uname spells it, or `machine-N`. `rpath` and `runpath` are split at colons. `nx` says that the stack
    is not executable; a file without PT_GNU_STACK gets an executable one. `stripped`: there is no symbol table.
    `symbol_versions_needed` is a tuple of (library, versions), and `symbol_versions_weak` those of them without which
    ld.so starts the file all the same. `symbol_versions_defined` has what the file itself offers, its own name among
    them. `imports` are the names of the symbols that other files have to define; `dlopens` is what the file says that
    it may load later. `relro` is full where the whole GOT is read-only, that
    is with `bind_now`. `crt` is static for a program that needs neither interpreter nor library. `libc` is None where
    there is none, or too little evidence of it: see `bareboat.elf.libc`.
    """

    machine: str
    is_64bit: bool
    interpreter: str | None
    needed: tuple[str, ...]
    rpath: tuple[str, ...]
    runpath: tuple[str, ...]
    soname: str | None
    symbol_versions_needed: tuple[tuple[str, tuple[str, ...]], ...]
    linkage: Linkage
    crt: Crt
    libc: Libc | None
    pie: bool
    relro: Relro
    bind_now: bool
    nx: bool
    stripped: bool
    symbol_versions_weak: tuple[tuple[str, tuple[str, ...]], ...] = ()
    symbol_versions_defined: tuple[str, ...] = ()
    imports: frozenset[str] = frozenset()
    dlopens: tuple[Dlopen, ...] = ()


def read_elf(data: bytes) -> ElfFacts:
    """The facts of a whole ELF file. Raises BareboatError for bytes that are none, or cut off, or unsound."""
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
        stripped=SHT_SYMTAB not in layout.section_kinds,
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
    # An older linker does not set the flag: an entry point and no name to be found by make a program, too.
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
