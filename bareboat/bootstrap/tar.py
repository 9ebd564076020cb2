"""Reads and writes root filesystems as tar archives whose bytes depend on nothing but paths and entries."""

from __future__ import annotations

import io
import tarfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, assert_never

from bareboat.errors import BareboatError
from bareboat.system.files import replacing

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """A folder."""

    mode: int = 0o755
    uid: int = 0
    gid: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RegularFile:
    """A regular file."""

    content: bytes
    mode: int = 0o644
    uid: int = 0
    gid: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A symbolic link."""

    # As it is written: relative to the link's folder, or absolute.
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HardLink:
    """Another name of a regular file."""

    # The file's path, without leading slash.
    target: str


TreeEntry = Folder | RegularFile | Link | HardLink


def read_tar(archive: Path) -> dict[str, TreeEntry]:
    """The entries of a tar archive by path, without a leading `./` or `/`; times and user names are dropped.

    Raises BareboatError for devices, pipes and paths with `..`.
    """
    tree: dict[str, TreeEntry] = {}
    with tarfile.open(archive) as tar:
        for member in tar:
            path = _plain(member.name)
            if path:
                tree[path] = _read_node(tar, member)
    return tree


def write_tar(tree: Mapping[str, TreeEntry], archive: Path) -> None:
    """Write the entries of a tree, and the folders above them: sorted, every time 0, owners as numbers.

    Hard links come last, because the files that they name must stand before them. Raises BareboatError for two
    spellings of one path.
    """
    seen: set[PurePosixPath] = set()
    for path in tree:
        if _absolute(path) in seen:
            raise BareboatError(f"{archive}: {path!r} is put into the archive twice")
        seen.add(_absolute(path))
    whole: dict[str, TreeEntry] = {str(parent): Folder() for path in tree for parent in PurePosixPath(path).parents}
    whole.update(tree)
    with replacing(archive) as file, tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path in sorted(whole, key=lambda path: (isinstance(whole[path], HardLink), path)):
            _write_node(tar, path, whole[path])


def ensure_folder(path: str, archive: Path) -> None:
    """Add a folder at the end of an uncompressed archive that another program wrote, unless it is there already.

    Raises BareboatError where the archive has something else by that path.
    """
    with tarfile.open(archive, "a") as tar:
        there = [member for member in tar if _absolute(member.name) == _absolute(path)]
        if not all(member.isdir() for member in there):
            raise BareboatError(f"{archive}: {path!r} is no folder")
        if not there:
            _write_node(tar, path, Folder())


def _absolute(name: str) -> PurePosixPath:
    return PurePosixPath("/", name)


def _plain(name: str) -> str:
    path = _absolute(name)
    if ".." in path.parts:
        raise BareboatError(f"an archive holds a path that climbs out of it: {name}")
    return str(path.relative_to("/")).removeprefix(".")


def _read_node(tar: tarfile.TarFile, member: tarfile.TarInfo) -> TreeEntry:
    if member.isdir():
        return Folder(mode=member.mode, uid=member.uid, gid=member.gid)
    if member.issym():
        return Link(target=member.linkname)
    if member.islnk():
        return HardLink(target=_plain(member.linkname))
    stream = tar.extractfile(member)
    if stream is None:
        raise BareboatError(f"an archive holds neither file, folder nor link: {member.name}")
    return RegularFile(content=stream.read(), mode=member.mode, uid=member.uid, gid=member.gid)


def _write_node(tar: tarfile.TarFile, path: str, node: TreeEntry) -> None:
    entry = tarfile.TarInfo(path)
    content: io.BytesIO | None = None
    match node:
        case Folder(mode=mode, uid=uid, gid=gid):
            entry.type, entry.mode, entry.uid, entry.gid = tarfile.DIRTYPE, mode, uid, gid
        case RegularFile(content=data, mode=mode, uid=uid, gid=gid):
            entry.size, entry.mode, entry.uid, entry.gid = len(data), mode, uid, gid
            content = io.BytesIO(data)
        case Link(target=target):
            entry.type, entry.mode, entry.linkname = tarfile.SYMTYPE, 0o777, target
        case HardLink(target=target):
            entry.type, entry.linkname = tarfile.LNKTYPE, target
        case _:
            assert_never(node)
    tar.addfile(entry, content)
