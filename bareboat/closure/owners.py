"""Tells which package owns a file of a root filesystem, from the databases of dpkg, distroless images and apk in it.

Pure. The databases are untrusted: a line in another format is ignored, and takes time in proportion to its length.
Formats: dpkg-query(1) and /var/lib/dpkg/info; https://github.com/GoogleContainerTools/distroless (status.d);
https://wiki.alpinelinux.org/wiki/Apk_spec#Installed_Database_V2.
"""

from __future__ import annotations

import hashlib
import posixpath
import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

from pydantic import ConfigDict, TypeAdapter

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

# The databases' paths, without leading slash; `*` stands for a part of a file's name.
DATABASES: tuple[str, ...] = (
    "var/lib/dpkg/status",
    "var/lib/dpkg/diversions",
    "var/lib/dpkg/info/*.list",
    "var/lib/dpkg/status.d/*",
    "lib/apk/db/installed",
    "usr/lib/apk/db/installed",
)
_STATUS, _DIVERSIONS, _LISTS, _STANZAS, *_APK = DATABASES
_MERGED = frozenset({"bin", "sbin", "lib", "lib32", "lib64", "libx32"})
_PATH_LIMIT_CHARACTERS = 4096
_KEPT_MAGIC = b"bareboat owners 1 "  # raise the number when `read_owners` comes to say something else
# Names and versions of the packages, the paths, and for each path the number of the package that owns it.
_Kept: TypeAlias = tuple[list[tuple[str, str]], list[str], list[int]]
_KEPT = TypeAdapter[_Kept](_Kept, config=ConfigDict(defer_build=True, strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """A package that owns files."""

    # As its distribution calls it, without architecture.
    name: str
    # "" where the database has none.
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Owners:
    """The owners of a root filesystem's files.

    A folder with something in it has no owner, because several packages share it. Links in distroless images have
    none, because their databases list files only; nor have files that a package's scripts made.
    """

    # By path as the databases spell it, without leading slash.
    paths: Mapping[str, Owner]

    def of(self, path: str) -> Owner | None:
        """The owner of the file at `path`, with or without leading slash; None where no package lists it.

        Where /usr is merged, /lib/x and /usr/lib/x are the same file, and a database may have either; so for /bin,
        /sbin, /lib32, /lib64 and /libx32. The path as given is tried first, because on Alpine they are two files.
        """
        name = _normalise(path)
        return self.paths.get(name) or self.paths.get(_other_spelling(name))

    def providers(self, file_name: str) -> tuple[tuple[str, Owner], ...]:
        """Every path, sorted, that has an owner and ends with the file name `file_name`, with its owner."""
        found = {path: owner for path, owner in self.paths.items() if _last(path) == file_name}
        return tuple(sorted(found.items(), key=_path))


def is_database(path: str) -> bool:
    """Whether `read_owners` wants the file at `path`, which has no leading slash."""
    # fnmatch lets `*` match slashes too, so compare the depth as well.
    return any(fnmatchcase(path, wanted) and path.count("/") == wanted.count("/") for wanted in DATABASES)


def read_owners(files: Mapping[str, bytes]) -> Owners:
    """The owners that the databases name, given their contents by path without leading slash; other files are ignored.

    Where several packages list one path, the first owns it, in order of database and package name. A file that dpkg
    has diverted belongs to its package at the path it was diverted to.
    """
    texts = {path: files[path].decode("utf-8", "surrogateescape") for path in sorted(filter(is_database, files))}
    said = [*_read_dpkg(texts), *_read_distroless(texts), *(pair for path in _APK for pair in _read_apk(texts, path))]
    # The databases list folders as well as what is in them.
    folders = {posixpath.dirname(path) for path, _ in said}
    paths: dict[str, Owner] = {}
    for path, owner in said:
        if path not in folders and path:
            paths.setdefault(path, owner)
    return Owners(paths=MappingProxyType(paths))


def dump_owners(owners: Owners) -> bytes:
    """The owners as bytes to keep; empty where a path is no Unicode text."""
    numbers = {owner: number for number, owner in enumerate(dict.fromkeys(owners.paths.values()))}
    packages = [(owner.name, owner.version) for owner in numbers]
    try:
        body = _KEPT.dump_json((packages, list(owners.paths), [numbers[owner] for owner in owners.paths.values()]))
    except ValueError:
        return b""
    return _KEPT_MAGIC + _sha256(body) + b"\n" + body


def load_owners(kept: bytes) -> Owners | None:
    """The owners that `dump_owners` kept; None for bytes that are damaged or another version's."""
    head, _, body = kept.partition(b"\n")
    if head != _KEPT_MAGIC + _sha256(body):
        return None
    try:
        packages, paths, numbers = _KEPT.validate_json(body)
        owners = [Owner(name=name, version=version) for name, version in packages]
        owned = {path: owners[number] for path, number in zip(paths, numbers, strict=True)}
        return Owners(paths=MappingProxyType(owned))
    except (ValueError, IndexError):
        return None


def _sha256(body: bytes) -> bytes:
    return hashlib.sha256(body).hexdigest().encode()


def _read_dpkg(texts: Mapping[str, str]) -> Iterator[tuple[str, Owner]]:
    versions: dict[str, str] = {}
    for stanza in _stanzas(texts.get(_STATUS, "")):
        name = stanza.get("Package", "")
        for key in (name, f"{name}:{stanza.get('Architecture', '')}"):
            versions.setdefault(key, stanza.get("Version", ""))
    diversions = _read_diversions(texts.get(_DIVERSIONS, ""))
    for database, text in texts.items():
        if not fnmatchcase(database, _LISTS):
            continue
        key = _last(database).removesuffix(".list")
        owner = Owner(name=key.partition(":")[0], version=versions.get(key, ""))
        for path in _paths(text.split("\n")):
            diverter, moved = diversions.get(path, (owner.name, path))
            yield (path if diverter == owner.name else moved), owner


def _read_diversions(text: str) -> dict[str, tuple[str, str]]:
    """For each diverted path, the package that diverted it and where other packages' files of that path went.

    The package is `:` where the administrator has diverted the path.
    """
    lines = text.split("\n")
    triples = zip(lines[::3], lines[1::3], lines[2::3], strict=False)
    return {_normalise(path): (package, _normalise(moved)) for path, moved, package in triples}


def _read_distroless(texts: Mapping[str, str]) -> Iterator[tuple[str, Owner]]:
    for database, text in texts.items():
        sums = texts.get(f"{database}.md5sums")
        if sums is None or not fnmatchcase(database, _STANZAS):
            continue
        stanza = next(iter(_stanzas(text)), {})
        if name := stanza.get("Package"):
            owner = Owner(name=name, version=stanza.get("Version", ""))
            lines = (re.fullmatch(r"[0-9a-f]{32}\s+(\S.*)", line) for line in sums.split("\n"))
            yield from ((path, owner) for path in _paths(line[1] for line in lines if line))


def _read_apk(texts: Mapping[str, str], database: str) -> Iterator[tuple[str, Owner]]:
    for stanza in re.split(r"\n{2,}", texts.get(database, "")):
        # The package's name (P:) and version (V:) come first, then folders (F:), each followed by its files (R:).
        fields, folder, files = {"P": "", "V": ""}, "", []
        for line in stanza.split("\n"):
            key, _, value = line.partition(":")
            if key == "F":
                folder = value
            elif key == "R" and value:
                files.append(f"{folder}/{value}")
            elif key in fields:
                fields[key] = fields[key] or value
        if fields["P"]:
            owner = Owner(name=fields["P"], version=fields["V"])
            yield from ((path, owner) for path in _paths(files))


def _stanzas(text: str) -> Iterator[dict[str, str]]:
    """The fields of each stanza, first lines only: no field that is read here has several lines."""
    for stanza in re.split(r"\n[ \t]*\n", text):
        lines = (line.partition(":") for line in stanza.split("\n") if line[:1].strip())
        yield {key: value.strip() for key, colon, value in lines if colon}


def _paths(spelled: Iterable[str]) -> Iterator[str]:
    yield from (_normalise(path) for path in spelled if path and len(path) <= _PATH_LIMIT_CHARACTERS)


def _normalise(path: str) -> str:
    return posixpath.normpath(f"/{path}").lstrip("/")


def _other_spelling(path: str) -> str:
    top, _, rest = path.partition("/")
    if top == "usr":
        return rest if rest.partition("/")[0] in _MERGED else path
    return f"usr/{path}" if top in _MERGED else path


def _last(path: str) -> str:
    return path.rpartition("/")[2]


def _path(pair: tuple[str, Owner]) -> str:
    return pair[0]
