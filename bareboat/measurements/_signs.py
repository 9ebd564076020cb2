"""Tells which library is in a program, by signs of different kinds, each of which alone may mislead.

A program may print a library's name or hold another program's text; a lock file names crates that nobody links. So a
library is told for certain by two kinds of sign, and with a question mark by one:

  symbols  names that only the library defines, in the symbol table of a program that is not stripped
  paths    source files of the library, as panics and allocations name them: three or more
  texts    messages that only the library has: two or more, each whole
  crates   the crate graph of the build, or else the one that cargo-auditable left in the program
  needed   the loader is asked for the library
  imports  functions that only the library offers are called for

Both crate graphs are cargo's own account of what it resolved, which holds more than what is linked: they are one kind.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import ConfigDict, TypeAdapter, ValidationError

from bareboat.elf import read_section, read_symbol_names

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bareboat.measurements.subject import Subject

SIGNS_NEEDED = 2
PATHS_NEEDED = 3
TEXTS_NEEDED = 2
# What cargo-auditable leaves is a few kilobytes: https://github.com/rust-secure-code/cargo-auditable/blob/master/PARSING.md
_AUDIT_SECTION = ".dep-v0"
_AUDIT_LIMIT_BYTES = 8 * 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """What tells one library apart from every other."""

    name: str
    # The packages that are the library, or that alone link to it.
    crates: frozenset[str]
    # Whether it is compiled from those packages alone, so that a build without any of them cannot have it.
    is_crate: bool = False
    # The names of its functions in a symbol table.
    symbols: re.Pattern[bytes] | None = None
    # The paths of its source files; a match is one path.
    paths: tuple[re.Pattern[bytes], ...] = ()
    # Its messages, those of C with the NULs around them.
    texts: tuple[bytes, ...] = ()
    # How the names of its shared objects begin; "" for one that has none.
    needed: str = ""
    # Functions that a program imports from it.
    imports: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was found of one library."""

    # What is told of it, such as its name and version.
    name: str
    # The kinds of sign that speak for it.
    signs: tuple[str, ...]
    # Whether the build is known not to have it.
    denied: bool = False

    @property
    def is_proven(self) -> bool:
        """Whether enough kinds of sign speak for it, and the build does not speak against it."""
        return len(self.signs) >= SIGNS_NEEDED and not self.denied

    def __str__(self) -> str:
        """`rustls (paths, texts)`; `rustls? (texts)` where it is not proven."""
        signs = ", ".join([*self.signs, *(["not crates"] if self.denied else [])])
        return f"{self.name}{'' if self.is_proven else '?'} ({signs})"


def crate_paths(*crates: str) -> tuple[re.Pattern[bytes], ...]:
    """The source files of crates, as panics name them: with a version in cargo's registry, without one vendored."""
    return tuple(_crate_path(re.escape(crate.encode())) for crate in crates)


def _crate_path(name: bytes) -> re.Pattern[bytes]:
    # Rust's texts have no end marks: right before a path may be the end of another one. The name comes first, and what
    # may stand before it is looked at from behind it, because a search for a fixed beginning is ten times as fast.
    before = rb"(?:(?<![0-9A-Za-z_-]%s)|(?<=\.rs%s))" % (name, name)
    return re.compile(name + before + rb"(?:-\d+\.\d+\.\d+[0-9A-Za-z.+-]{0,40})?/src/[0-9a-z_/]+\.rs")


def crate_symbols(*crates: str) -> re.Pattern[bytes]:
    """The mangled names of crates' functions, in Rust's old spelling and in its new one (RFC 2603)."""
    names = [crate.replace("-", "_") for crate in crates]
    ways = b"|".join(b"%d%s" % (len(name), name.encode()) for name in names)
    return re.compile(rb"\0_ZN(?:" + ways + rb")\d|Cs[0-9A-Za-z]{1,12}_(?:" + ways + rb")")


def find_library(library: Library, subject: Subject) -> Finding:
    """The signs of a library in a program."""
    crates = subject.crates if subject.crates is not None else read_audited_crates(subject.program)
    signs = {
        "symbols": library.symbols is not None and bool(library.symbols.search(read_symbol_names(subject.program))),
        "paths": len({path for way in library.paths for path in way.findall(subject.program)}) >= PATHS_NEEDED,
        "texts": sum(text in subject.program for text in library.texts) >= TEXTS_NEEDED,
        "crates": crates is not None and bool(crates & library.crates),
        "needed": bool(library.needed) and any(needed.startswith(library.needed) for needed in subject.elf.needed),
        "imports": bool(subject.elf.imports & library.imports),
    }
    return Finding(
        name=library.name,
        signs=tuple(sign for sign, found in signs.items() if found),
        denied=library.is_crate and crates is not None and not signs["crates"],
    )


def tell(findings: Iterable[Finding]) -> str | None:
    """All that is proven; or else, as alternatives, all that a sign speaks for; None without any sign."""
    seen = [finding for finding in findings if finding.signs]
    proven = [str(finding) for finding in seen if finding.is_proven]
    return " and ".join(proven) or " or ".join(str(finding) for finding in seen) or None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Package:
    __pydantic_config__ = ConfigDict(extra="ignore")

    name: str
    kind: str = "runtime"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Audit:
    __pydantic_config__ = ConfigDict(extra="ignore")

    packages: tuple[_Package, ...]


_AUDIT = TypeAdapter(_Audit)


def read_audited_crates(program: bytes) -> frozenset[str] | None:
    """The crates that cargo-auditable says are in the program; None where it left nothing that can be read."""
    packed = read_section(program, _AUDIT_SECTION)
    if not packed or len(packed) > _AUDIT_LIMIT_BYTES:
        return None
    unpacker = zlib.decompressobj()
    try:
        text = unpacker.decompress(packed, _AUDIT_LIMIT_BYTES)
        packages = _AUDIT.validate_json(text).packages if unpacker.eof else ()
    except (zlib.error, ValidationError):
        return None
    return frozenset(package.name for package in packages if package.kind != "build") or None
