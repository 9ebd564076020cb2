"""Tells where ld.so of glibc looks for a library.

Source: ld.so(8), and elf/dl-load.c and elf/dl-cache.c of glibc 2.36. Not considered: LD_PRELOAD, /etc/ld.so.preload,
LD_AUDIT, and libraries linked with -z nodefaultlib.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from bareboat.closure.files import Candidate
from bareboat.closure.ldcache import CACHE_PATH, read_cache, read_configured_folders
from bareboat.closure.loader import WORKING_FOLDER, join, origin

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bareboat.closure.files import LoadedObject, RootFiles

PROCESSORS = {
    "x86_64": ("x86-64-v4", "x86-64-v3", "x86-64-v2"),
    "s390x": ("z16", "z15", "z14", "z13"),
    "ppc64": ("power10", "power9"),
}
_TRIPLES = {"x86_64": "x86_64-linux-gnu", "aarch64": "aarch64-linux-gnu", "x86": "i386-linux-gnu"}
_BIG_ENDIAN = 2

# The folders that a loader was built to search stand in its bytes, each with a slash and a NUL at its end. A plain
# slash stands first here, which `re` looks for many times as quickly as for what may not stand before it.
_PARTS = rb"(?:[\x21-\x2e\x30-\x7e]{1,255}/){1,16}\0"
_FOLDERS = re.compile(rb"/(?<![\x21-\x7e]/)" + _PARTS + rb"(?:/" + _PARTS + rb"){0,15}")
_LIBRARY_FOLDER = re.compile(rb"/lib[^/]*/(?:[^/]*-linux-gnu[^/]*/)?$")
# The rule of is_dst in elf/dl-load.c: without braces, the name ends where an identifier would.
_TOKEN = re.compile(r"\$(?:\{(ORIGIN|LIB|PLATFORM)\}|(ORIGIN|LIB|PLATFORM)(?![A-Za-z0-9_]))")


@dataclass(frozen=True, slots=True, kw_only=True)
class LoaderCode:
    """What the bytes of a loader say, or those of a static program, which contains a loader."""

    # The byte order, as the module struct spells it.
    order: str
    # The folders that it was built to search; () where none are recognised.
    folders: tuple[str, ...]


class Glibc:
    """The rules of glibc's loader."""

    passes_over_other_machines = True
    knows_sonames = True
    checks_versions = True

    def __init__(
        self, *, root_files: RootFiles, program: LoadedObject, code: LoaderCode, environment: Mapping[str, str]
    ) -> None:
        self._root_files = root_files
        self._program = program
        self._machine = program.facts.machine
        self._order = code.order
        self._folders = code.folders or _default_folders(self._machine)
        self._path = environment.get("LD_LIBRARY_PATH", "")

    def is_itself(self, name: str) -> bool:
        """Always False: the loader is in memory under its soname, and found there as every library is."""
        del name
        return False

    def candidates(self, name: str, requester: LoadedObject) -> Iterator[Candidate]:
        """The places as in `Loader.candidates`; in each folder the variants for newer processors come first."""
        if "/" in name:
            path = join("", self._expand(name, requester))
            yield Candidate(folder=path.rpartition("/")[0] or "/", path=path)
            return
        seen: set[str] = set()
        for folder in self._early_folders(requester):
            yield from self._in_folder(folder, name, seen)
        for path, is_variant in self._cache.get(name, ()):
            note = f"{CACHE_PATH} has it for newer processors" if is_variant else ""
            yield Candidate(folder=CACHE_PATH, path=path, note=note)
            if not is_variant:
                break
        for folder in self._folders:
            yield from self._in_folder(folder, name, seen)

    def advise(self, name: str) -> str:
        """Names the folder of /etc/ld.so.conf that has the library, where no cache tells the loader of it."""
        if "/" in name or self._cache:
            return ""
        for folder in read_configured_folders(self._root_files):
            if self._root_files.find(join(folder, name)) is not None:
                return f"{folder} has it, but ld.so reads {CACHE_PATH} and not ld.so.conf: run ldconfig"
        return ""

    @cached_property
    def _cache(self) -> dict[str, tuple[tuple[str, bool], ...]]:
        data = self._root_files.read_small(CACHE_PATH)
        return read_cache(data, machine=self._machine, order=self._order) if data else {}

    def _early_folders(self, requester: LoadedObject) -> Iterator[str]:
        if not requester.facts.runpath:
            chain = list(requester.chain())
            for loaded in chain if self._program in chain else [*chain, self._program]:
                # ld.so ignores the RPATH of an object that has a RUNPATH.
                yield from () if loaded.facts.runpath else self._split(loaded.facts.rpath, loaded)
        yield from self._split(tuple(re.split("[:;]", self._path)), self._program)
        yield from self._split(requester.facts.runpath, requester)

    def _split(self, paths: tuple[str, ...], owner: LoadedObject) -> Iterator[str]:
        if paths in {(), ("",)}:
            return
        for path in paths:
            yield join("", self._expand(path, owner)) if path else WORKING_FOLDER

    def _expand(self, path: str, owner: LoadedObject) -> str:
        first = self._folders[0].strip("/").removeprefix("usr/")
        library = first if first.startswith("lib") else "lib"
        values = {"ORIGIN": origin(owner), "LIB": library, "PLATFORM": self._machine}
        return _TOKEN.sub(lambda match: values[match[1] or match[2]], path)

    def _in_folder(self, folder: str, name: str, seen: set[str]) -> Iterator[Candidate]:
        folder = folder.rstrip("/") or "/"
        if folder in seen:
            return
        seen.add(folder)
        for processor in PROCESSORS.get(self._machine, ()):
            variants = join(folder, f"glibc-hwcaps/{processor}")
            yield Candidate(folder=folder, path=join(variants, name), note=f"for processors of {processor}")
        yield Candidate(folder=folder, path=join(folder, name))


def read_loader(code: bytes) -> LoaderCode:
    """What the content of a loader says, or that of a static program."""
    best: list[bytes] = []
    for match in _FOLDERS.finditer(code):
        folders = match[0].split(b"\0")[:-1]
        if all(_LIBRARY_FOLDER.search(folder) for folder in folders) and len(folders) > len(best):
            best = folders
    return LoaderCode(
        order=">" if code[5:6] == bytes([_BIG_ENDIAN]) else "<",
        folders=tuple(folder.decode().rstrip("/") for folder in best),
    )


def find_gconv_folder(root_files: RootFiles, libc: LoadedObject) -> str:
    """The folder of iconv's modules that a libc was built with, or Debian's if none is recognised; absolute."""
    triple = _TRIPLES.get(libc.facts.machine)
    default = f"/usr/lib/{triple}/gconv" if triple else "/usr/lib/gconv"
    return root_files.read_as(libc.path, _read_gconv_folder) or default


def _read_gconv_folder(code: bytes) -> str:
    match = re.search(rb"(/[\x21-\x7e]{1,255}/gconv)\0", code)
    return match[1].decode() if match else ""


def _default_folders(machine: str) -> tuple[str, ...]:
    triple = _TRIPLES.get(machine)
    local = (f"/lib/{triple}", f"/usr/lib/{triple}") if triple else ()
    return (*local, "/lib", "/usr/lib", "/lib64", "/usr/lib64")
