"""Keeps a base's image as an archive, so that each base is read out of the store and compressed once in its life."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bareboat.archive import KnownLayers, open_image

if TYPE_CHECKING:
    from pathlib import Path

    from bareboat.archive import Image
    from bareboat.make.context import JobContext, RootImage
    from bareboat.plan.jobs import RootJob

_DIGITS = 16


@dataclass(frozen=True, slots=True)
class OpenBases:
    """The bases that a run has opened: the cells that stand on one share it."""

    _images: dict[Path, Image] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def open(self, archive: Path, known: KnownLayers) -> Image:
        """The image of an archive, opened anew only where the archive is not the one that was opened."""
        with self._lock:
            image = self._images.get(archive)
            if image is None:
                image = self._images[archive] = open_image(archive, known=known)
            return image

    def forget(self, archive: Path) -> None:
        """Open the archive anew when it is asked for again."""
        with self._lock:
            self._images.pop(archive, None)


def keep_base(context: JobContext, job: RootJob, root: RootImage) -> None:
    """Have the base's archive on disk, and what is known of its layers; older archives of it go."""
    archive = _place(context, job, root)
    if archive.is_file():
        return
    archive.parent.mkdir(parents=True, exist_ok=True)
    for old in archive.parent.glob(f"{job.name}@*"):
        old.unlink(missing_ok=True)
    context.engine.save(root.reference, archive)
    context.bases.forget(archive)
    for layer in context.bases.open(archive, known_layers(context)).layers:
        layer.compressed_bytes()


def open_base(context: JobContext, job: RootJob, root: RootImage) -> Image:
    """The base's image as `keep_base` keeps it, the same for all of a run."""
    keep_base(context, job, root)
    return context.bases.open(_place(context, job, root), known_layers(context))


def known_layers(context: JobContext) -> KnownLayers:
    """What is known of the layers of bases and of images made before."""
    return KnownLayers(folder=context.folders.roots / "layers")


def _place(context: JobContext, job: RootJob, root: RootImage) -> Path:
    # No name of a recipe has an @, so one base's files are never taken for another's.
    name = f"{job.name}@{root.source.digest.removeprefix('sha256:')[:_DIGITS]}.tar"
    return context.folders.roots / "bases" / name
