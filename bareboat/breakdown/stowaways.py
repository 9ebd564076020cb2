"""Finds what is aboard an image and need not be: what nobody put there on purpose, or few programs read."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from bareboat.breakdown.image import REPLACED
from bareboat.breakdown.rows import Stowaway
from bareboat.elf import read_regions
from bareboat.errors import BareboatError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from bareboat.archive import File, Image
    from bareboat.breakdown.rows import Row

EXAMPLES = 3
DUPLICATES = "files that are there twice"
DEBUG = "symbols and debug data"
PATHS = "paths of the compile, in the program"
_PLACES = (
    ("locale and documentation files", re.compile(r"usr/(local/)?share/(locale|man|doc|info|gtk-doc|doc-base)/")),
    ("static libraries and objects", re.compile(r".*\.(a|o|rlib|rmeta)$")),
    ("lists and caches of a package manager", re.compile(r"(var/(lib/(dpkg|apt|rpm)|cache)|(usr/)?lib/apk|etc/apk)/")),
)
_DEBUG_SECTIONS = re.compile(r"\.(z?debug_.*|symtab|strtab|gdb_index|gnu_debugdata|stab.*)$")
# A source file where cargo and compilers have it; std's own paths, /rustc/..., name no machine. Messages stand in a
# program without an end between them, so a path ends where a source file's name does.
_PATH = re.compile(
    rb"/(?:home|root|Users|tmp|var/tmp|usr/local|usr/src|builds?|work|workspace|github|src|crates|cargo|target)"
    rb"/[\w.+@~/-]{1,240}?\.(?:rs|c|cc|cpp|h|hpp|S)(?![\w/.-]*/)"
)


def find_stowaways(image: Image, divided: Row, program: str) -> tuple[Stowaway, ...]:
    """Those of an image that came to the row `divided`, the biggest kind first; `program` is its program's path.

    A file may be of several kinds: they do not add up. Raises BareboatError for a layer that is damaged.
    """
    files = [file for file in image.files().values() if file.kind == "file" and file.size_bytes]
    found = [
        _stowaway(DUPLICATES, _duplicates(files)),
        _stowaway(DEBUG, _debug(image, files)),
        _stowaway(PATHS, _paths(image.read(program)) if image.find(program) else ()),
        _stowaway(f"files {REPLACED}", _replaced(divided)),
    ]
    found += [
        _stowaway(kind, ((file.size_bytes, f"/{file.path}") for file in files if pattern.match(file.path)))
        for kind, pattern in _PLACES
    ]
    return tuple(sorted((one for one in found if one.count), key=lambda one: (-one.size_bytes, one.kind)))


def _stowaway(kind: str, items: Iterable[tuple[int, str]]) -> Stowaway:
    listed = sorted(items, key=lambda item: (-item[0], item[1]))
    return Stowaway(
        kind=kind,
        size_bytes=sum(size for size, _ in listed),
        count=len(listed),
        examples=tuple(name for _, name in listed[:EXAMPLES]),
    )


def _duplicates(files: Sequence[File]) -> Iterator[tuple[int, str]]:
    """Each file but the first of a content. Hard links have none of their own."""
    first: dict[str, File] = {}
    for file in files:
        same = first.setdefault(file.sha256, file)
        if same is not file:
            yield file.size_bytes, f"/{file.path} = /{same.path}"


def _debug(image: Image, files: Sequence[File]) -> Iterator[tuple[int, str]]:
    for file in files:
        if not (file.mode & 0o111 or ".so" in file.path or file.path.endswith(".debug")):
            continue
        try:
            regions = read_regions(image.read(file.path))
        except BareboatError:
            continue  # no ELF file
        # What is loaded, such as .debug_gdb_scripts, is part of the program.
        sizes = [one.size_bytes for one in regions if _DEBUG_SECTIONS.match(one.name) and not one.address]
        if sizes:
            yield sum(sizes), f"/{file.path}"


def _paths(program: bytes) -> Iterator[tuple[int, str]]:
    for path, times in Counter(match.group() for match in _PATH.finditer(program)).items():
        yield len(path) * times, path.decode()


def _replaced(divided: Row) -> Iterator[tuple[int, str]]:
    for layer in divided.rows:
        for group in layer.rows:
            if group.name == REPLACED:
                yield from ((file.size_bytes, file.name) for file in group.rows)
