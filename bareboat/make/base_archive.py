"""Keeps a base's image as an archive, so that each base is read out of the store and compressed once in its life."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError

from bareboat.archive import open_image
from bareboat.system.files import write_whole

if TYPE_CHECKING:
    from pathlib import Path

    from bareboat.archive import Image
    from bareboat.make.context import JobContext, RootImage
    from bareboat.plan.jobs import RootJob

_SIZES: TypeAdapter[dict[str, int]] = TypeAdapter(dict[str, int])
_DIGITS = 16


def keep_base(context: JobContext, job: RootJob, root: RootImage) -> None:
    """Have the base's archive on disk, and beside it what its layers weigh compressed; older ones of it go."""
    archive, sizes = _places(context, job, root)
    if archive.is_file() and sizes.is_file():
        return
    archive.parent.mkdir(parents=True, exist_ok=True)
    for old in archive.parent.glob(f"{job.name}@*"):
        old.unlink(missing_ok=True)
    context.engine.save(root.reference, archive)
    weights = {layer.diff_id: layer.compressed_bytes() for layer in open_image(archive).layers}
    write_whole(sizes, _SIZES.dump_json(weights))


def open_base(context: JobContext, job: RootJob, root: RootImage) -> Image:
    """The base's image as `keep_base` keeps it."""
    keep_base(context, job, root)
    archive, sizes = _places(context, job, root)
    try:
        weights = _SIZES.validate_json(sizes.read_bytes())
    except (OSError, ValidationError):
        weights = {}
    return open_image(archive, gzip_bytes=weights)


def _places(context: JobContext, job: RootJob, root: RootImage) -> tuple[Path, Path]:
    # No name of a recipe has an @, so one base's files are never taken for another's.
    stem = f"{job.name}@{root.source.digest.removeprefix('sha256:')[:_DIGITS]}"
    folder = context.folders.roots / "bases"
    return folder / f"{stem}.tar", folder / f"{stem}.json"
