"""Tells where musl's loader looks for a library.

Source: ldso/dynlink.c of musl 1.2.5, load_library and fixup_rpath.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING

from bareboat.closure.files import Candidate
from bareboat.closure.loader import join, origin

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bareboat.closure.files import LoadedObject, RootFiles

DEFAULT_LIBRARY_PATH = "/lib:/usr/local/lib:/usr/lib"

# musl's loader is also its C library: it answers to these names, whatever follows the dot.
_RESERVED = re.compile(r"lib(?:c|pthread|rt|m|dl|util|xnet)\.")
_ORIGIN = re.compile(r"\$(?:ORIGIN|\{ORIGIN\})")
_NAME_LIMIT_CHARACTERS = 255


class Musl:
    """The rules of musl's loader; `interpreter` is its path as the program spells it."""

    passes_over_other_machines = False
    knows_sonames = False
    checks_versions = False

    def __init__(self, *, root_files: RootFiles, interpreter: str, environment: Mapping[str, str]) -> None:
        self._root_files = root_files
        self._interpreter = interpreter
        self._path = environment.get("LD_LIBRARY_PATH", "")

    def is_itself(self, name: str) -> bool:
        """Whether the name is reserved for the C library, or the loader's own path."""
        return _RESERVED.match(name) is not None or name == self._interpreter

    def candidates(self, name: str, requester: LoadedObject) -> Iterator[Candidate]:
        """The places as in `Loader.candidates`; RUNPATH means RPATH, and both hold also for a library's libraries."""
        if "/" in name:
            path = join("", name)
            yield Candidate(folder=path.rpartition("/")[0] or "/", path=path)
            return
        if len(name) > _NAME_LIMIT_CHARACTERS:
            return
        for folder in dict.fromkeys(self._folders(requester)):
            yield Candidate(folder=folder, path=join(folder, name))

    def advise(self, name: str) -> str:
        """Always "": musl has no cache that could be out of date."""
        del name
        return ""

    def _folders(self, requester: LoadedObject) -> Iterator[str]:
        yield from _split(self._path)
        for loaded in requester.chain():
            path = ":".join(loaded.facts.runpath or loaded.facts.rpath)
            parts = _ORIGIN.split(path)
            if not any("$" in part for part in parts):  # musl ignores a path with any other token
                yield from _split(origin(loaded).join(parts))
        yield from _split(self._system_path)

    @cached_property
    def _system_path(self) -> str:
        folder, _, file_name = self._interpreter.rpartition("/")
        machine = file_name.removeprefix("ld-musl-").partition(".")[0]
        prefix = folder.rpartition("/")[0]
        text = self._root_files.read_text(f"{prefix}/etc/ld-musl-{machine}.path")
        return DEFAULT_LIBRARY_PATH if text is None else text.partition("\0")[0]


def _split(path: str) -> Iterator[str]:
    yield from (join("", folder) for folder in re.split("[:\n]", path) if folder)
