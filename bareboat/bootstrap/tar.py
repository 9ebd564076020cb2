"""Root filesystems as values, and as tar archives whose bytes depend on nothing but those values."""

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
    """A folder; owned by root where nothing else is said."""

    mode: int = 0o755
    uid: int = 0
    gid: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A regular file."""

    content: bytes
    mode: int = 0o644
    uid: int = 0
    gid: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A symbolic link."""

    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HardLink:
    """Another name of the file at `target`, a path like those of the tree."""

    target: str


Node = Folder | File | Link | HardLink


def read_tar(archive: Path) -> dict[str, Node]:
    """The nodes of a tar archive by path, without a leading `./` or `/`; times and user names are left behind.

    Raises BareboatError for devices, sockets and paths that climb out of the tree.
    """
    tree: dict[str, Node] = {}
    with tarfile.open(archive) as tar:
        for member in tar:
            path = _plain(member.name)
            if path:
                tree[path] = _read_node(tar, member)
    return tree


def write_tar(tree: Mapping[str, Node], archive: Path) -> None:
    """Write a tree, its root and the folders that its paths imply: sorted, every time 0, owners as numbers.

    Hard links come last, after the files that they name.
    """
    whole: dict[str, Node] = {str(parent): Folder() for path in tree for parent in PurePosixPath(path).parents}
    whole.update(tree)
    with replacing(archive) as file, tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path in sorted(whole, key=lambda path: (isinstance(whole[path], HardLink), path)):
            _write_node(tar, path, whole[path])


def add_folder(path: str, archive: Path) -> None:
    """Add one folder at the end of an uncompressed archive that another program wrote."""
    with tarfile.open(archive, "a") as tar:
        _write_node(tar, path, Folder())


def _plain(name: str) -> str:
    path = PurePosixPath("/", name)
    if ".." in path.parts:
        raise BareboatError(f"an archive holds a path that climbs out of it: {name}")
    return str(path.relative_to("/")).removeprefix(".")


def _read_node(tar: tarfile.TarFile, member: tarfile.TarInfo) -> Node:
    if member.isdir():
        return Folder(mode=member.mode, uid=member.uid, gid=member.gid)
    if member.issym():
        return Link(target=member.linkname)
    if member.islnk():
        return HardLink(target=_plain(member.linkname))
    stream = tar.extractfile(member)
    if stream is None:
        raise BareboatError(f"an archive holds neither file, folder nor link: {member.name}")
    return File(content=stream.read(), mode=member.mode, uid=member.uid, gid=member.gid)


def _write_node(tar: tarfile.TarFile, path: str, node: Node) -> None:
    entry = tarfile.TarInfo(path)
    content: io.BytesIO | None = None
    match node:
        case Folder(mode=mode, uid=uid, gid=gid):
            entry.type, entry.mode, entry.uid, entry.gid = tarfile.DIRTYPE, mode, uid, gid
        case File(content=data, mode=mode, uid=uid, gid=gid):
            entry.size, entry.mode, entry.uid, entry.gid = len(data), mode, uid, gid
            content = io.BytesIO(data)
        case Link(target=target):
            entry.type, entry.mode, entry.linkname = tarfile.SYMTYPE, 0o777, target
        case HardLink(target=target):
            entry.type, entry.linkname = tarfile.LNKTYPE, target
        case _:
            assert_never(node)
    tar.addfile(entry, content)
