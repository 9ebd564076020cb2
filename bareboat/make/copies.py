"""What comes aboard a cell's image beside the program: fetched from its sources, checked, each file with its package.

What was copied out of an image is kept on disk under the image's digest, so that each image is asked once.
"""

from __future__ import annotations

import hashlib
import posixpath
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from bareboat.archive import Entry, read_copied, stays_inside
from bareboat.closure.owners import DATABASES, Owner, Owners, dump_owners, load_owners, read_owners
from bareboat.errors import AbsentError, BareboatError, StoppedError
from bareboat.system.files import write_whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from bareboat.inputs.recipe import Copy
    from bareboat.make.context import JobContext, Program, RootImage
    from bareboat.plan.jobs import PlannedCopy, ProgramJob, RootJob


# Raised when what was kept may be wrong: what a fault of the engine left as empty is not believed.
_VERSION = "2"
# Two blocks of zeros are the end of every tar (pax(1)), so that one without is only a part.
_TAR_END = bytes(1024)


@dataclass(frozen=True, slots=True, kw_only=True)
class CopiedEntry:
    """One entry for the image, and where it comes from."""

    entry: Entry
    number: int  # which copy of the recipe brings it, from 0
    copy: Copy
    owner: Owner | None = None  # of what a copy names, not of what is below it: the package that its source has it from


def fetch_copies(
    context: JobContext,
    recipe: str,
    copies: Sequence[PlannedCopy],
    roots: Mapping[RootJob, RootImage],
    crew: Mapping[ProgramJob, Program] = MappingProxyType({}),
    *,
    first: int = 0,
) -> tuple[CopiedEntry, ...]:
    """Everything that comes aboard, in the recipe's order, the copies numbered from `first`.

    `roots` are the images that it is copied from, `crew` the programs of our own that are among it.

    Raises BareboatError naming the copy that cannot be made.
    """
    items: list[CopiedEntry] = []
    for number, planned in enumerate(copies, first):
        copy = planned.copy
        try:
            program = crew[planned.program] if planned.program else None
            for entry, owner in _read(planned, program) if program else _fetch(context, planned, roots):
                items.append(CopiedEntry(entry=_owned(entry, copy.owner), number=number, copy=copy, owner=owner))
        except StoppedError:
            raise
        except BareboatError as error:
            raise BareboatError(f"recipe '{recipe}': the copy to {copy.to}: {error}") from error
    return tuple(items)


def owners_in(context: JobContext, root: RootImage) -> Owners:
    """Which package owns which file of an image; nothing is known of one without a package database."""
    return context.owners.get(root.source.digest, partial(_find_owners, context, root))


def _find_owners(context: JobContext, root: RootImage) -> Owners:
    # Reading the databases of a whole Debian takes ten times as long as reading what they said.
    place = _kept(context, root, "all.owners")
    known = load_owners(place.read_bytes()) if place.is_file() else None
    if known is None:
        known = _read_owners(context, root)
        write_whole(place, dump_owners(known))
    return known


def _read_owners(context: JobContext, root: RootImage) -> Owners:
    files: dict[str, bytes] = {}
    for path in dict.fromkeys(path.rpartition("/")[0] if "*" in path else path for path in DATABASES):
        tar = _copied(context, root, f"/{path}", absent=b"")
        entries = read_copied(tar, path) if tar else ()
        files |= {
            posixpath.join(path, entry.path).rstrip("/"): entry.content for entry in entries if entry.kind == "file"
        }
    return read_owners(files)


def _read(planned: PlannedCopy, program: Program) -> Iterator[tuple[Entry, Owner | None]]:
    """A program of our own, which is compiled."""
    mode, content = planned.copy.permissions or 0o755, program.path.read_bytes()
    owner = Owner(name=planned.program.sample.name, version="") if planned.program else None
    yield Entry(path=planned.copy.to.strip("/"), mode=mode, content=content), owner


def _fetch(
    context: JobContext, planned: PlannedCopy, roots: Mapping[RootJob, RootImage]
) -> Iterator[tuple[Entry, Owner | None]]:
    copy, target = planned.copy, planned.copy.to.strip("/")
    if planned.source is None:
        content = (copy.text or "").encode()
        kind: Literal["directory", "file"] = "directory" if copy.is_folder else "file"
        yield Entry(path=target, kind=kind, mode=copy.permissions or 0, content=content), None
        return
    root, path = roots[planned.source], copy.path or ""
    entries = read_copied(_copied(context, root, path), f"{copy.source} {path}")
    if (entries[0].kind == "directory") != copy.is_folder:
        kind_found = f"is a {entries[0].kind}; of a folder, and of nothing else, `path` and `to` end with a slash"
        raise BareboatError(f"{copy.source} {path} {kind_found}")
    is_package = planned.source.role == "package"
    owner = _package(root, planned.source) if is_package else owners_in(context, root).of(path)
    for entry in entries:
        # A Containerfile's COPY makes the folder itself with 0755, whatever the source's mode is.
        mode = 0o755 if copy.is_folder and not entry.path else copy.permissions or entry.mode
        placed = replace(entry, path=posixpath.join(target, entry.path).rstrip("/"), mode=mode)
        if not stays_inside(placed):
            raise BareboatError(f"/{placed.path} would be a link to {placed.target}, out of the image")
        yield placed, None if entry.path else owner


def _owned(entry: Entry, owner: str) -> Entry:
    user, _, group = owner.partition(":")
    return replace(entry, uid=int(user), gid=int(group))


def _package(root: RootImage, job: RootJob) -> Owner | None:
    packages = (package for package in root.packages if package.name == job.name)
    return next((Owner(name=package.name, version=package.version) for package in packages), None)


def _kept(context: JobContext, root: RootImage, what: str) -> Path:
    """Where something of an image is kept."""
    name = hashlib.sha256(f"{_VERSION}\0{root.source.digest}\0{what}".encode()).hexdigest()
    return context.folders.roots / "copied" / f"{name}{posixpath.splitext(what)[1]}"


def _copied(context: JobContext, root: RootImage, path: str, *, absent: bytes | None = None) -> bytes:
    """The tar of a file or folder of an image, kept on disk; `absent` is what is kept where there is none."""
    kept = _kept(context, root, f"{path}.tar")
    if kept.is_file():
        return kept.read_bytes()
    try:
        tar = context.engine.copy_out(root.image, path)
        if not tar.endswith(_TAR_END):
            raise BareboatError(f"{path} of {root.reference} was cut off while it was copied; try again")
    except AbsentError:
        if absent is None:
            raise
        tar = absent
    write_whole(kept, tar)
    return tar
