"""Makes a cell's image: assembled by ourselves where it starts from scratch, built by the engine on any other base."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bareboat.archive import Entry, ImageConfig
from bareboat.engine.images import KEY_LABEL, KIND_LABEL, OWN_NAMES, Build
from bareboat.make.copies import fetch_copies
from bareboat.make.load import load_image
from bareboat.plan.containerfile import render_containerfile
from bareboat.plan.keys import image_key

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bareboat.engine.images import StoredImage
    from bareboat.make.context import JobContext, Outputs, Program, RootImage
    from bareboat.make.copies import CopiedEntry
    from bareboat.plan.jobs import Cell, RootJob


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageContents:
    """All that a cell's image is made of."""

    cell: Cell
    program: Program
    roots: Mapping[RootJob, RootImage]  # the images that it stands on or copies from
    items: tuple[CopiedEntry, ...]  # what comes aboard beside the program

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
        items=fetch_copies(context, cell.recipe.name, cell.copies, roots),
    )


def image_name(cell: Cell) -> str:
    """What a cell's image is called in the store: `localhost/bareboat/hello-world:alpine`."""
    # Image names may not hold the plus sign that is in the names of variants and of recipes with more provisions.
    return f"{OWN_NAMES}{cell.sample.name}:{cell.recipe.name}".replace("+", "_")


def find_image(context: JobContext, contents: ImageContents) -> StoredImage | None:
    """The cell's image if the store has it with these very contents."""
    stored = context.engine.image(image_name(contents.cell))
    return stored if stored and stored.labels.get(KEY_LABEL) == contents.key else None


def have_image(context: JobContext, contents: ImageContents) -> str:
    """Have the cell's image in the store under its name, labelled with its key; returns its id."""
    stored = None if context.force else find_image(context, contents)
    if stored:
        return stored.id
    cell = contents.cell
    if cell.base is None:
        return load_image(context, image_entries(contents), image_config(contents), image_name(cell))
    toolchain = contents.program.toolchain
    references = {job: root.reference for job, root in contents.roots.items()}
    build = Build(
        containerfile=render_containerfile(
            cell, {**references, cell.program.toolchain: toolchain.reference}, toolchain.source.digest
        ),
        context=cell.sample.folder,
        tag=image_name(cell),
        labels={KIND_LABEL: "image", KEY_LABEL: contents.key},
    )
    return context.engine.build(build, context.log(f"image {cell.id}"))


def image_entries(contents: ImageContents, items: Sequence[CopiedEntry] | None = None) -> list[Entry]:
    """The program and what comes aboard beside it; `items` in place of all that does."""
    path = contents.cell.program_path.lstrip("/")
    program = Entry(path=path, mode=0o755, content=contents.program.path.read_bytes())
    return [program, *(item.entry for item in (contents.items if items is None else items))]


def image_config(contents: ImageContents) -> ImageConfig:
    """How a from-scratch image runs, and its labels."""
    cell, runtime = contents.cell, contents.cell.recipe.runtime
    return ImageConfig(
        user=runtime.user,
        entrypoint=(cell.program_path,),
        env=tuple(f"{name}={value}" for name, value in sorted(runtime.env.items())),
        labels={KIND_LABEL: "image", KEY_LABEL: contents.key},
        architecture=cell.program.platform.architecture,
    )
