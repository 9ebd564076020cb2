"""Reads an untrusted tar from a stream, front to back.

Python's tarfile is not used to iterate over entries: before Python 3.11.14 a negative size makes it loop for ever
(CVE-2025-8194) and a pax header can make it arbitrarily slow (CVE-2024-6232); it also accepts a cut-off archive.
"""

from __future__ import annotations

import hashlib
import tarfile
import zlib
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Literal, NoReturn

from bareboat.errors import BareboatError

if TYPE_CHECKING:
    from collections.abc import Iterator

Kind = Literal["file", "directory", "symlink", "hardlink", "device", "fifo"]

BLOCK_BYTES = 512
CHUNK_BYTES = 1 << 18
PERMISSION_BITS = 0o7777
LONG_HEADER_LIMIT_BYTES = 1 << 20
NUMBER_LIMIT_DIGITS = 19

_KINDS: dict[bytes, Kind] = {
    tarfile.REGTYPE: "file",
    tarfile.AREGTYPE: "file",
    tarfile.CONTTYPE: "file",
    tarfile.LNKTYPE: "hardlink",
    tarfile.SYMTYPE: "symlink",
    tarfile.CHRTYPE: "device",
    tarfile.BLKTYPE: "device",
    tarfile.DIRTYPE: "directory",
    tarfile.FIFOTYPE: "fifo",
}
_LONG_NAMES = {tarfile.GNUTYPE_LONGNAME: "path", tarfile.GNUTYPE_LONGLINK: "linkpath"}
_PAX_KEYS = frozenset({"path", "linkpath", "size", "uid", "gid"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """One entry of a tar."""

    # The path as the tar spells it, unchecked.
    name: str
    kind: Kind
    # The permission bits only.
    mode: int
    uid: int
    gid: int
    # 0 for all but files.
    size_bytes: int
    # The target of a symlink or hard link as the tar spells it, unchecked.
    link: str
    # Where the content starts in the stream, in bytes.
    offset: int


class Meter:
    """A stream that counts every byte read from it and, if `hashing`, computes their SHA-256."""

    def __init__(self, stream: IO[bytes], *, name: str, limit_bytes: int, hashing: bool) -> None:
        self.position = 0
        self._stream = stream
        self._name = name
        self._limit_bytes = limit_bytes
        self._sha256 = hashlib.sha256() if hashing else None

    def fail(self, message: str) -> NoReturn:
        """Raises a BareboatError that says where in the stream the fault is."""
        raise BareboatError(f"{self._name}: {message} (at byte {self.position})")

    def digest(self) -> str:
        """`sha256:` and the hex digest of what was read so far, "" for a meter that does not hash."""
        return f"sha256:{self._sha256.hexdigest()}" if self._sha256 else ""

    def read(self, size_bytes: int) -> bytes:
        """Up to `size_bytes` bytes; empty at the end. Raises BareboatError when the stream cannot be read."""
        try:
            data = self._stream.read(size_bytes)
        except (OSError, EOFError, zlib.error) as error:
            self.fail(f"cannot be read: {error}")
        self.position += len(data)
        if self.position > self._limit_bytes:
            self.fail(f"is longer than {self._limit_bytes} bytes, more than Bareboat reads")
        if self._sha256:
            self._sha256.update(data)
        return data

    def take(self, size_bytes: int) -> bytes:
        """Exactly `size_bytes` bytes. Raises BareboatError when the stream ends before."""
        return b"".join(self.chunks(size_bytes))

    def chunks(self, size_bytes: int) -> Iterator[bytes]:
        """The next `size_bytes` bytes, piece by piece. Raises BareboatError when the stream ends before."""
        left = size_bytes
        while left:
            data = self.read(min(left, CHUNK_BYTES))
            if not data:
                self.fail("is cut off")
            left -= len(data)
            yield data

    def skip(self, size_bytes: int) -> None:
        """Goes past `size_bytes` bytes: by seeking if nothing is hashed and the stream can seek, else by reading."""
        if self._sha256 is None and size_bytes > CHUNK_BYTES and self._stream.seekable():
            self._stream.seek(size_bytes, 1)
            self.position += size_bytes
            return
        for _ in self.chunks(size_bytes):
            pass

    def finish(self) -> None:
        """Reads to the stream's end, so that count and digest cover all of it."""
        while self.read(CHUNK_BYTES):
            pass


def read_headers(meter: Meter) -> Iterator[Header]:
    """Every entry of the tar; content that the caller has not read is skipped.

    Raises BareboatError for a tar that is damaged, ends without its end mark, or has what no image layer has (sparse
    files, several volumes). What follows the end mark is read by `Meter.finish` only.
    """
    # Extended headers override fields of the entries after them: a global one of all, any other of the next one.
    for_all: dict[str, str] = {}
    for_next: dict[str, str] = {}
    while (info := _read_block(meter)) is not None:
        if info.type in _LONG_NAMES:
            for_next[_LONG_NAMES[info.type]] = _text(_read_long(meter, info.size).split(b"\0", 1)[0])
        elif info.type == tarfile.XHDTYPE:
            for_next |= _read_pax(meter, info.size)
        elif info.type == tarfile.XGLTYPE:
            for_all |= _read_pax(meter, info.size)
        else:
            header = _make_header(meter, info, for_all | for_next)
            for_next = {}
            yield header
            meter.skip(header.offset + _padded(header.size_bytes) - meter.position)
    if for_next:
        meter.fail("ends after an extended header, without its entry")


def _read_block(meter: Meter) -> tarfile.TarInfo | None:
    block = meter.take(BLOCK_BYTES)
    if not any(block):
        return None
    try:
        info = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except (tarfile.HeaderError, ValueError) as error:
        meter.fail(f"is not a tar, or a damaged one: {error}")
    if min(info.size, info.uid, info.gid) < 0:
        meter.fail(f"gives {info.name!r} a negative size or owner")
    return info


def _make_header(meter: Meter, info: tarfile.TarInfo, overrides: dict[str, str]) -> Header:
    kind = _KINDS.get(info.type)
    if kind is None:
        meter.fail(f"has an entry {info.name!r} of type {info.type!r}, which no image layer has")
    # Only files have content: the header of a link or folder may give a size, but no bytes follow (POSIX pax, ustar).
    size_bytes = _number(meter, overrides, "size", info.size) if kind == "file" else 0
    return Header(
        name=overrides.get("path", info.name),
        kind=kind,
        mode=info.mode & PERMISSION_BITS,
        uid=_number(meter, overrides, "uid", info.uid),
        gid=_number(meter, overrides, "gid", info.gid),
        size_bytes=size_bytes,
        link=overrides.get("linkpath", info.linkname),
        offset=meter.position,
    )


def _read_long(meter: Meter, size_bytes: int) -> bytes:
    if size_bytes > LONG_HEADER_LIMIT_BYTES:
        meter.fail(f"has an extended header of {size_bytes} bytes")
    return meter.take(_padded(size_bytes))[:size_bytes]


def _read_pax(meter: Meter, size_bytes: int) -> dict[str, str]:
    data, start, overrides = _read_long(meter, size_bytes), 0, {}
    while start < len(data):
        length, space, _ = data[start : start + NUMBER_LIMIT_DIGITS + 1].partition(b" ")
        end = start + int(length) if space and length.isdigit() else start
        key, equals, value = data[start + len(length) + 1 : end - 1].partition(b"=")
        if not start < end <= len(data) or not equals or data[end - 1 : end] != b"\n":
            meter.fail("has a damaged pax header")
        if key.startswith(b"GNU.sparse."):
            meter.fail("has a sparse file, which no image layer has")
        if (name := _text(key)) in _PAX_KEYS:
            overrides[name] = _text(value)
        start = end
    return overrides


def _number(meter: Meter, overrides: dict[str, str], key: str, default: int) -> int:
    value = overrides.get(key)
    if value is None:
        return default
    if not (value.isascii() and value.isdigit() and len(value) <= NUMBER_LIMIT_DIGITS):
        meter.fail(f"has a pax header with {key}={value!r:.40}")
    return int(value)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _padded(size_bytes: int) -> int:
    return -(-size_bytes // BLOCK_BYTES) * BLOCK_BYTES
