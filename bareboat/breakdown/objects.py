"""Reads a linker's map: which object file each part of a program is from, also where there is no symbol.

The linkers of GNU and of LLVM each have a form of their own. Source: `ld -Map` and `ld.lld -Map`, as they write it.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

LIBC = "libc (static)"
START = "start-up files of C"
# `.rodata..L1  0x43000  0x10 FILE`, with a line break behind a long name.
_GNU = re.compile(r"^ (?:\.\S+|COMMON)[ \n]+0x([0-9a-f]{1,16}) +0x([0-9a-f]{1,16}) (\S.*)$", re.MULTILINE)
_GNU_BEGINS = "\nLinker script and memory map\n"  # above are the sections that were left out
# `3ec0  3ec0  10  16  FILE:(.rodata..L1)`
_LLVM = re.compile(r"^ *([0-9a-f]{1,16}) +[0-9a-f]{1,16} +([0-9a-f]{1,16}) +\d+ +(\S.*):\([^()\n]*\)$", re.MULTILINE)
_RLIB = re.compile(r"(?:.*/)?lib([A-Za-z_]\w*)-[0-9a-f]{16}\.rlib\((.*)\)$")
_ARCHIVE = re.compile(r"(?:.*/)?(lib[^/]+\.a)\(.*\)$")
_CRATE = re.compile(r"(?:.*/)?([A-Za-z_]\w*)-[0-9a-f]{16}\..*\.o$")
_START = re.compile(r"(?:.*/)?(?:r?crt|Scrt|gcrt|grcrt)[^/]*\.o$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Objects:
    """Where the parts of a program are from, sorted by address."""

    addresses: tuple[int, ...]
    # Beside each address, where the part ends and whose it is.
    parts: tuple[tuple[int, str], ...]

    def of(self, address: int) -> str:
        """Whose the byte at an address is; "" where the map does not say."""
        number = bisect_right(self.addresses, address) - 1
        if number < 0 or address >= self.parts[number][0]:
            return ""
        return self.parts[number][1]

    def within(self, address: int, size_bytes: int) -> Iterator[tuple[int, str]]:
        """Pieces that add up to `size_bytes` bytes: how many, and whose they are, "" where the map does not say."""
        position, end = address, address + size_bytes
        number = max(0, bisect_right(self.addresses, address) - 1)
        while position < end and number < len(self.addresses):
            start, (stop, whose) = self.addresses[number], self.parts[number]
            number += 1
            if stop <= position:
                continue
            if start >= end:
                break
            if start > position:
                yield start - position, ""
            position = max(position, start)
            yield min(stop, end) - position, whose
            position = min(stop, end)
        if position < end:
            yield end - position, ""


NOTHING = Objects(addresses=(), parts=())


def read_map(map_file: bytes) -> Objects:
    """What a linker's map says; nothing for one in another form."""
    text = map_file.decode(errors="backslashreplace")
    _, begins, below = text.partition(_GNU_BEGINS)
    found = (_GNU if begins else _LLVM).findall(below if begins else text)
    # What is not loaded has address 0.
    parts = sorted((int(at, 16), int(size, 16), file) for at, size, file in found if int(at, 16) and int(size, 16))
    return Objects(
        addresses=tuple(at for at, _, _ in parts),
        parts=tuple((at + size, owner_of(file)) for at, size, file in parts),
    )


def owner_of(file: str) -> str:
    """Whose an object file is, by its name: a crate, a static library, or the start-up files."""
    if rlib := _RLIB.match(file):
        crate, member = rlib.groups()
        if _CRATE.match(member) or member.endswith(".rcgu.o"):
            return crate
        # The crate libc brings musl with it, and others bring what their build scripts had a C compiler make.
        return LIBC if crate == "libc" else f"{crate} (its C)"
    if archive := _ARCHIVE.match(file):
        return LIBC if archive[1] == "libc.a" else archive[1]
    if own := _CRATE.match(file):
        return own[1]
    return START if _START.match(file) else ""
