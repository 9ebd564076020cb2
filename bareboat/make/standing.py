"""What an earlier run made and what still is as it was: looked up here, while nothing is made.

Beside each root and each program lies a record of what it came from.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError

from bareboat.errors import BareboatError
from bareboat.inputs.base import Debian
from bareboat.inputs.lock import Pinned, moved, pinned_reference, pins_of
from bareboat.make.context import Program, RootImage
from bareboat.plan.keys import pins_key, program_key, root_key, source_key
from bareboat.result.values import Source
from bareboat.system.files import write_whole

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bareboat.make.context import Known
    from bareboat.plan.jobs import Cell, ProgramJob, RootJob

_TOLD = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class RootRecord:
    """What an image of the store was made of."""

    packages: tuple[Pinned, ...]
    locked: dict[str, str]  # the lock's entry at that time
    image_id: str = ""  # the image's; "" in records of versions that did not keep it


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramRecord:
    """What is known of a compiled program."""

    sha256: str
    seconds: float | None
    warm: bool | None
    crates: tuple[str, ...] | None = None  # those that it may be linked with, by name; None where that is not known
    large_file_names: tuple[str, ...] = ()  # as `Program` has them


_ROOT = TypeAdapter(RootRecord)
_PROGRAM = TypeAdapter(ProgramRecord)


def find_root(known: Known, job: RootJob) -> RootImage | None:
    """The job's image where the store has it as asked for; None where it is to be made or pulled."""
    if known.renew:
        return None
    if job.source == "registry":
        return _find_pulled(known, job)
    record = _read_root(known, job)
    stored = known.images.find(job.reference)
    if record is None or stored is None or record.image_id != stored:
        return None
    # Where the archive has moved past the lock, a new try would bring the same packages again: once is enough.
    locked = known.lock.bootstrap.get(job.id, {})
    if record.locked != locked and moved(known.lock, job.id, record.packages):
        return None
    return bootstrapped(known, job, record, made=False)


def keep_root(known: Known, job: RootJob, record: RootRecord) -> RootImage:
    """Keep the record of an image that was made, and hand the image on."""
    write_whole(_root_file(known, job), _ROOT.dump_json(record, indent=1))
    return bootstrapped(known, job, record, made=True)


def bootstrapped(known: Known, job: RootJob, record: RootRecord, *, made: bool) -> RootImage:
    """An image made from packages; raises BareboatError where they moved past the lock and the run is to be locked."""
    changes = moved(known.lock, job.id, record.packages)
    if changes and known.locked:
        listed = "\n".join(f"  {change}" for change in changes)
        raise BareboatError(f"{job.id} is not as locked:\n{listed}\n  `invoke lock` pins what there is now")
    note = f"{len(record.packages)} packages" if made else ""
    if changes:
        more = f" and {len(changes) - _TOLD} more" if len(changes) > _TOLD else ""
        note += f"; moved since the lock: {', '.join(changes[:_TOLD])}{more} (`invoke lock` pins them)"
    names = tuple(f"{package.name}={package.version}" for package in record.packages)
    source = Source(kind="bootstrap", reference=job.reference, digest=record.image_id, packages=names)
    return RootImage(
        status="built" if made else "unchanged",
        note=note.removeprefix("; "),
        reference=job.reference,
        source=source,
        packages=record.packages,
        key=bootstrap_key(known.recipes, job),
        pins=pins_key(pins_of(record.packages)),
    )


def bootstrap_key(recipes: Path, job: RootJob) -> str:
    """The key of a root that is made from packages; `recipes` is the folder of the recipes."""
    script = ""
    if isinstance(job.bootstrap, Debian) and job.bootstrap.script:
        folder = recipes / "toolchains" if job.role == "toolchain" else recipes
        script = (folder / job.bootstrap.script).read_text(encoding="utf-8")
    return root_key(job.bootstrap, script)


def find_program(known: Known, job: ProgramJob, toolchain: RootImage) -> Program | None:
    """The compiled program where it is on disk, of the same sources, toolchain and flags, and undamaged."""
    if known.force:
        return None
    folder = program_folder(known, job, toolchain)
    try:
        record = _PROGRAM.validate_json((folder / "record.json").read_bytes())
        content = (folder / "program").read_bytes()
    except (OSError, ValidationError):
        return None
    if hashlib.sha256(content).hexdigest() != record.sha256:
        return None
    return _program(folder, record, toolchain, made=False)


def keep_program(known: Known, job: ProgramJob, toolchain: RootImage, content: bytes, record: ProgramRecord) -> Program:
    """Keep a program that was compiled, and hand it on."""
    folder = program_folder(known, job, toolchain)
    write_whole(folder / "program", content, mode=0o755)
    write_whole(folder / "record.json", _PROGRAM.dump_json(record))
    return _program(folder, record, toolchain, made=True)


def program_folder(known: Known, job: ProgramJob, toolchain: RootImage) -> Path:
    """Where a compiled program and its record lie."""
    return known.folders.programs / program_key(job, toolchain.reference, toolchain.source.digest)


def find_image_key(known: Known, cell: Cell, program: Program, roots: Mapping[RootJob, RootImage]) -> str:
    """The key of the image that a cell came to when it was made of the same last; "" where it never was."""
    try:
        return _image_key_file(known, cell, program, roots).read_text(encoding="ascii")
    except OSError:
        return ""


def keep_image_key(
    known: Known, cell: Cell, program: Program, roots: Mapping[RootJob, RootImage], image_key: str
) -> None:
    """Keep what a cell came to, so that the next run need not gather it to know."""
    if find_image_key(known, cell, program, roots) != image_key:
        write_whole(_image_key_file(known, cell, program, roots), image_key.encode())


def _image_key_file(known: Known, cell: Cell, program: Program, roots: Mapping[RootJob, RootImage]) -> Path:
    digests = {job: root.source.digest for job, root in roots.items()}
    return known.folders.images / source_key(cell, program.sha256, digests)


def _program(folder: Path, record: ProgramRecord, toolchain: RootImage, *, made: bool) -> Program:
    return Program(
        status="built" if made else "unchanged",
        note="on what an earlier compile left" if record.warm and made else "",
        path=folder / "program",
        sha256=record.sha256,
        seconds=record.seconds,
        warm=record.warm,
        crates=record.crates,
        large_file_names=record.large_file_names,
        toolchain=toolchain,
        key=folder.name,
    )


def _find_pulled(known: Known, job: RootJob) -> RootImage | None:
    wanted = pinned_reference(job.reference, known.lock.registry.get(job.reference))
    # What no digest pins may have moved in its registry.
    if "@" not in wanted or known.images.find(wanted) is None:
        return None
    return pulled(job, wanted.partition("@")[2], made=False)


def pulled(job: RootJob, digest: str, *, made: bool) -> RootImage:
    """An image of a registry, of that digest."""
    return RootImage(
        status="built" if made else "unchanged",
        note="pulled" if made else "",
        reference=pinned_reference(job.reference, digest),
        source=Source(kind="registry", reference=job.reference, digest=digest),
        packages=(),
    )


def _read_root(known: Known, job: RootJob) -> RootRecord | None:
    try:
        return _ROOT.validate_json(_root_file(known, job).read_bytes())
    except (OSError, ValidationError):
        return None


def _root_file(known: Known, job: RootJob) -> Path:
    return known.folders.roots / f"{bootstrap_key(known.recipes, job)}.json"
