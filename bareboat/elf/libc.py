"""Recognises which C library a program contains or needs, from evidence that remains after stripping.

A dynamic program names its libc by its interpreter's path or else by the libraries that it needs. A static program
contains code and messages of its libc. One sign could be there by chance or be a quotation, so two of three are needed:

  sign            gnu                                       musl
  start code      _start of sysdeps/x86_64/start.S          _start of arch/x86_64/crt_arch.h
  at start-up     the ABI note of csu/abi-note.S            __set_thread_area of src/thread/x86_64
  messages        of malloc and of the static loader        of printf and of strerror

Measured on 30 static programs: C and Rust, static and static-pie, opt-level 3 and z with fat LTO, glibc 2.36 and 2.41,
musl 1.2.3 and 1.2.5. Every one shows all three signs of its libc (a C program that prints nothing has no messages of
musl's) and none of the other's.
"""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bareboat.elf.layout import Layout

Libc = Literal["gnu", "musl"]

SIGNS_NEEDED = 2
MESSAGES_NEEDED = 2
START_BYTES = 64
EM_X86_64, EM_AARCH64 = 62, 183
NT_GNU_ABI_TAG, ABI_LINUX = 1, 0

_START: dict[tuple[Libc, int], re.Pattern[bytes]] = {
    # endbr64?; xor ebp,ebp; mov r9,rdx; pop rsi; mov rdx,rsp; and rsp,-16; push rax; push rsp
    ("gnu", EM_X86_64): re.compile(
        rb"(?:\xf3\x0f\x1e\xfa)?\x31\xed\x49\x89\xd1\x5e\x48\x89\xe2\x48\x83\xe4\xf0\x50\x54"
    ),
    # xor rbp,rbp; mov rdi,rsp; lea rsi,[rip+_DYNAMIC]; and rsp,-16; call _start_c
    ("musl", EM_X86_64): re.compile(rb"\x48\x31\xed\x48\x89\xe7\x48\x8d\x35.{4}\x48\x83\xe4\xf0\xe8", re.DOTALL),
}
_MUSL_THREAD_AREA: dict[int, bytes] = {
    # mov rsi,rdi; mov edi,ARCH_SET_FS; mov eax,SYS_arch_prctl; syscall
    EM_X86_64: bytes.fromhex("4889fe bf02100000 b89e000000 0f05"),
}
_MESSAGES: dict[Libc, tuple[bytes, ...]] = {
    "gnu": (
        b"malloc(): corrupted top size",
        b"GLIBC_TUNABLES",
        b"CPU ISA level is lower than required",
        b"../elf/dl-tls.c",
        b"Cannot exec a shared library directly",
    ),
    "musl": (
        b"-+   0X0x",
        b"-0X+0X 0X-0x+0x 0x",
        b"No error information",
        b"Previous owner died",
        b"Symbolic link loop",
    ),
}


def recognise_dynamic(interpreter: str | None, needed: Sequence[str], versions: Sequence[str]) -> Libc | None:
    """The libc that a dynamic program or a shared object asks for; `versions` are the symbol versions it wants."""
    if interpreter is not None:
        name = interpreter.rsplit("/", 1)[-1]
        return "musl" if name.startswith("ld-musl-") else "gnu" if re.match(r"ld(-linux|64)?[-.]", name) else None
    if "libc.so.6" in needed or any(version.startswith("GLIBC_") for version in versions):
        return "gnu"
    # musl has no symbol versions; Android's libc.so, the only other of that name, has.
    if any(name.startswith("libc.musl-") for name in needed) or ("libc.so" in needed and not versions):
        return "musl"
    return None


def recognise_static(layout: Layout) -> Libc | None:
    """The libc inside a static program, if exactly one libc shows two signs or more; else None."""
    start = layout.bytes_at(layout.entry, START_BYTES) if layout.entry else b""
    found: list[Libc] = []
    libcs: tuple[Libc, ...] = ("gnu", "musl")
    for libc in libcs:
        pattern = _START.get((libc, layout.machine))
        signs = (
            pattern is not None and pattern.match(start) is not None,
            _has_abi_note(layout) if libc == "gnu" else _has_thread_area(layout),
            sum(b"\0" + text + b"\0" in layout.data for text in _MESSAGES[libc]) >= MESSAGES_NEEDED,
        )
        if sum(signs) >= SIGNS_NEEDED:
            found.append(libc)
    return found[0] if len(found) == 1 else None


def _has_abi_note(layout: Layout) -> bool:
    linux = struct.pack(f"{layout.order}I", ABI_LINUX)
    return any(
        note.name == b"GNU" and note.kind == NT_GNU_ABI_TAG and note.content.startswith(linux)
        for note in layout.notes()
    )


def _has_thread_area(layout: Layout) -> bool:
    code = _MUSL_THREAD_AREA.get(layout.machine)
    return code is not None and code in layout.data
