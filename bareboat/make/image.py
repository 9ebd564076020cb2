"""Makes a cell's image: one layer that we write ourselves, upon the base's layers where the cell has a base."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bareboat.archive import Entry, ImageConfig, open_image, write_image
from bareboat.engine.images import KEY_LABEL, KIND_LABEL
from bareboat.make.base_archive import known_layers, open_base
from bareboat.make.copies import fetch_copies
from bareboat.make.load import scratch_archive
from bareboat.plan.keys import image_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from bareboat.archive import Image
    from bareboat.make.context import JobContext, Outputs, Program, RootImage
    from bareboat.make.copies import CopiedEntry
    from bareboat.plan.jobs import Cell, RootJob
    from bareboat.result.values import Completed


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageContents:
    """All that a cell's image is made of."""

    cell: Cell
    program: Program
    roots: Mapping[RootJob, RootImage]  # the images that it stands on or copies from
    items: tuple[CopiedEntry, ...]  # what comes aboard beside the program
    completed: tuple[Completed, ...] = ()  # those of them that no recipe names, and that the program needs

    @property
    def key(self) -> str:
        """SHA-256 (hex) of all that goes into the image; of a from-scratch image, of its content and nothing else."""
        digests = {job: root.source.digest for job, root in self.roots.items()}
        return image_key(self.cell, self.program.sha256, digests, [item.entry for item in self.items])


def gather_contents(context: JobContext, cell: Cell, outputs: Outputs) -> ImageContents:
    """Everything for a cell's image, as the jobs before it made it."""
    roots = outputs.roots(cell)
    return ImageContents(
        cell=cell,
        program=outputs.program(cell.program),
        roots=roots,
        items=fetch_copies(context, cell.recipe.name, cell.copies, roots, outputs.crew(cell)),
    )


@contextlib.contextmanager
def ship_image(context: JobContext, contents: ImageContents) -> Iterator[Image]:
    """Have the cell's image in the store under its name, and readable for as long as the block runs.

    We assemble it ourselves, on a base too: far quicker than a build, and with the same id on every host.
    """
    name = contents.cell.image_name
    with assemble(context, contents) as (archive, image):
        if context.force or context.images.find(name) != image.id:
            context.engine.load(archive)
        yield image


@contextlib.contextmanager
def assemble(context: JobContext, contents: ImageContents) -> Iterator[tuple[Path, Image]]:
    """The cell's image as an archive that no store has yet, and readable, for as long as the block runs."""
    cell = contents.cell
    base = open_base(context, cell.base, contents.roots[cell.base]) if cell.base else None
    with scratch_archive(context.folders.scratch) as archive:
        write_image(image_entries(contents), image_config(contents), reference=cell.image_name, to=archive, base=base)
        yield archive, open_image(archive, base=base, known=known_layers(context))


def image_entries(contents: ImageContents, items: Sequence[CopiedEntry] | None = None) -> list[Entry]:
    """The program and what comes aboard beside it; `items` in place of all that does."""
    path = contents.cell.program_path.lstrip("/")
    program = Entry(path=path, mode=0o755, content=contents.program.path.read_bytes())
    return [program, *(item.entry for item in (contents.items if items is None else items))]


def image_config(contents: ImageContents) -> ImageConfig:
    """How the image runs, and its labels; what a base says besides stays as it is."""
    cell, runtime = contents.cell, contents.cell.recipe.runtime
    return ImageConfig(
        user=runtime.user,
        entrypoint=cell.entrypoint,
        healthcheck=cell.healthcheck,
        env=tuple(f"{name}={value}" for name, value in sorted(runtime.env.items())),
        labels={KIND_LABEL: "image", KEY_LABEL: contents.key},
        architecture=cell.program.platform.architecture,
    )
