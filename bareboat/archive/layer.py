"""One layer of an image: what it has, its content, and its size as it is and compressed."""

from __future__ import annotations

import hashlib
import threading
import zlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from bareboat.archive.blob import Blob, open_tar
from bareboat.archive.known import KnownLayer, KnownLayers
from bareboat.archive.tarstream import CHUNK_BYTES, Meter, read_headers
from bareboat.errors import BareboatError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from bareboat.archive.tarstream import Header

ENTRY_LIMIT = 1_000_000
_GZIP_LEVEL = 6
_GZIP_WINDOW = 16 + zlib.MAX_WBITS  # has zlib write a gzip header, without a file name and with time 0
_ZSTD_LEVEL = 19


class _Packer(Protocol):
    """Compresses a stream piece by piece."""

    def compress(self, data: bytes, /) -> bytes: ...
    def flush(self) -> bytes: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """One layer of an image."""

    # `sha256:` and the digest of the layer's uncompressed tar.
    diff_id: str
    # The size of the uncompressed tar.
    size_bytes: int
    _blob: Blob = field(repr=False)
    _known: KnownLayers = field(repr=False)
    # Whoever wants the weight while another thread is finding it out waits for that: a base takes seconds.
    _weighing: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def gzip_bytes(self) -> int:
        """The size after gzip -6, as a registry stores the layer."""
        return self._packed_bytes("gzip", lambda: zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, _GZIP_WINDOW))

    def zstd_bytes(self) -> int:
        """The size after zstd -19: one frame that says how long the layer is, by one thread, without a checksum.

        It takes a second for two or three million bytes of the layer.
        """
        # Takes as long to import as all else of a run that has nothing to do.
        import zstandard

        # Another release may find another way to pack the same bytes.
        packing = f"zstd-{_ZSTD_LEVEL}-{'.'.join(map(str, zstandard.ZSTD_VERSION))}"
        zstd = zstandard.ZstdCompressor(level=_ZSTD_LEVEL, write_checksum=False, write_content_size=True, threads=0)
        return self._packed_bytes(packing, lambda: zstd.compressobj(self.size_bytes))

    def _packed_bytes(self, packing: str, packer: Callable[[], _Packer]) -> int:
        with self._weighing:
            known = self._known.find_packed_bytes(self.diff_id, packing)
            if known is not None:
                return known
            packs = packer()
            size_bytes = sum(len(packs.compress(chunk)) for chunk in self.chunks()) + len(packs.flush())
            self._known.keep_packed_bytes(self.diff_id, packing, size_bytes)
            return size_bytes

    def entries(self) -> Sequence[tuple[Header, str]]:
        """Each entry of the layer's own tar, in its order, with the SHA-256 of its content, "" for all but files."""
        return read_layer(self._blob, self.diff_id, self._known).entries

    def chunks(self) -> Iterator[bytes]:
        """The uncompressed tar, piece by piece. Raises BareboatError when the archive has become unreadable."""
        with open_tar(self._blob, hashing=False) as meter:
            while data := meter.read(CHUNK_BYTES):
                yield data

    def read(self, offset: int, size_bytes: int, sha256: str) -> bytes:
        """The content of that digest (hex digits) at an offset of the tar. Raises BareboatError where it is another.

        What is known of a layer may be older than its archive, so that each file is held to its own digest.
        """
        if is_plain(self._blob, self.size_bytes):
            part = replace(self._blob, offset=self._blob.offset + offset, size_bytes=size_bytes)
            with part.open() as stream:
                data = stream.read(size_bytes)
        else:
            with open_tar(self._blob, hashing=False) as meter:
                meter.skip(offset)
                data = meter.take(size_bytes)
        if hashlib.sha256(data).hexdigest() != sha256:
            blob = self._blob
            raise BareboatError(f"{blob.archive}: {blob.name} has changed since it was read; remove the archive")
        return data


def is_plain(blob: Blob, tar_bytes: int) -> bool:
    """Whether the archive has a layer's tar as it is, which is all that can be read from the middle."""
    return blob.size_bytes == tar_bytes


def read_layer(blob: Blob, diff_id: str, known: KnownLayers) -> KnownLayer:
    """What a layer has: what is known of it, and otherwise found in it and kept.

    Raises BareboatError for a tar that is damaged or has another digest.
    """
    found = known.find(diff_id)
    if found is not None and is_plain(blob, found.size_bytes):
        return found
    with open_tar(blob, hashing=True) as meter:
        entries = tuple(read_entries(meter))
        meter.finish()
        if meter.digest() != diff_id:
            meter.fail(f"its digest is {meter.digest()}, but the config names {diff_id}")
        layer = KnownLayer(size_bytes=meter.position, entries=entries)
    known.keep(diff_id, layer)
    return layer


def read_entries(meter: Meter) -> Iterator[tuple[Header, str]]:
    """Each entry of a layer's tar, with the SHA-256 of its content in hex digits, "" for all but files."""
    for count, header in enumerate(read_headers(meter)):
        if count >= ENTRY_LIMIT:
            meter.fail(f"has more than {ENTRY_LIMIT} entries")
        sha256 = hashlib.sha256()
        for chunk in meter.chunks(header.size_bytes):
            sha256.update(chunk)
        yield header, sha256.hexdigest() if header.kind == "file" else ""
