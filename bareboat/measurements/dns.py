"""Which code looks host names up for a program, told by signs of two kinds in the program and its build."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bareboat.elf import read_symbol_names
from bareboat.measurements._signs import Finding, Library, crate_paths, crate_symbols, find_library, tell
from bareboat.result.measurement import Column

if TYPE_CHECKING:
    from bareboat.measurements.subject import Subject, TimedSubject

COLUMN = Column(
    name="dns",
    heading="DNS",
    unit="text",
    order=76,
    meaning=(
        "who looks names up: hickory, or libc's getaddrinfo; behind it, by which signs: *symbols*, source *paths* and "
        "*texts* in the program, the *crates* of its build, *imports*, a static *libc* that has it, the message of "
        "Rust's *std* for a look-up that failed; a question mark where fewer than two kinds speak for it; *probed* "
        "where a run looked names up"
    ),
    version=2,
)
_HICKORY = Library(
    name="hickory",
    crates=frozenset({"hickory-resolver"}),
    is_crate=True,
    symbols=crate_symbols("hickory-resolver"),
    # Releases move code from one of its crates to another; whether all are the resolver, the build's crates tell.
    paths=crate_paths("hickory-resolver", "hickory-net", "hickory-proto"),
    texts=(
        b"label points to data not prior to idx: ",
        b"name label data exceed 255: ",
        b"label bytes exceed 63: ",
        b"dns class value unknown: ",
        b"record type value unknown: ",
        b"incorrect rdata length read: ",
        b"maximum buffer size exceeded: ",
    ),
)
_CALLS = frozenset({"getaddrinfo", "freeaddrinfo"})
_DEFINED = b"\0getaddrinfo\0"
# Of gai_strerror in glibc (EAI_AGAIN) and in musl (EAI_NONAME): a static program that uses getaddrinfo has one of them.
_LIBC = (b"\0Temporary failure in name resolution\0", b"\0Name does not resolve\0")
# Of library/std/src/sys/net. It may be in a program that never looks a name up, and says then who calls getaddrinfo:
# std, unless an OpenSSL is there, which calls it too.
_STD, _OPENSSL = b"failed to lookup address information: ", b"crypto/bio/bio_addr.c\0"
_ASKED = frozenset({"truncated", "search", "v4only", "v6fails"})


def measure(subject: Subject) -> str | None:
    """`hickory (paths, crates)`, `getaddrinfo (imports, std)`, with a question mark for one sign; None without any."""
    return tell((find_library(_HICKORY, subject), _find_getaddrinfo(subject)))


def confirm(text: str | None, subject: TimedSubject) -> str | None:
    """What was measured, and whether the run looked names up."""
    asked = any(probe.passed and probe.name in _ASKED for probe in subject.probes)
    return f"{text or 'not recognised'}; probed" if asked else text


def _find_getaddrinfo(subject: Subject) -> Finding:
    # That a static libc's function is in a program is one kind of sign, however it is seen.
    holds = subject.elf.crt == "static" and (
        _DEFINED in read_symbol_names(subject.program) or any(text in subject.program for text in _LIBC)
    )
    called = subject.elf.imports >= _CALLS
    by_std = (called or holds) and _STD in subject.program and _OPENSSL not in subject.program
    signs = {"imports": called, "libc": holds, "std": by_std}
    return Finding(name="getaddrinfo", signs=tuple(sign for sign, found in signs.items() if found))
