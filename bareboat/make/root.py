"""Makes the images to build on, bases and toolchains: pulled from a registry, or made from packages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError

from bareboat.archive import ImageConfig, wrap_layer
from bareboat.bootstrap import make_root_filesystem, remove_scratch
from bareboat.engine.images import KEY_LABEL, KIND_LABEL
from bareboat.errors import BareboatError
from bareboat.inputs.base import Debian
from bareboat.inputs.lock import Pinned, moved, pinned_reference
from bareboat.make.base_archive import keep_base
from bareboat.make.context import JobContext, RootImage
from bareboat.plan.keys import root_key
from bareboat.result.values import Source
from bareboat.system.files import write_whole

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bareboat.bootstrap import RootFilesystem
    from bareboat.engine.images import StoredImage
    from bareboat.plan.jobs import RootJob

PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
CERTIFICATES = "SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt"
_TOLD = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class _Manifest:
    """What an image in the store was made of."""

    packages: tuple[Pinned, ...]
    locked: dict[str, str]  # the lock's entry at that time


_MANIFEST = TypeAdapter(_Manifest)


def make_root(context: JobContext, job: RootJob) -> RootImage:
    """Have the job's image in the store, made or pulled only when it is not there as asked for."""
    root = _pull(context, job) if job.source == "registry" else _bootstrap(context, job)
    if job.role == "base":
        keep_base(context, job, root)
    return root


def _pull(context: JobContext, job: RootJob) -> RootImage:
    wanted = pinned_reference(job.reference, context.lock.registry.get(job.reference))
    stored = context.engine.image(wanted) if "@" in wanted else None
    image = stored or context.engine.pull(wanted)
    return RootImage(
        status="unchanged" if stored else "built",
        note="" if stored else "pulled",
        reference=pinned_reference(job.reference, image.digest),
        source=Source(kind="registry", reference=job.reference, digest=image.digest),
        packages=(),
    )


def _bootstrap(context: JobContext, job: RootJob) -> RootImage:
    key = _key(context, job)
    path = context.folders.roots / f"{key}.json"
    locked = context.lock.bootstrap.get(job.id, {})
    stored = context.engine.image(job.reference)
    known = _read_manifest(path) if stored and stored.labels.get(KEY_LABEL) == key else None
    if stored and known and not context.renew and _is_current(context, job, known, locked):
        return _root_image(context, job, stored, known.packages, built=False)
    folder = context.folders.bootstrap / job.id.replace(" ", "-")
    try:
        made = _make_filesystem(context, job, folder)
        moved(context.lock, job.id, made.packages)
        _load(context, job, made, key, folder)
    finally:
        remove_scratch(folder, context.processes)
    write_whole(path, _MANIFEST.dump_json(_Manifest(packages=made.packages, locked=locked), indent=1))
    loaded = context.engine.image(job.reference)
    if loaded is None:
        raise BareboatError(f"{job.reference} was loaded, yet the store does not have it")
    return _root_image(context, job, loaded, made.packages, built=True)


def _is_current(context: JobContext, job: RootJob, known: _Manifest, locked: dict[str, str]) -> bool:
    # Where the archive has moved past the lock, a new try would bring the same packages again: once is enough.
    return known.locked == locked or not moved(context.lock, job.id, known.packages)


def _key(context: JobContext, job: RootJob) -> str:
    script = ""
    if isinstance(job.bootstrap, Debian) and job.bootstrap.script:
        script = (context.recipes / "toolchains" / job.bootstrap.script).read_text(encoding="utf-8")
    return root_key(job.bootstrap, script)


def _make_filesystem(context: JobContext, job: RootJob, folder: Path) -> RootFilesystem:
    # World-traversable, because mmdebstrap's user namespace is another user on the way to its folder.
    for path in (context.folders.bootstrap, folder):
        path.mkdir(mode=0o711, exist_ok=True)
        path.chmod(0o711)
    if job.bootstrap is None:
        raise BareboatError(f"{job.id} names no bootstrap")
    return make_root_filesystem(
        job.bootstrap,
        folder=folder,
        recipes=context.recipes / "toolchains" if job.role == "toolchain" else context.recipes,
        processes=context.processes,
        log=context.log(job.id),
    )


def _load(context: JobContext, job: RootJob, made: RootFilesystem, key: str, folder: Path) -> None:
    config = ImageConfig(
        env=(PATH,) if job.role == "toolchain" else (PATH, CERTIFICATES),
        labels={KIND_LABEL: job.role, KEY_LABEL: key},
        architecture=context.host.architecture,
    )
    archive = folder / "image.tar"
    wrap_layer(made.tar, config, reference=job.reference, to=archive)
    made.tar.unlink()
    context.engine.load(archive)


def _root_image(
    context: JobContext, job: RootJob, stored: StoredImage, packages: Sequence[Pinned], *, built: bool
) -> RootImage:
    changes = moved(context.lock, job.id, packages)
    if changes and context.locked:
        listed = "\n".join(f"  {change}" for change in changes)
        raise BareboatError(f"{job.id} is not as locked:\n{listed}\n  `invoke lock` pins what there is now")
    note = f"{len(packages)} packages" if built else ""
    if changes:
        more = f" and {len(changes) - _TOLD} more" if len(changes) > _TOLD else ""
        note += f"; moved since the lock: {', '.join(changes[:_TOLD])}{more} (`invoke lock` pins them)"
    names = tuple(f"{package.name}={package.version}" for package in packages)
    source = Source(kind="bootstrap", reference=job.reference, digest=stored.id, packages=names)
    return RootImage(
        status="built" if built else "unchanged",
        note=note.removeprefix("; "),
        reference=job.reference,
        source=source,
        packages=tuple(packages),
    )


def _read_manifest(path: Path) -> _Manifest | None:
    try:
        return _MANIFEST.validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None
