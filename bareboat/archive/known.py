"""Keeps on disk what is known of a layer by its digest, so that a layer is read and compressed once in its life."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from operator import add
from typing import TYPE_CHECKING, Annotated, TypeAlias

from pydantic import ConfigDict, Field, NonNegativeInt, TypeAdapter

from bareboat.archive.tarstream import Header, Kind
from bareboat.errors import BareboatError
from bareboat.system.files import replacing

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_MAGIC = b"bareboat layer 1 "  # raise the number when the same bytes come to mean something else
_DIGITS_LIMIT = 20

_Texts: TypeAlias = list[str]
_Numbers: TypeAlias = list[NonNegativeInt]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Columns:
    """A layer's entries, one list for each field of a header, which is quicker to read than rows."""

    __pydantic_config__ = ConfigDict(extra="forbid", strict=True, defer_build=True)

    layer_bytes: NonNegativeInt
    names: _Texts
    kinds: list[Kind]
    modes: _Numbers
    uids: _Numbers
    gids: _Numbers
    sizes: _Numbers
    links: _Texts
    offsets: _Numbers
    sha256s: list[Annotated[str, Field(max_length=64)]]


_COLUMNS = TypeAdapter(_Columns)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownLayer:
    """What is known of a layer without reading it."""

    # Of its uncompressed tar.
    size_bytes: int
    # Each entry, in the tar's order, with the SHA-256 of its content in hex digits, "" for all but files.
    entries: Sequence[tuple[Header, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownLayers:
    """What is known of layers, a file each in a folder; a file that is damaged or of another version is passed over.

    Whoever asks has what is found only by the digest, and holds the layer itself to it when it is read.
    """

    # None: nothing is known, and nothing is kept.
    folder: Path | None = None

    def find(self, diff_id: str) -> KnownLayer | None:
        """What is known of the layer of that digest; None where that is nothing."""
        head, _, body = self._read(diff_id, "entries").partition(b"\n")
        if head != _MAGIC + _sha256(body):
            return None
        try:
            found = _COLUMNS.validate_json(body)
            entries = _entries(found)
        except ValueError:  # pydantic's own errors, and columns of different lengths
            return None
        end = max(map(add, found.offsets, found.sizes), default=0)
        return KnownLayer(size_bytes=found.layer_bytes, entries=entries) if end <= found.layer_bytes else None

    def keep(self, diff_id: str, layer: KnownLayer) -> None:
        """Keep what a layer was found to have. One with names that are no Unicode has to be read each time."""
        with suppress(ValueError):  # pydantic: the names are no Unicode
            body = _COLUMNS.dump_json(_columns(layer))
            self._write(diff_id, "entries", _MAGIC + _sha256(body) + b"\n" + body)

    def find_packed_bytes(self, diff_id: str, packing: str) -> int | None:
        """What the layer weighs compressed in that way, by its name; None where that is not known."""
        digits = self._read(diff_id, packing)
        return int(digits) if digits.isdigit() and len(digits) < _DIGITS_LIMIT else None

    def keep_packed_bytes(self, diff_id: str, packing: str, size_bytes: int) -> None:
        """Keep what a layer was found to weigh compressed in that way."""
        self._write(diff_id, packing, b"%d" % size_bytes)

    def _read(self, diff_id: str, what: str) -> bytes:
        try:
            return self._place(self.folder, diff_id, what).read_bytes() if self.folder else b""
        except OSError:
            return b""

    def _write(self, diff_id: str, what: str, content: bytes) -> None:
        # What cannot be kept is found out again: no reason to fail.
        with suppress(BareboatError, OSError):
            if self.folder:
                self.folder.mkdir(parents=True, exist_ok=True)
                with replacing(self._place(self.folder, diff_id, what)) as file:
                    file.write(content)

    @staticmethod
    def _place(folder: Path, diff_id: str, what: str) -> Path:
        return folder / f"{diff_id.removeprefix('sha256:')}.{what}"


def _columns(layer: KnownLayer) -> _Columns:
    headers = [header for header, _ in layer.entries]
    return _Columns(
        layer_bytes=layer.size_bytes,
        names=[header.name for header in headers],
        kinds=[header.kind for header in headers],
        modes=[header.mode for header in headers],
        uids=[header.uid for header in headers],
        gids=[header.gid for header in headers],
        sizes=[header.size_bytes for header in headers],
        links=[header.link for header in headers],
        offsets=[header.offset for header in headers],
        sha256s=[sha256 for _, sha256 in layer.entries],
    )


def _entries(found: _Columns) -> list[tuple[Header, str]]:
    rows = zip(
        found.names,
        found.kinds,
        found.modes,
        found.uids,
        found.gids,
        found.sizes,
        found.links,
        found.offsets,
        found.sha256s,
        strict=True,
    )
    return [
        (
            Header(name=name, kind=kind, mode=mode, uid=uid, gid=gid, size_bytes=size, link=link, offset=offset),
            sha256,
        )
        for name, kind, mode, uid, gid, size, link, offset, sha256 in rows
    ]


def _sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).hexdigest().encode()
