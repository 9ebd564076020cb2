"""What comes aboard a cell's image beside the program: fetched from its sources, checked, each file with its package.

A copy of an image's files is kept on disk by the image's digest, so that an image is asked once.
"""

from __future__ import annotations

import hashlib
import posixpath
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from bareboat.archive import Entry, read_copied, stays_inside
from bareboat.closure.owners import DATABASES, Owner, Owners, read_owners
from bareboat.errors import BareboatError, EngineError, StoppedError
from bareboat.system.files import write_whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bareboat.inputs.recipe import Copy
    from bareboat.make.context import RootImage, Workshop
    from bareboat.plan.jobs import Aboard, Cell, RootJob


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One entry for the image: which copy of the recipe brings it (from 0), and the package that has it there."""

    entry: Entry
    number: int
    copy: Copy
    owner: Owner | None = None


def fetch_aboard(workshop: Workshop, cell: Cell, roots: Mapping[RootJob, RootImage]) -> tuple[Item, ...]:
    """Everything that comes aboard, in the recipe's order. Raises BareboatError naming the copy that cannot be made."""
    items: list[Item] = []
    for number, one in enumerate(cell.aboard):
        try:
            for entry, owner in _fetch(workshop, one, roots):
                items.append(Item(entry=_owned(entry, one.copy.owner), number=number, copy=one.copy, owner=owner))
        except StoppedError:
            raise
        except BareboatError as error:
            raise BareboatError(f"recipe '{cell.recipe.name}': the copy to {one.copy.to}: {error}") from error
    return tuple(items)


def owners_in(workshop: Workshop, root: RootImage) -> Owners:
    """Which package owns which file of an image; nothing is known of one without a package database."""
    files: dict[str, bytes] = {}
    for path in dict.fromkeys(path.rpartition("/")[0] if "*" in path else path for path in DATABASES):
        tar = _copied(workshop, root, f"/{path}", absent=b"")
        entries = read_copied(tar, path) if tar else ()
        files |= {posixpath.join(path, one.path).rstrip("/"): one.content for one in entries if one.kind == "file"}
    return read_owners(files)


def _fetch(workshop: Workshop, one: Aboard, roots: Mapping[RootJob, RootImage]) -> Iterator[tuple[Entry, Owner | None]]:
    copy, target = one.copy, one.copy.to.strip("/")
    if one.source is None:
        content = (copy.text or "").encode()
        kind: Literal["directory", "file"] = "directory" if copy.is_folder else "file"
        yield Entry(path=target, kind=kind, mode=copy.permissions or 0, content=content), None
        return
    root, path = roots[one.source], copy.path or ""
    entries = read_copied(_copied(workshop, root, path), f"{copy.source} {path}")
    if (entries[0].kind == "directory") != copy.is_folder:
        kind_found = f"is a {entries[0].kind}; of a folder, and of nothing else, `path` and `to` end with a slash"
        raise BareboatError(f"{copy.source} {path} {kind_found}")
    owners = None if one.source.role == "package" else owners_in(workshop, root)
    for entry in entries:
        # The folder itself gets what a COPY gives it.
        mode = 0o755 if copy.is_folder and not entry.path else copy.permissions or entry.mode
        owner = owners.of(posixpath.join(path, entry.path)) if owners else _package(root, one.source)
        placed = replace(entry, path=posixpath.join(target, entry.path).rstrip("/"), mode=mode)
        if not stays_inside(placed):
            raise BareboatError(f"/{placed.path} would be a link to {placed.target}, out of the image")
        yield placed, owner


def _owned(entry: Entry, owner: str) -> Entry:
    user, _, group = owner.partition(":")
    return replace(entry, uid=int(user), gid=int(group))


def _package(root: RootImage, job: RootJob) -> Owner | None:
    return next((Owner(name=one.name, version=one.version) for one in root.packages if one.name == job.name), None)


def _copied(workshop: Workshop, root: RootImage, path: str, *, absent: bytes | None = None) -> bytes:
    """The tar of a file or folder of an image, kept on disk; `absent` is what is kept where there is none."""
    name = hashlib.sha256(f"{root.source.digest}\0{path}".encode()).hexdigest()
    kept = workshop.folders.roots / "copied" / f"{name}.tar"
    if kept.is_file():
        return kept.read_bytes()
    try:
        tar = workshop.engine.copy_out(root.reference, path)
    except BareboatError as error:
        if absent is None or isinstance(error, EngineError | StoppedError):
            raise
        tar = absent
    write_whole(kept, tar)
    return tar
