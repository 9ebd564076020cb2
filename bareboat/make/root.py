"""Makes the images to build on, bases and toolchains: pulled from a registry, or made from packages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bareboat.archive import ImageConfig, wrap_layer
from bareboat.bootstrap import make_root_filesystem, remove_scratch
from bareboat.engine.images import KEY_LABEL, KIND_LABEL
from bareboat.errors import BareboatError
from bareboat.inputs.lock import moved, pinned_reference
from bareboat.make.base_archive import keep_base
from bareboat.make.standing import RootRecord, bootstrap_key, keep_root, pulled
from bareboat.system.folders import make_passage

if TYPE_CHECKING:
    from pathlib import Path

    from bareboat.bootstrap import RootFilesystem
    from bareboat.make.context import JobContext, RootImage
    from bareboat.plan.jobs import RootJob

PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
CERTIFICATES = "SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt"


def make_root(context: JobContext, job: RootJob) -> RootImage:
    """Put the job's image into the store, pulled or made; a base also lies on disk afterwards, to be built upon."""
    root = _pull(context, job) if job.source == "registry" else _bootstrap(context, job)
    if job.role == "base":
        keep_base(context, job, root)
    return root


def _pull(context: JobContext, job: RootJob) -> RootImage:
    wanted = pinned_reference(job.reference, context.lock.registry.get(job.reference))
    return pulled(job, context.engine.pull(wanted).digest, made=True)


def _bootstrap(context: JobContext, job: RootJob) -> RootImage:
    folder = context.folders.bootstrap / job.id.replace(" ", "-")
    try:
        made = _make_filesystem(context, job, folder)
        moved(context.lock, job.id, made.packages)
        image_id = _load(context, job, made, folder)
    finally:
        remove_scratch(folder, context.processes)
    locked = context.lock.bootstrap.get(job.id, {})
    return keep_root(context, job, RootRecord(packages=tuple(made.packages), locked=locked, image_id=image_id))


def _make_filesystem(context: JobContext, job: RootJob, folder: Path) -> RootFilesystem:
    # World-traversable, because mmdebstrap's user namespace is another user on the way to its folder.
    for path in (context.folders.bootstrap, folder):
        make_passage(path)
    if job.bootstrap is None:
        raise BareboatError(f"{job.id} names no bootstrap")
    return make_root_filesystem(
        job.bootstrap,
        folder=folder,
        recipes=context.recipes / "toolchains" if job.role == "toolchain" else context.recipes,
        processes=context.processes,
        log=context.log(job.id),
    )


def _load(context: JobContext, job: RootJob, made: RootFilesystem, folder: Path) -> str:
    config = ImageConfig(
        env=(PATH,) if job.role == "toolchain" else (PATH, CERTIFICATES),
        labels={KIND_LABEL: job.role, KEY_LABEL: bootstrap_key(context.recipes, job)},
        architecture=context.host.architecture,
    )
    archive = folder / "image.tar"
    written = wrap_layer(made.tar, config, reference=job.reference, to=archive)
    made.tar.unlink()
    context.engine.load(archive)
    return written.image_id
