"""Cuts packages out of an unpacked Alpine system: their files, busybox's links, and a database that knows only them."""

from __future__ import annotations

import gzip
import io
import tarfile
from typing import TYPE_CHECKING

from bareboat.bootstrap.apk import ApkFile, ApkFolder, ApkPackage, content_matches, parse_installed
from bareboat.bootstrap.tar import File, Folder, Link, Node
from bareboat.errors import BareboatError, RecipeError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_DATABASE = "lib/apk/db"
_APPLET_FOLDERS = ("bin", "sbin", "usr/bin", "usr/sbin")
_BUSYBOX = "/bin/busybox"
# Users that other packages, or the image's maker, added to the files of alpine-baselayout-data.
_ADDED_USERS = frozenset({"quicksand", "dhcpcd"})
_USER_FILES = ("etc/passwd", "etc/group", "etc/shadow")
# What alpine-baselayout-data delivers, where a virtual machine's first boot has overwritten it.
_ORIGINALS: dict[str, File | Link] = {
    "etc/hostname": File(content=b"localhost\n"),
    "etc/hosts": File(content=b"127.0.0.1\tlocalhost localhost.localdomain\n::1\t\tlocalhost localhost.localdomain\n"),
    "etc/modules": File(content=b"af_packet\nipv6\n"),
    "etc/mtab": Link(target="../proc/mounts"),
}


def cut_packages(root: Path, names: Sequence[str]) -> tuple[dict[str, Node], tuple[ApkPackage, ...]]:
    """The tree of the named packages out of the system at `root`, and the packages, in the database's order.

    Owners and modes, setuid bits among them, are the database's. Raises RecipeError for a package that the system
    lacks, BareboatError for a file that is absent or not what its package delivered.
    """
    packages = _choose(root, names)
    tree: dict[str, Node] = {}
    for package in packages:
        for entry in package.entries:
            tree[entry.path] = _folder(entry) if isinstance(entry, ApkFolder) else _checked_file(root, package, entry)
    return {**_applet_links(root), **tree, **_database(root, packages)}, packages


def without_added_users(path: str, text: str) -> str:
    """The text of /etc/passwd, group or shadow without the users that the minimal system does not have."""
    lines = [line.split(":") for line in text.splitlines() if line.split(":")[0] not in _ADDED_USERS]
    if path == "etc/group":
        lines = [
            [*line[:3], ",".join(user for user in line[3].split(",") if user not in _ADDED_USERS)] for line in lines
        ]
    return "".join(":".join(line) + "\n" for line in lines)


def _choose(root: Path, names: Sequence[str]) -> tuple[ApkPackage, ...]:
    database = root / _DATABASE / "installed"
    if not database.is_file():
        raise BareboatError(f"the disk image holds no Alpine system on a bare ext4: it has no /{_DATABASE}/installed")
    installed = parse_installed(database.read_text(encoding="utf-8"))
    absent = sorted(set(names) - {package.name for package in installed})
    if absent:
        present = ", ".join(package.name for package in installed)
        raise RecipeError(f"base.bootstrap.packages: the disk image has no {', '.join(absent)}; it has {present}")
    return tuple(package for package in installed if package.name in names)


def _folder(entry: ApkFolder) -> Folder:
    return Folder(mode=entry.mode, uid=entry.uid, gid=entry.gid)


def _checked_file(root: Path, package: ApkPackage, entry: ApkFile) -> Node:
    """The file as it lies in the system, or as it was before the image's maker changed it."""
    for node in (_read(root, entry), _restored(root, entry)):
        if node is not None and (not entry.checksum or content_matches(entry.checksum, _delivered(entry.path, node))):
            return node
    raise BareboatError(f"/{entry.path} is absent or not what {package.name}-{package.version} delivered")


def _read(root: Path, entry: ApkFile) -> File | Link | None:
    path = root / entry.path
    if path.is_symlink():
        return Link(target=str(path.readlink()))
    if path.is_file():
        return File(content=path.read_bytes(), mode=entry.mode, uid=entry.uid, gid=entry.gid)
    return None


def _restored(root: Path, entry: ApkFile) -> File | Link | None:
    if entry.path in _USER_FILES:
        text = without_added_users(entry.path, (root / entry.path).read_text(encoding="utf-8"))
        return File(content=text.encode(), mode=entry.mode, uid=entry.uid, gid=entry.gid)
    original = _ORIGINALS.get(entry.path)
    if isinstance(original, File):
        return File(content=original.content, mode=entry.mode, uid=entry.uid, gid=entry.gid)
    return original


def _delivered(path: str, node: File | Link) -> bytes:
    if isinstance(node, Link):
        return node.target.encode()
    # The package leaves root without a password; the locked entry is kept, as Alpine's own image has it.
    return node.content.replace(b"root:*:", b"root::", 1) if path == "etc/shadow" else node.content


def _applet_links(root: Path) -> dict[str, Node]:
    """The links that busybox's trigger makes, one a command; the database does not list them."""
    return {
        f"{folder}/{link.name}": Link(target=_BUSYBOX)
        for folder in _APPLET_FOLDERS
        for link in (root / folder).iterdir()
        if link.is_symlink() and str(link.readlink()) == _BUSYBOX
    }


def _database(root: Path, packages: Sequence[ApkPackage]) -> dict[str, Node]:
    """What apk itself reads, cut down to the packages that are aboard."""
    names = {package.name for package in packages}
    identities = {package.identity for package in packages}
    installed = "".join(f"{package.stanza}\n\n" for package in packages)
    triggers = (root / _DATABASE / "triggers").read_text(encoding="utf-8").splitlines(keepends=True)
    wanted = (root / "etc/apk/world").read_text(encoding="utf-8").split()
    return {
        f"{_DATABASE}/installed": File(content=installed.encode()),
        f"{_DATABASE}/lock": File(content=b"", mode=0o600),
        f"{_DATABASE}/scripts.tar.gz": File(content=_scripts(root / _DATABASE / "scripts.tar.gz", packages)),
        f"{_DATABASE}/triggers": File(
            content="".join(line for line in triggers if line.split(maxsplit=1)[0] in identities).encode()
        ),
        "etc/apk/world": File(content="".join(f"{name}\n" for name in wanted if name in names).encode()),
        **{path: File(content=(root / path).read_bytes()) for path in ("etc/apk/arch", "etc/apk/repositories")},
        "var/cache/apk": Folder(),
    }


def _scripts(archive: Path, packages: Sequence[ApkPackage]) -> bytes:
    prefixes = tuple(f"{package.name}-{package.version}." for package in packages)
    cut = io.BytesIO()
    # A gzip header without the time of day, so that two runs give the same bytes.
    with (
        tarfile.open(archive) as scripts,
        gzip.GzipFile(fileobj=cut, mode="wb", filename="", mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w") as kept,
    ):
        for member in scripts:
            if member.name.startswith(prefixes):
                kept.addfile(member, scripts.extractfile(member))
    return cut.getvalue()
