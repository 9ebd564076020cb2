"""Reads and writes root filesystems as tar archives whose bytes depend on nothing but paths and entries."""

from __future__ import annotations

import contextlib
import io
import tarfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, assert_never

from bareboat.errors import BareboatError
from bareboat.system.files import replacing

if TYPE_CHECKING:
    import re
    from collections.abc import Iterable, Iterator, Mapping

# Linux's capabilities of a file, as tar spells extended attributes.
_CAPABILITIES = "SCHILY.xattr.security.capability"


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
    with tarfile.open(archive, encoding="utf-8") as tar:
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
    whole = {**_folders_above(tree), **tree}
    with _new_tar(archive) as tar:
        for path in sorted(whole, key=lambda path: (_is_hard_link(whole[path]), path)):
            _write_node(tar, path, whole[path])


def rewrite_tar(archive: Path, *, drop: re.Pattern[str], put: Mapping[str, TreeEntry]) -> None:
    """Write another program's archive anew as `write_tar` would, so that no version of that program shows in it.

    Paths that `drop` matches as a whole stay away, and the entries of `put` stand in place of what the archive has by
    their paths. Of other metadata than owners and modes, capabilities stay. Contents pass through, so that an archive
    may be larger than memory. Raises BareboatError for paths with `..`.
    """
    with tarfile.open(archive, encoding="utf-8") as old:
        members = {_plain(member.name) or ".": member for member in old}
        whole: dict[str, TreeEntry | tarfile.TarInfo] = {**_folders_above(put)}
        whole.update((path, member) for path, member in members.items() if not drop.fullmatch(path))
        whole.update(put)
        with _new_tar(archive) as new:
            for path in sorted(whole, key=lambda path: (_is_hard_link(whole[path]), path)):
                match whole[path]:
                    case tarfile.TarInfo() as member:
                        new.addfile(_clean(member, path), old.extractfile(member) if member.isreg() else None)
                    case entry:
                        _write_node(new, path, entry)


def _folders_above(paths: Iterable[str]) -> dict[str, Folder]:
    return {str(parent): Folder() for path in paths for parent in PurePosixPath(path).parents}


@contextlib.contextmanager
def _new_tar(archive: Path) -> Iterator[tarfile.TarFile]:
    # The encoding would otherwise be the user's locale's.
    with (
        replacing(archive) as file,
        tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT, encoding="utf-8") as tar,
    ):
        yield tar


def _is_hard_link(node: TreeEntry | tarfile.TarInfo) -> bool:
    return node.islnk() if isinstance(node, tarfile.TarInfo) else isinstance(node, HardLink)


def _clean(member: tarfile.TarInfo, path: str) -> tarfile.TarInfo:
    """The member by another spelling of its path, without times, user names and what a host adds to its files."""
    entry = tarfile.TarInfo(path)
    entry.type, entry.mode, entry.uid, entry.gid = member.type, member.mode, member.uid, member.gid
    entry.size, entry.devmajor, entry.devminor = member.size, member.devmajor, member.devminor
    entry.linkname = _plain(member.linkname) if member.islnk() else member.linkname
    # A package brings no other attribute than this. SELinux, for one, labels every file of its hosts.
    entry.pax_headers = {key: value for key, value in member.pax_headers.items() if key == _CAPABILITIES}
    return entry


def _absolute(name: str) -> PurePosixPath:
    return PurePosixPath("/", name)


def _plain(name: str) -> str:
    path = _absolute(name)
    if ".." in path.parts:
        raise BareboatError(f"an archive holds a path that climbs out of it: {name}")
    return "" if path == PurePosixPath("/") else str(path.relative_to("/"))


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
