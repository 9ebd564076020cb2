"""Merges an image's layers into one root filesystem, as the OCI layer specification says, without unpacking anything.

Source: https://github.com/opencontainers/image-spec/blob/main/layer.md.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING

from bareboat.archive.node import Extent, File, Node, below, make_directory
from bareboat.errors import BareboatError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bareboat.archive.tarstream import Header

WHITEOUT = ".wh."
OPAQUE = ".wh..wh..opq"
AUFS_NOTES = ".wh..wh."
PATH_LIMIT_CHARACTERS = 4096
NODE_LIMIT = 2_000_000
PATHS_LIMIT_CHARACTERS = 1 << 27  # each entry keeps its whole path, so a deep tree takes much memory
SYMLINK_LIMIT = 40  # Linux's own limit: MAXSYMLINKS of include/linux/namei.h


class Tree:
    """A root filesystem to which layers are added, the lowest first; errors call it `name`."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._owner = object()
        self._root = Node(file=make_directory(""), layer=-1, owner=self._owner)
        self._nodes = 0
        self._characters = 0
        # How many entries are no folders.
        self.file_count = 0

    def add_layer(self, number: int, entries: Iterable[tuple[Header, str]]) -> None:
        """Adds one layer, given as pairs of a header and the SHA-256 of its content, on top of those before.

        Raises BareboatError for names that are absolute or have `..`, for a path that the layer names twice or that
        goes through a link or file of the same layer, and for a hard link to no earlier file.
        """
        placed = []
        for header, sha256 in entries:
            parts = self._split(header.name)
            if not parts:
                if header.kind != "directory":
                    raise BareboatError(f"{self._name}: the root is a {header.kind}")
            elif parts[-1].startswith(WHITEOUT):
                # A whiteout hides entries of lower layers only, wherever it stands in its own layer: apply it at once,
                # and place the layer's own entries after all of its whiteouts.
                self._white_out(parts)
            else:
                placed.append((parts, header, sha256))
        # Whole folders stand together in a layer: each is looked up once.
        folders: dict[tuple[str, ...], Node] = {}
        for parts, header, sha256 in placed:
            folder = folders.get(parts[:-1])
            if folder is None:
                folder = folders[parts[:-1]] = self._make_folder(number, parts)
            self._place(number, folder, parts, header, sha256)

    def fork(self, name: str) -> Tree:
        """The same root filesystem once more, so that layers can be added to it and not to this one.

        The two share their entries, and either changes none of them: it changes copies of those on a path of its own.
        """
        tree = Tree(name)
        tree._root = self._root
        tree._nodes, tree._characters, tree.file_count = self._nodes, self._characters, self.file_count
        self._owner = object()
        return tree

    def files(self) -> Iterator[File]:
        """Every entry but the root itself, in no particular order."""
        return (node.file for node in below(self._root))

    def resolve(self, path: str) -> Node | None:
        """The entry at `path` after following links, or None where there is none.

        Raises BareboatError for a path or link that leaves the root, and for a path through more than 40 symlinks.
        """
        pending, trail, followed = deque(path.split("/")), [self._root], 0
        while pending:
            part = pending.popleft()
            node = self._step(trail, part, path)
            if node is None:
                return None
            if node.file.kind == "symlink":
                followed += 1
                if followed > SYMLINK_LIMIT:
                    raise BareboatError(f"{self._name}: {path} goes through more than {SYMLINK_LIMIT} symlinks")
                pending.extendleft(reversed(node.file.target.split("/")))
                trail = trail[:1] if node.file.target.startswith("/") else trail
            elif part == "..":
                trail.pop()
            elif node is not trail[-1]:
                trail.append(node)
        return trail[-1]

    def _step(self, trail: list[Node], part: str, path: str) -> Node | None:
        match part:
            case "":
                return trail[-1]
            case "." | ".." if not trail[-1].is_directory:
                return None
            case ".":
                return trail[-1]
            case "..":
                if len(trail) == 1:
                    raise BareboatError(f"{self._name}: {path} leaves the root filesystem")
                return trail[-2]
            case _:
                return trail[-1].children.get(part)

    def _split(self, name: str) -> tuple[str, ...]:
        parts = tuple([part for part in name.split("/") if part and part != "."])
        fault = None
        if name.startswith("/"):
            fault = "is absolute"
        elif ".." in parts:
            fault = "leaves its folder"
        elif "\0" in name or len(name) > PATH_LIMIT_CHARACTERS:
            fault = "is no path of a Linux system"
        if fault:
            raise BareboatError(f"{self._name}: the name {name[:80]!r} {fault}")
        return parts

    def _walk(self, parts: Iterable[str]) -> Node | None:
        node: Node | None = self._root
        for part in parts:
            node = node.children.get(part) if node else None
        return node

    def _white_out(self, parts: tuple[str, ...]) -> None:
        name = parts[-1]
        hidden = name.removeprefix(WHITEOUT)
        if hidden in {"", ".", ".."}:
            raise BareboatError(f"{self._name}: the whiteout {'/'.join(parts)!r} names nothing")
        if name.startswith(AUFS_NOTES) and name != OPAQUE:
            return
        folder: Node | None = self._own_root()
        for part in parts[:-1]:
            folder = self._own(folder, part) if folder else None
        if folder is None:
            return
        for gone in tuple(folder.children) if name == OPAQUE else (hidden,):
            self._drop(folder.children.pop(gone, None))

    def _place(self, number: int, folder: Node, parts: tuple[str, ...], header: Header, sha256: str) -> None:
        node = self._make_node(number, "/".join(parts), header, sha256)
        before = self._own(folder, parts[-1])
        if before and before.layer == number and not (before.is_directory and node.is_directory):
            raise BareboatError(f"{self._name}: {node.file.path!r} is named twice in one layer")
        if before and before.is_directory and node.is_directory:
            node.children = before.children
        else:
            self._drop(before)
        self.file_count += not node.is_directory
        folder.children[parts[-1]] = node

    def _make_folder(self, number: int, parts: tuple[str, ...]) -> Node:
        folder = self._own_root()
        for depth, part in enumerate(parts[:-1], start=1):
            child = self._own(folder, part)
            if child is None or (not child.is_directory and child.layer != number):
                self._drop(child)
                made = Node(file=make_directory("/".join(parts[:depth])), layer=number, owner=self._owner)
                child = folder.children[part] = self._count(made)
            elif not child.is_directory:
                path = "/".join(parts[:depth])
                raise BareboatError(f"{self._name}: {'/'.join(parts)!r} goes through {path!r}, a {child.file.kind}")
            child.layer = number
            folder = child
        return folder

    def _own_root(self) -> Node:
        self._root = self._owned(self._root)
        return self._root

    def _own(self, folder: Node, part: str) -> Node | None:
        """What a folder of this tree has by that name, as a node that this tree may change."""
        child = folder.children.get(part)
        if child is None or child.owner is self._owner:
            return child
        child = folder.children[part] = self._owned(child)
        return child

    def _owned(self, node: Node) -> Node:
        if node.owner is self._owner:
            return node
        return replace(node, owner=self._owner, children=dict(node.children))

    def _drop(self, node: Node | None) -> None:
        """Count an entry that is no longer there, and what was below it."""
        if node is not None:
            self.file_count -= sum(not gone.is_directory for gone in (node, *below(node)))

    def _make_node(self, number: int, path: str, header: Header, sha256: str) -> Node:
        if header.kind == "hardlink":
            return self._count(self._make_hard_link(number, path, header))
        if header.kind == "symlink" and not 0 < len(header.link) <= PATH_LIMIT_CHARACTERS:
            raise BareboatError(f"{self._name}: the symlink {path!r} has a target of {len(header.link)} characters")
        file = File(
            path=path,
            kind=header.kind,
            mode=header.mode,
            uid=header.uid,
            gid=header.gid,
            size_bytes=header.size_bytes,
            sha256=sha256,
            target=header.link if header.kind == "symlink" else "",
        )
        content = Extent(layer=number, offset=header.offset, size_bytes=header.size_bytes) if sha256 else None
        return self._count(Node(file=file, layer=number, owner=self._owner, content=content))

    def _make_hard_link(self, number: int, path: str, header: Header) -> Node:
        target = "/".join(self._split(header.link))
        node = self._walk(target.split("/"))
        if node is None or node.is_directory or target == path:
            raise BareboatError(f"{self._name}: {path!r} is a hard link to {target!r}, which is no file before it")
        if node.content is None:  # a hard link to a symlink, device or pipe counts as another symlink, device or pipe
            return Node(file=replace(node.file, path=path), layer=number, owner=self._owner)
        return Node(
            file=replace(node.file, path=path, kind="hardlink", size_bytes=0, target=target),
            layer=number,
            owner=self._owner,
            content=node.content,
        )

    def _count(self, node: Node) -> Node:
        self._nodes += 1
        self._characters += len(node.file.path)
        if self._characters > PATHS_LIMIT_CHARACTERS:
            raise BareboatError(f"{self._name}: its paths are longer than Bareboat reads")
        if self._nodes > NODE_LIMIT:
            raise BareboatError(f"{self._name}: more than {NODE_LIMIT} files, more than Bareboat reads")
        return node
