"""Reads one .deb file: its control stanza, its checksums and its files, with no package manager and no root."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bareboat.bootstrap.apt import parse_stanzas
from bareboat.bootstrap.tar import RegularFile, TreeEntry, read_tar
from bareboat.errors import BareboatError
from bareboat.inputs.lock import Pinned

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bareboat.system.process import Processes

# dpkg-deb writes the tar to its standard output, which `Processes.run` would decode as text: redirect it to a file.
_INTO_FILE = 'exec dpkg-deb "$1" "$2" >"$3"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Deb:
    """The content of a Debian package."""

    # Its name, version and checksum.
    pinned: Pinned
    # Its control stanza, as it is written.
    control: str
    # The MD5 of each file in hex digits, by path without leading slash.
    md5sums: Mapping[str, str]
    # Its files, folders and links by path without leading slash.
    files: Mapping[str, TreeEntry]


def read_deb(deb: Path, *, folder: Path, processes: Processes) -> Deb:
    """Read a .deb file by means of dpkg-deb, with temporary files in `folder`; owners and modes are the archive's.

    Raises EngineError for another file, BareboatError for a package without a control stanza.
    """
    control_tar, files_tar = folder / "control.tar", folder / "files.tar"
    for option, tar in (("--ctrl-tarfile", control_tar), ("--fsys-tarfile", files_tar)):
        processes.run(["sh", "-c", _INTO_FILE, "sh", option, str(deb), str(tar)])
    control = read_tar(control_tar)
    stanza = _text(control, "control")
    sha256 = hashlib.sha256(deb.read_bytes()).hexdigest()
    return Deb(
        pinned=pin_stanza(stanza, sha256),
        control=stanza,
        md5sums=parse_md5sums(_text(control, "md5sums")),
        files=read_tar(files_tar),
    )


def pin_stanza(control: str, sha256: str) -> Pinned:
    """The pin of a package with this control stanza. Raises BareboatError when name or version is missing."""
    stanzas = parse_stanzas(control)
    if len(stanzas) != 1 or "Package" not in stanzas[0] or "Version" not in stanzas[0]:
        raise BareboatError("a package's control file has no Package and Version")
    return Pinned(name=stanzas[0]["Package"], version=stanzas[0]["Version"], sha256=sha256)


def parse_md5sums(text: str) -> dict[str, str]:
    """The MD5 of each file by path, from a package's `md5sums`, whose lines are `MD5  path`. Raises BareboatError."""
    lines = [line.split(maxsplit=1) for line in text.splitlines() if line.strip()]
    if any(len(words) < 2 for words in lines):  # noqa: PLR2004 (the two words of a line)
        raise BareboatError("a package's md5sums has a line that is not `MD5  path`")
    return {path: md5 for md5, path in lines}


def _text(control: Mapping[str, TreeEntry], name: str) -> str:
    node = control.get(name)
    return node.content.decode(errors="replace") if isinstance(node, RegularFile) else ""
