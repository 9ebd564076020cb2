"""Archives on their way into the store and out of it: written, loaded or read, and gone afterwards."""

from __future__ import annotations

import contextlib
import secrets
from typing import TYPE_CHECKING

from bareboat.archive import open_image, write_image

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from bareboat.archive import Entry, Image, ImageConfig
    from bareboat.make.context import JobContext


@contextlib.contextmanager
def scratch_archive(folder: Path) -> Iterator[Path]:
    """The path of an archive that is to be written in `folder`; what is there after the block is removed."""
    archive = folder / f"{secrets.token_hex(8)}.tar"
    try:
        yield archive
    finally:
        archive.unlink(missing_ok=True)


def load_image(context: JobContext, entries: Iterable[Entry], config: ImageConfig, name: str) -> str:
    """Assemble an image of one layer, put it into the store under `name`, and return its id (`sha256:...`)."""
    with scratch_archive(context.folders.scratch) as archive:
        written = write_image(entries, config, reference=name, to=archive)
        context.engine.load(archive)
    return written.image_id


@contextlib.contextmanager
def saved_image(context: JobContext, image_id: str) -> Iterator[Image]:
    """An image of the store as a file that can be read, for as long as the block runs."""
    with scratch_archive(context.folders.scratch) as archive:
        context.engine.save(image_id, archive)
        yield open_image(archive)
