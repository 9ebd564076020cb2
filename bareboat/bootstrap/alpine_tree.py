"""Takes some packages out of an unpacked Alpine system: their files, busybox's links, and an apk database of them."""

from __future__ import annotations

import gzip
import io
import tarfile
from typing import TYPE_CHECKING

from bareboat.bootstrap.apk import ApkFile, ApkFolder, ApkPackage, content_matches, parse_installed
from bareboat.bootstrap.tar import Folder, Link, RegularFile, TreeEntry
from bareboat.errors import BareboatError, RecipeError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_DATABASE = "lib/apk/db"
_APPLET_FOLDERS = ("bin", "sbin", "usr/bin", "usr/sbin")
_BUSYBOX = "/bin/busybox"
# Users that other packages or whoever made the disk image added to the files of alpine-baselayout-data.
_ADDED_USERS = frozenset({"quicksand", "dhcpcd"})
_USER_FILES = ("etc/passwd", "etc/group", "etc/shadow")
# Files of alpine-baselayout-data as the package delivers them: the first boot of the disk image overwrote them.
_ORIGINALS: dict[str, RegularFile | Link] = {
    "etc/hostname": RegularFile(content=b"localhost\n"),
    "etc/hosts": RegularFile(
        content=b"127.0.0.1\tlocalhost localhost.localdomain\n::1\t\tlocalhost localhost.localdomain\n"
    ),
    "etc/modules": RegularFile(content=b"af_packet\nipv6\n"),
    "etc/mtab": Link(target="../proc/mounts"),
}


def cut_packages(root: Path, names: Sequence[str]) -> tuple[dict[str, TreeEntry], tuple[ApkPackage, ...]]:
    """The files of the named packages from the system at `root`, and the packages, in the database's order.

    Owners and modes, setuid bits included, come from the database. Raises RecipeError for a package that the system
    lacks, BareboatError for a file that is absent or has another checksum than the database says.
    """
    packages = _choose(root, names)
    tree: dict[str, TreeEntry] = {}
    for package in packages:
        for entry in package.entries:
            tree[entry.path] = _folder(entry) if isinstance(entry, ApkFolder) else _checked_file(root, package, entry)
    return {**_applet_links(root), **tree, **_database(root, packages)}, packages


def without_added_users(path: str, text: str) -> str:
    """The text of /etc/passwd, /etc/group or /etc/shadow without the users that were added to the minimal system."""
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


def _checked_file(root: Path, package: ApkPackage, entry: ApkFile) -> TreeEntry:
    """The file from the system or, if it was changed there, as its package delivered it."""
    for node in (_read(root, entry), _restored(root, entry)):
        if node is not None and (not entry.checksum or content_matches(entry.checksum, _delivered(entry.path, node))):
            return node
    raise BareboatError(f"/{entry.path} is absent or not what {package.name}-{package.version} delivered")


def _read(root: Path, entry: ApkFile) -> RegularFile | Link | None:
    path = root / entry.path
    if path.is_symlink():
        return Link(target=str(path.readlink()))
    if path.is_file():
        return RegularFile(content=path.read_bytes(), mode=entry.mode, uid=entry.uid, gid=entry.gid)
    return None


def _restored(root: Path, entry: ApkFile) -> RegularFile | Link | None:
    if entry.path in _USER_FILES:
        text = without_added_users(entry.path, (root / entry.path).read_text(encoding="utf-8"))
        return RegularFile(content=text.encode(), mode=entry.mode, uid=entry.uid, gid=entry.gid)
    original = _ORIGINALS.get(entry.path)
    if isinstance(original, RegularFile):
        return RegularFile(content=original.content, mode=entry.mode, uid=entry.uid, gid=entry.gid)
    return original


def _delivered(path: str, node: RegularFile | Link) -> bytes:
    if isinstance(node, Link):
        return node.target.encode()
    # The package delivers an empty password for root. The system has root locked, as Alpine's own container image
    # does: keep that, but compare the checksum without it.
    return node.content.replace(b"root:*:", b"root::", 1) if path == "etc/shadow" else node.content


def _applet_links(root: Path) -> dict[str, TreeEntry]:
    """The links to busybox, one for each of its commands: its trigger makes them, and the database lacks them."""
    return {
        f"{folder}/{link.name}": Link(target=_BUSYBOX)
        for folder in _APPLET_FOLDERS
        for link in (root / folder).iterdir()
        if link.is_symlink() and str(link.readlink()) == _BUSYBOX
    }


def _database(root: Path, packages: Sequence[ApkPackage]) -> dict[str, TreeEntry]:
    """The files that apk itself reads, reduced to `packages`."""
    names = {package.name for package in packages}
    identities = {package.identity for package in packages}
    installed = "".join(f"{package.stanza}\n\n" for package in packages)
    triggers = (root / _DATABASE / "triggers").read_text(encoding="utf-8").splitlines(keepends=True)
    wanted = (root / "etc/apk/world").read_text(encoding="utf-8").split()
    return {
        f"{_DATABASE}/installed": RegularFile(content=installed.encode()),
        f"{_DATABASE}/lock": RegularFile(content=b"", mode=0o600),
        f"{_DATABASE}/scripts.tar.gz": RegularFile(content=_scripts(root / _DATABASE / "scripts.tar.gz", packages)),
        f"{_DATABASE}/triggers": RegularFile(
            content="".join(line for line in triggers if line.split(maxsplit=1)[0] in identities).encode()
        ),
        "etc/apk/world": RegularFile(content="".join(f"{name}\n" for name in wanted if name in names).encode()),
        **{path: RegularFile(content=(root / path).read_bytes()) for path in ("etc/apk/arch", "etc/apk/repositories")},
        "var/cache/apk": Folder(),
    }


def _scripts(archive: Path, packages: Sequence[ApkPackage]) -> bytes:
    prefixes = tuple(f"{package.name}-{package.version}." for package in packages)
    cut = io.BytesIO()
    # Time 0 in the gzip header, so that two runs give the same bytes.
    with (
        tarfile.open(archive) as scripts,
        gzip.GzipFile(fileobj=cut, mode="wb", filename="", mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w") as kept,
    ):
        for member in scripts:
            if member.name.startswith(prefixes):
                kept.addfile(member, scripts.extractfile(member))
    return cut.getvalue()
