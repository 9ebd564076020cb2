"""Reads /etc/ld.so.cache, which ldconfig writes for ld.so, and /etc/ld.so.conf, which tells ldconfig what to list.

Source: sysdeps/generic/dl-cache.h and elf/cache.c of glibc 2.36. Only the format of glibc 2.2 and newer is read.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bareboat.closure.files import RootFiles

CACHE_PATH = "/etc/ld.so.cache"
CONFIGURATION_PATH = "/etc/ld.so.conf"

_OLD_MAGIC, _OLD_HEAD_BYTES, _OLD_ENTRY_BYTES = b"ld.so-1.7.0", 16, 12
_MAGIC = b"glibc-ld.so.cache1.1"
_HEAD_BYTES, _ENTRY_BYTES, _ALIGNMENT_BYTES = 48, 24, 8
_FLAGS_AT, _ORDER_MASK = 28, 3
_ORDERS = {2: "<", 3: ">"}
_PATH_LIMIT_BYTES = 4096
# An entry's flags are the kind of library (3: ELF for libc.so.6) and the ABI. On other machines than these, every
# entry is taken, whatever its flags.
_ABI_FLAGS = {"x86_64": 0x303, "aarch64": 0xA03, "x86": 0x3}
# `include` takes a pattern, but a Root cannot list a folder: these are the files that libc6 and libc-bin of Debian and
# Ubuntu put there.
_INCLUDED = ("libc.conf", "x86_64-linux-gnu.conf", "aarch64-linux-gnu.conf")
_INCLUDE_LIMIT = 64


def read_cache(data: bytes, *, machine: str, order: str) -> dict[str, tuple[tuple[str, bool], ...]]:
    """The cache's entries by library name, in order: each a path and whether only newer processors use it.

    `order` is the machine's byte order, as the module struct spells it. Empty for data that ld.so would not accept as
    its cache; entries whose offsets are outside the data are left out.
    """
    start = _find_start(data, order)
    if data[start : start + len(_MAGIC)] != _MAGIC or len(data) < start + _HEAD_BYTES:
        return {}
    table = data[start:]
    written_in = _ORDERS.get(table[_FLAGS_AT] & _ORDER_MASK, order)
    if written_in != order:
        return {}
    (count,) = struct.unpack_from(f"{order}I", table, len(_MAGIC))
    count = min(count, (len(table) - _HEAD_BYTES) // _ENTRY_BYTES)
    found: dict[str, list[tuple[str, bool]]] = {}
    for number in range(count):
        flags, key, value, _, processor = struct.unpack_from(
            f"{order}iIIIQ", table, _HEAD_BYTES + number * _ENTRY_BYTES
        )
        name, path = _text(table, key), _text(table, value)
        if name and path.startswith("/") and flags == _ABI_FLAGS.get(machine, flags):
            found.setdefault(name, []).append((path, processor != 0))
    return {name: tuple(paths) for name, paths in found.items()}


def read_configured_folders(root_files: RootFiles) -> tuple[str, ...]:
    """The folders that ldconfig would list in the cache, from /etc/ld.so.conf and the included files that are known."""
    pending, seen, folders = [CONFIGURATION_PATH], set[str](), list[str]()
    while pending and len(seen) < _INCLUDE_LIMIT:
        path = pending.pop(0)
        if path in seen:
            continue
        seen.add(path)
        for line in (root_files.read_text(path) or "").splitlines():
            words = line.partition("#")[0].split()
            if words[:1] == ["include"]:
                pending.extend(name for pattern in words[1:] for name in _expand(pattern))
            elif words and words[0].startswith("/"):
                folders.append(words[0])
    return tuple(dict.fromkeys(folders[:_INCLUDE_LIMIT]))


def _expand(pattern: str) -> Iterator[str]:
    absolute = pattern if pattern.startswith("/") else f"/etc/{pattern}"
    folder, _, name = absolute.rpartition("/")
    yield from (f"{folder}/{included}" for included in _INCLUDED) if name == "*.conf" else (absolute,)


def _find_start(data: bytes, order: str) -> int:
    """Where the newer format begins; a cache may have the older format before it."""
    if not data.startswith(_OLD_MAGIC) or len(data) < _OLD_HEAD_BYTES:
        return 0
    count = int(struct.unpack_from(f"{order}I", data, _OLD_HEAD_BYTES - 4)[0])
    return -(-(_OLD_HEAD_BYTES + count * _OLD_ENTRY_BYTES) // _ALIGNMENT_BYTES) * _ALIGNMENT_BYTES


def _text(table: bytes, offset: int) -> str:
    end = table.find(b"\0", offset, offset + _PATH_LIMIT_BYTES)
    try:
        return table[offset:end].decode() if end >= 0 else ""
    except UnicodeDecodeError:
        return ""
