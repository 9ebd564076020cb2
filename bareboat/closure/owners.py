"""Which package owns a file of a root filesystem, from the databases that dpkg, distroless images and apk keep in it.

Pure. The databases are untrusted: a line that is none is passed over, and costs no more than its own length.
Formats: dpkg-query(1) and /var/lib/dpkg/info; https://github.com/GoogleContainerTools/distroless (status.d);
https://wiki.alpinelinux.org/wiki/Apk_spec#Installed_Database_V2.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

# The paths to ask for, without leading slash; `*` stands for a part of a file's name.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """A package as its distribution calls it, without architecture; `version` is "" where its database has none."""

    name: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Owners:
    """The owners of a root filesystem's files; `paths` are as the databases spell them, without leading slash.

    A folder that has something in it is nobody's. distroless lists no links, and none lists what its scripts made.
    """

    paths: Mapping[str, Owner]

    def of(self, path: str) -> Owner | None:
        """The owner of what lies at `path`, with or without leading slash; None where no package says so.

        /lib/x and /usr/lib/x are one file where /usr is merged, and databases spell it either way; so for /bin, /sbin,
        /lib32, /lib64 and /libx32. The path as it is comes first, since Alpine has both.
        """
        name = _normalise(path)
        return self.paths.get(name) or self.paths.get(_other_spelling(name))

    def providers(self, file_name: str) -> tuple[tuple[str, Owner], ...]:
        """Every owned path, sorted, whose last part is `file_name`, libgcc_s.so.1 for one, with its owner."""
        found = {path: owner for path, owner in self.paths.items() if _last(path) == file_name}
        return tuple(sorted(found.items(), key=_path))


def is_database(path: str) -> bool:
    """Whether `read_owners` wants the file at `path`, which has no leading slash."""
    # A `*` matches slashes, too; no database lies in a folder below.
    return any(fnmatchcase(path, wanted) and path.count("/") == wanted.count("/") for wanted in DATABASES)


def read_owners(files: Mapping[str, bytes]) -> Owners:
    """The owners that these databases, by path without leading slash, give; other files are passed over.

    Where several packages have the same path, the first by database and name owns it; dpkg's diversions are heeded.
    """
    texts = {path: files[path].decode("utf-8", "surrogateescape") for path in sorted(filter(is_database, files))}
    said = [*_read_dpkg(texts), *_read_distroless(texts), *(pair for path in _APK for pair in _read_apk(texts, path))]
    # Each database names a folder beside what is in it.
    folders = {posixpath.dirname(path) for path, _ in said}
    paths: dict[str, Owner] = {}
    for path, owner in said:
        if path not in folders and path:
            paths.setdefault(path, owner)
    return Owners(paths=MappingProxyType(paths))


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
    """Path -> the package whose file it is, and where everybody else's went; `:` is the administrator's own."""
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
        # A file's line (R:) has its folder (F:) above it; the package's own lines come first.
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
    """The fields of each stanza, first lines only: what goes on over several lines is not asked for here."""
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
