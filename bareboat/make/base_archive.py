"""Keeps a base's image as an archive, so that each base is read out of the store and compressed once in its life."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

from bareboat.archive import KnownLayers, open_image

if TYPE_CHECKING:
    from pathlib import Path

    from bareboat.archive import Image
    from bareboat.make.context import JobContext, RootImage
    from bareboat.plan.jobs import RootJob
    from bareboat.system.folders import Folders

_DIGITS = 16
_UNUSED_SECONDS = 24 * 3600.0


def keep_base(context: JobContext, job: RootJob, root: RootImage) -> None:
    """Have the base's archive on disk, and what is known of its layers; older archives of it go."""
    archive = _place(context, job, root)
    if archive.is_file():
        archive.touch()
        return
    archive.parent.mkdir(parents=True, exist_ok=True)
    for old in archive.parent.glob(f"{job.name}@*"):
        # Another run, with other recipes, may read it just now.
        if time.time() - old.stat().st_mtime > _UNUSED_SECONDS:
            old.unlink(missing_ok=True)
    context.engine.save(root.image, archive)
    context.bases.forget(archive)
    for layer in _open(context, archive).layers:
        layer.gzip_bytes()


def open_base(context: JobContext, job: RootJob, root: RootImage) -> Image:
    """The base's image as `keep_base` keeps it, one for all cells of a run that stand on it."""
    keep_base(context, job, root)
    return _open(context, _place(context, job, root))


def find_base(folders: Folders, name: str, digest: str) -> Image | None:
    """The image of the base of that name (its job's) and digest, where an earlier run left it on disk."""
    archive = _archive(folders, name, digest)
    return open_image(archive, known=_known_in(folders)) if archive.is_file() else None


def known_layers(context: JobContext) -> KnownLayers:
    """What is known of the layers of bases and of images made before."""
    return _known_in(context.folders)


def _known_in(folders: Folders) -> KnownLayers:
    return KnownLayers(folder=folders.roots / "layers")


def _open(context: JobContext, archive: Path) -> Image:
    return context.bases.get(archive, partial(open_image, archive, known=known_layers(context)))


def _place(context: JobContext, job: RootJob, root: RootImage) -> Path:
    return _archive(context.folders, job.name, root.source.digest)


def _archive(folders: Folders, name: str, digest: str) -> Path:
    # No name of a recipe has an @, so one base's files are never taken for another's.
    return folders.roots / "bases" / f"{name}@{digest.removeprefix('sha256:')[:_DIGITS]}.tar"
