"""The files of a root as a loader opens them: each is read once, and no search goes on for ever."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bareboat.elf import read_elf
from bareboat.errors import BareboatError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bareboat.archive import File
    from bareboat.closure.root import Root
    from bareboat.elf import ElfFacts

LOOK_LIMIT = 100_000  # as many paths as a loader is followed to; ldd of a desktop's largest programs looks at 2,000
TEXT_LIMIT_BYTES = 16 << 20

_CLASS_AND_ORDER, _MACHINE = slice(4, 6), slice(18, 20)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A file that a loader opened; `stamp` is its class, byte order and machine, empty for what is no ELF file.

    `facts` are None for an unsound file, and for what is no file.
    """

    real_path: str
    stamp: bytes
    facts: ElfFacts | None
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Loaded:
    """One object in the program's memory, by the path that opened it; `requester` is None for the program itself."""

    path: str
    real_path: str
    facts: ElfFacts
    requester: Loaded | None
    required: bool

    def chain(self) -> Iterator[Loaded]:
        """The object, the one that had it loaded, and so on up to the program."""
        one: Loaded | None = self
        while one is not None:
            yield one
            one = one.requester


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One place where a loader looks; `note` is not empty for one that only some machines look at."""

    folder: str
    path: str
    note: str = ""


class RootFiles:
    """A root, its files by real path. Raises BareboatError as the root does, and after 100,000 looks."""

    def __init__(self, root: Root) -> None:
        self._root = root
        self._opened: dict[str, Opened] = {}
        self._looks = 0

    def find(self, path: str) -> File | None:
        """What is at a path when links are followed, None where nothing is."""
        self._looks += 1
        if self._looks > LOOK_LIMIT:
            raise BareboatError(f"the program has its loader look at more than {LOOK_LIMIT} paths")
        return self._root.find(path)

    def open(self, path: str, file: File) -> Opened:
        """What was found at a path, read as an ELF file."""
        if file.path not in self._opened:
            self._opened[file.path] = self._open(path, file)
        return self._opened[file.path]

    def read(self, path: str) -> bytes:
        """The content of a file that is there."""
        return self._root.read(path)

    def read_text(self, path: str) -> str | None:
        """A configuration file, None where there is none. Raises BareboatError for one of more than 16 MiB."""
        data = self.read_small(path)
        return None if data is None else data.decode(errors="replace")

    def read_small(self, path: str) -> bytes | None:
        """As `read_text`, undecoded."""
        file = self.find(path)
        if file is None or not is_regular(file):
            return None
        data = self._root.read(path) if file.size_bytes <= TEXT_LIMIT_BYTES else None
        if data is None or len(data) > TEXT_LIMIT_BYTES:
            raise BareboatError(f"{path} has more than {TEXT_LIMIT_BYTES} bytes, more than Bareboat reads of its kind")
        return data

    def measure(self, path: str, file: File) -> int:
        """The size of what was found, in bytes."""
        # A hard link weighs nothing in an archive, yet the program needs its content.
        return len(self._root.read(path)) if file.kind == "hardlink" else file.size_bytes

    def _open(self, path: str, file: File) -> Opened:
        data = self._root.read(path) if is_regular(file) else b""
        try:
            facts = read_elf(data)
        except BareboatError:
            facts = None
        return Opened(
            real_path=f"/{file.path}",
            stamp=read_stamp(data),
            facts=facts,
            size_bytes=len(data),
        )


def read_stamp(data: bytes) -> bytes:
    """The class, byte order and machine of an ELF file as they stand in it, b"" for any other file."""
    return data[_CLASS_AND_ORDER] + data[_MACHINE] if data.startswith(b"\x7fELF") else b""


def is_regular(file: File) -> bool:
    """Whether there is content to read."""
    return file.kind in {"file", "hardlink"}
