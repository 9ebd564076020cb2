"""Makes a cell's image: assembled by ourselves where it starts from scratch, built by the engine on any other base."""

from __future__ import annotations

import contextlib
import hashlib
import secrets
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from bareboat.archive import Entry, ImageConfig, open_image, write_image
from bareboat.engine.images import KEY_LABEL, KIND_LABEL, OWN_NAMES, Build
from bareboat.make.context import make_key
from bareboat.plan.containerfile import render, shipped_stage

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from bareboat.archive import Image, WrittenImage
    from bareboat.make.context import Program, RootImage, Workshop
    from bareboat.make.copies import Item
    from bareboat.plan.jobs import Cell, RootJob


@dataclass(frozen=True, slots=True, kw_only=True)
class Stowage:
    """All that a cell's image is made of: its program, the images it stands on or copies from, what comes aboard.

    `harbor` is no part of it, but the program that a service is held to.
    """

    cell: Cell
    program: Program
    roots: Mapping[RootJob, RootImage]
    items: tuple[Item, ...]
    harbor: Program | None = None

    @property
    def key(self) -> str:
        """SHA-256 (hex) of all that goes into the image; of a from-scratch image, of its content and nothing else."""
        entries = [
            (one.path, one.kind, one.mode, one.uid, one.gid, one.target, hashlib.sha256(one.content).hexdigest())
            for one in (item.entry for item in self.items)
        ]
        stage = shipped_stage(self.cell, {job: one.source.digest for job, one in self.roots.items()})
        runtime = asdict(self.cell.recipe.runtime)
        shipped = stage if self.cell.base else (runtime, self.cell.program_path)
        return make_key("image", shipped, self.program.sha256, entries)


def image_name(cell: Cell) -> str:
    """What a cell's image is called in the store: `localhost/bareboat/hello-world:alpine`."""
    # No name has a plus sign; a variant is behind one, and so are the provisions that were added to a recipe.
    return f"{OWN_NAMES}{cell.sample.name}:{cell.recipe.name}".replace("+", "_")


def ship(workshop: Workshop, stowage: Stowage) -> str:
    """Have the cell's image in the store under its name, labelled with its key; returns its id."""
    cell, program = stowage.cell, stowage.program
    if cell.base is None:
        archive = workshop.folders.scratch / f"{cell.id}.oci.tar"
        written = assemble(stowage, [item.entry for item in stowage.items], name=image_name(cell), to=archive)
        try:
            workshop.engine.load(archive)
        finally:
            archive.unlink(missing_ok=True)
        return written.image_id
    references = {job: root.reference for job, root in stowage.roots.items()}
    build = Build(
        containerfile=render(cell, {**references, cell.program.toolchain: program.toolchain.reference}),
        context=cell.sample.folder,
        tag=image_name(cell),
        labels={KIND_LABEL: "image", KEY_LABEL: stowage.key},
    )
    return workshop.engine.build(build, workshop.log(f"image {cell.id}"))


def assemble(stowage: Stowage, entries: Sequence[Entry], *, name: str, to: Path) -> WrittenImage:
    """Write a from-scratch image of the program and `entries`: far quicker than a build, the same id on every host."""
    cell, runtime = stowage.cell, stowage.cell.recipe.runtime
    config = ImageConfig(
        user=runtime.user,
        entrypoint=(cell.program_path,),
        env=tuple(f"{name}={value}" for name, value in sorted(runtime.env.items())),
        labels={KIND_LABEL: "image", KEY_LABEL: stowage.key},
        architecture=cell.program.platform.architecture,
    )
    program = Entry(path=cell.program_path.lstrip("/"), mode=0o755, content=stowage.program.path.read_bytes())
    return write_image([program, *entries], config, reference=name, to=to)


@contextlib.contextmanager
def saved_image(workshop: Workshop, image_id: str) -> Iterator[Image]:
    """An image of the store as a file that can be read, for as long as the block runs."""
    archive = workshop.folders.scratch / f"{secrets.token_hex(8)}.saved.tar"
    try:
        workshop.engine.save(image_id, archive)
        yield open_image(archive)
    finally:
        archive.unlink(missing_ok=True)
