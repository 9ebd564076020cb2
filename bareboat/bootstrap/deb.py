"""Reads one .deb file: its control stanza, its checksums and its files, with no package manager and no root."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bareboat.bootstrap.apt import parse_stanzas
from bareboat.bootstrap.tar import File, Node, read_tar
from bareboat.errors import BareboatError
from bareboat.inputs.lock import Pinned

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bareboat.system.process import Processes

# dpkg-deb writes binary data, so a shell gives it a file to write to.
_INTO_FILE = 'exec dpkg-deb "$1" "$2" >"$3"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Deb:
    """A Debian package: what it is called and pinned by, its control stanza, `md5sums` (path -> MD5) and its files."""

    pinned: Pinned
    control: str
    md5sums: Mapping[str, str]
    files: Mapping[str, Node]


def read_deb(deb: Path, *, folder: Path, processes: Processes) -> Deb:
    """Read a .deb file by dpkg-deb, with temporaries in `folder`; owners and modes are the archive's own.

    Raises EngineError for what is no .deb file, BareboatError for one without a control stanza.
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
    """The pin of a package with this control stanza. Raises BareboatError when it does not say what it is."""
    stanzas = parse_stanzas(control)
    if len(stanzas) != 1 or "Package" not in stanzas[0] or "Version" not in stanzas[0]:
        raise BareboatError("a package's control file has no Package and Version")
    return Pinned(name=stanzas[0]["Package"], version=stanzas[0]["Version"], sha256=sha256)


def parse_md5sums(text: str) -> dict[str, str]:
    """A package's `md5sums`, lines of `MD5  path`, as path -> MD5."""
    return {path: md5 for md5, path in (line.split(maxsplit=1) for line in text.splitlines() if line.strip())}


def _text(control: Mapping[str, Node], name: str) -> str:
    node = control.get(name)
    return node.content.decode() if isinstance(node, File) else ""
