"""One member of an archive as a stream: a layer, a manifest or a configuration."""

from __future__ import annotations

import gzip
import io
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, cast

from bareboat.archive.tarstream import CHUNK_BYTES, Meter
from bareboat.errors import BareboatError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LAYER_LIMIT_BYTES = 16 << 30  # of the unpacked layer: a small gzip file may unpack to any size

_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"


@dataclass(frozen=True, slots=True, kw_only=True)
class Blob:
    """Where a member of the archive is."""

    archive: Path
    # The member's name in the archive.
    name: str
    # Where its content begins in the archive, in bytes.
    offset: int
    size_bytes: int

    @contextmanager
    def open(self) -> Iterator[IO[bytes]]:
        """The member's bytes as the archive has them, that is, still compressed."""
        try:
            with self.archive.open("rb", buffering=0) as stream:
                yield io.BufferedReader(_Window(stream, self.offset, self.size_bytes), CHUNK_BYTES)
        except OSError as error:
            raise BareboatError(f"{self.archive}: {self.name}: cannot be read: {error}") from error


class _Window(io.RawIOBase):
    """Makes a stream of the `size_bytes` bytes that begin at `offset` of another stream."""

    def __init__(self, stream: IO[bytes], offset: int, size_bytes: int) -> None:
        self._stream = stream
        self._offset = offset
        self._size_bytes = size_bytes
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size_bytes}[whence]
        self._position = start + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: Any) -> int:
        self._stream.seek(self._offset + self._position)
        data = self._stream.read(max(0, min(len(buffer), self._size_bytes - self._position)))
        self._position += len(data)
        buffer[: len(data)] = data
        return len(data)


@contextmanager
def open_tar(blob: Blob, *, hashing: bool) -> Iterator[Meter]:
    """A layer's uncompressed tar; raises BareboatError for a compression other than gzip."""
    name = f"{blob.archive}: {blob.name}"
    with blob.open() as stream, ExitStack() as opened:
        magic = stream.read(len(_ZSTD))
        if magic == _ZSTD:
            raise BareboatError(f"{name}: a zstd layer; save the image with `podman save`, which writes gzip or plain")
        stream.seek(0)
        tar: IO[bytes] = stream
        if magic.startswith(_GZIP):
            tar = cast("IO[bytes]", opened.enter_context(gzip.GzipFile(fileobj=stream)))
        yield Meter(tar, name=name, limit_bytes=LAYER_LIMIT_BYTES, hashing=hashing)
