"""Reads the database of installed packages that apk keeps, and compares the checksums in it.

Format: https://wiki.alpinelinux.org/wiki/Apk_spec#Installed_Database_V2. Pure.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bareboat.errors import BareboatError

if TYPE_CHECKING:
    from collections.abc import Sequence

_HASHES = {"Q1": hashlib.sha1, "Q2": hashlib.sha256}


@dataclass(frozen=True, slots=True, kw_only=True)
class ApkFolder:
    """A folder that a package owns."""

    # Without leading slash.
    path: str
    mode: int = 0o755
    uid: int = 0
    gid: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ApkFile:
    """A file or link that a package owns."""

    # Without leading slash.
    path: str
    # `Q1` and the SHA-1 in base64, or `Q2` and the SHA-256; "" where the database has none.
    checksum: str
    mode: int = 0o644
    uid: int = 0
    gid: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ApkPackage:
    """One installed package."""

    name: str
    version: str
    # The package's checksum, by which the file of triggers names it.
    identity: str
    entries: tuple[ApkFolder | ApkFile, ...]
    # The package's whole entry in the database.
    stanza: str


def parse_installed(database: str) -> tuple[ApkPackage, ...]:
    """The packages of `/lib/apk/db/installed`, in its order. Raises BareboatError for text in another format."""
    return tuple(_parse_package(stanza) for stanza in re.split(r"\n\n+", database.strip("\n")) if stanza)


def content_matches(checksum: str, content: bytes) -> bool:
    """Whether a file's content, or a link's target, is what its package delivered."""
    hashed = _HASHES.get(checksum[:2])
    if hashed is None:
        raise BareboatError(f"a checksum of no known kind in the apk database: {checksum!r}")
    return checksum[2:] == base64.b64encode(hashed(content).digest()).decode()


def _parse_package(stanza: str) -> ApkPackage:
    lines = [line.partition(":")[::2] for line in stanza.splitlines()]
    fields = dict(reversed(lines))
    if not {"P", "V", "C"} <= fields.keys():
        raise BareboatError(f"not a package of an apk database: {stanza.splitlines()[0]!r}")
    return ApkPackage(
        name=fields["P"],
        version=fields["V"],
        identity=fields["C"],
        entries=_parse_entries(fields["P"], lines),
        stanza=stanza,
    )


def _parse_entries(package: str, lines: Sequence[Sequence[str]]) -> tuple[ApkFolder | ApkFile, ...]:
    entries: list[ApkFolder | ApkFile] = []
    folder = ""
    for key, value in lines:
        match key:
            case "F":
                folder = value
                entries.append(ApkFolder(path=folder))
            case "R":
                entries.append(ApkFile(path=f"{folder}/{value}".lstrip("/"), checksum=""))
            case "M" | "a" | "Z":
                if not entries:
                    raise BareboatError(f"{package}: the apk database says {key}:{value} of no file")
                entries[-1] = _with_field(entries[-1], package, key, value)
    return tuple(entry for entry in entries if entry.path)


def _with_field(entry: ApkFolder | ApkFile, package: str, key: str, value: str) -> ApkFolder | ApkFile:
    if isinstance(entry, ApkFile) and key == "Z":
        return ApkFile(path=entry.path, checksum=value, mode=entry.mode, uid=entry.uid, gid=entry.gid)
    try:
        uid, gid, mode = value.split(":")[:3]
        owner = {"mode": int(mode, 8), "uid": int(uid), "gid": int(gid)}
    except ValueError:
        raise BareboatError(f"{package}: not an owner and mode in the apk database: {key}:{value}") from None
    if isinstance(entry, ApkFolder):
        return ApkFolder(path=entry.path, **owner)
    return ApkFile(path=entry.path, checksum=entry.checksum, **owner)
