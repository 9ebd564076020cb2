"""Opens the files of a root filesystem as a loader does: each ELF file is read once, and no search is endless."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from bareboat.elf import read_elf
from bareboat.errors import BareboatError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bareboat.archive import File
    from bareboat.closure.root import Root
    from bareboat.elf import ElfFacts

LOOK_LIMIT = 100_000  # of paths looked at for one program; ldd looks at 2,000 for a desktop's largest programs
CONFIGURATION_LIMIT_BYTES = 16 << 20

_CLASS_AND_ORDER, _MACHINE = slice(4, 6), slice(18, 20)
_Made = TypeVar("_Made")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedFile:
    """A file that a loader opened."""

    # Its absolute path after following links.
    real_path: str
    # Its ELF class, byte order and machine: a loader accepts those of the program only. Empty for other files.
    stamp: bytes
    # None for a damaged ELF file, and for all else that is not an ELF file.
    facts: ElfFacts | None
    # Of its content.
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LoadedObject:
    """A program or library in the program's memory."""

    # The path by which it was opened.
    path: str
    # Its absolute path after following links.
    real_path: str
    # Read from its content.
    facts: ElfFacts
    # The object for which it was loaded; None for the program itself.
    requester: LoadedObject | None
    # Whether the program does not start without it.
    required: bool

    def chain(self) -> Iterator[LoadedObject]:
        """The object, its requester, the requester of that, and so on up to the program."""
        loaded: LoadedObject | None = self
        while loaded is not None:
            yield loaded
            loaded = loaded.requester


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One place where a loader looks for a library."""

    # The folder, or the cache file, that led there.
    folder: str
    path: str
    # Which machines look there; "" where all do.
    note: str = ""


class RootFiles:
    """A root filesystem in which each ELF file is read once. Raises as the root does, and after 100,000 paths."""

    def __init__(self, root: Root) -> None:
        self._root = root
        self._opened: dict[str, OpenedFile] = {}
        self._looks = 0

    def find(self, path: str) -> File | None:
        """The entry at a path after following links, None where there is none."""
        self._looks += 1
        if self._looks > LOOK_LIMIT:
            raise BareboatError(f"the program has its loader look at more than {LOOK_LIMIT} paths")
        return self._root.find(path)

    def open(self, path: str, file: File) -> OpenedFile:
        """The entry `file` that was found at a path, read as an ELF file."""
        if file.path not in self._opened:
            self._opened[file.path] = self._open(path, file)
        return self._opened[file.path]

    def read(self, path: str) -> bytes:
        """The content of a file that exists."""
        return self._root.read(path)

    def read_as(self, path: str, reader: Callable[[bytes], _Made]) -> _Made:
        """What `reader` makes of the content of a file that exists."""
        return self._root.read_as(path, reader)

    def read_text(self, path: str) -> str | None:
        """The text of a configuration file, None where there is none. Raises BareboatError above 16 MiB."""
        data = self.read_small(path)
        return None if data is None else data.decode(errors="replace")

    def read_small(self, path: str) -> bytes | None:
        """The bytes of a configuration file, as in `read_text`."""
        file = self.find(path)
        if file is None or not is_regular(file):
            return None
        data = self._root.read(path) if file.size_bytes <= CONFIGURATION_LIMIT_BYTES else None
        if data is None or len(data) > CONFIGURATION_LIMIT_BYTES:
            raise BareboatError(
                f"{path} has more than {CONFIGURATION_LIMIT_BYTES} bytes, more than Bareboat reads of its kind"
            )
        return data

    def measure(self, path: str, file: File) -> int:
        """The size, in bytes, of the content of the entry `file` that was found at a path."""
        # An archive gives a hard link the size 0, because its content is counted where its target is.
        return len(self._root.read(path)) if file.kind == "hardlink" else file.size_bytes

    def _open(self, path: str, file: File) -> OpenedFile:
        stamp, facts, size_bytes = self._root.read_as(path, _read_object) if is_regular(file) else (b"", None, 0)
        return OpenedFile(real_path=f"/{file.path}", stamp=stamp, facts=facts, size_bytes=size_bytes)


def _read_object(data: bytes) -> tuple[bytes, ElfFacts | None, int]:
    """What an `OpenedFile` says of its content."""
    try:
        return read_stamp(data), read_elf(data), len(data)
    except BareboatError:
        return read_stamp(data), None, len(data)


def read_stamp(data: bytes) -> bytes:
    """The bytes of an ELF file that give its class, byte order and machine; b"" for any other file."""
    return data[_CLASS_AND_ORDER] + data[_MACHINE] if data.startswith(b"\x7fELF") else b""


def is_regular(file: File) -> bool:
    """Whether the entry has content to read."""
    return file.kind in {"file", "hardlink"}
