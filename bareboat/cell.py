"""Makes a cell: ships its image, runs it, measures it, and saves what came of it."""

from __future__ import annotations

import contextlib
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bareboat.archive import Entry, ImageConfig, open_image, write_image
from bareboat.containerfile import render, shipped_stage
from bareboat.elf import read_elf
from bareboat.engine import KEY_LABEL, KIND_LABEL, OWN_NAMES, Build
from bareboat.errors import EngineError
from bareboat.measurements import Subject, load_measurements, measure_all
from bareboat.result import Failed, Passed, Provenance, Result, Source
from bareboat.resultfile import load, save
from bareboat.verify import verify
from bareboat.workshop import Measured, make_key

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bareboat.archive import Image
    from bareboat.elf import ElfFacts
    from bareboat.plan import Cell
    from bareboat.result import Measurement, Outcome
    from bareboat.workshop import Program, RootImage, Workshop

SCRATCH = Source(kind="scratch", reference="scratch", digest="")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shipped:
    """An image in the store: its id, and the seconds from source to image, a shared compile counted in full."""

    id: str
    build_seconds: float


def make_cell(workshop: Workshop, cell: Cell, program: Program, base: RootImage | None) -> Measured:
    """Ship, run and measure one cell, and save its result; nothing is done when its key and result are there."""
    key = _key(cell, program, base)
    unchanged = None if workshop.force else _unchanged(workshop, cell, key)
    if unchanged is not None:
        return Measured(status="unchanged", note="", result=unchanged)
    try:
        shipped = _ship(workshop, cell, program, base, key)
    except EngineError as error:
        failed = Failed(stage="image", reason=error.summary, detail=str(error))
        return conclude(workshop, cell, failed, key=key)
    with _saved(workshop, cell, shipped.id) as image:
        content = image.read(cell.program_path)
        elf = read_elf(content)
        subject = Subject(
            image=image,
            program_path=cell.program_path,
            program=content,
            elf=elf,
            build_seconds=round(shipped.build_seconds, 3),
        )
        measurements = measure_all(subject)
    # A recipe that declares otherwise than what is measured is wrong, even where its image runs.
    outcome = _contradiction(cell, elf) or verify(workshop.engine, shipped.id, cell.sample.expectation) or Passed()
    provenance = Provenance(
        host=workshop.host,
        base=base.source if base else SCRATCH,
        toolchain=program.toolchain.source,
        image_id=shipped.id,
        commit=workshop.commit,
        measured_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    return conclude(workshop, cell, outcome, key=key, measurements=measurements, provenance=provenance)


def conclude(
    workshop: Workshop,
    cell: Cell,
    outcome: Outcome,
    *,
    key: str = "",
    measurements: tuple[Measurement, ...] = (),
    provenance: Provenance | None = None,
    keep: bool = True,
) -> Measured:
    """Save a cell's result under its host, unless what is there must be kept, and hand it on."""
    published = cell.recipe.published
    result = Result(
        cell=cell.id,
        sample=cell.sample.name,
        recipe=cell.recipe.name,
        platform=str(cell.program.platform),
        key=key,
        outcome=outcome,
        measurements=measurements,
        published_bytes=published.size_bytes if published and cell.sample.name == published.sample else None,
        provenance=provenance,
    )
    if keep:
        save(result, workshop.results)
    note = outcome.reason if isinstance(outcome, Failed) else ""
    return Measured(status="failed" if isinstance(outcome, Failed) else "passed", note=note, result=result)


def image_name(cell: Cell) -> str:
    """What a cell's image is called in the store: `localhost/bareboat/hello-world:alpine`."""
    return f"{OWN_NAMES}{cell.sample.name}:{cell.recipe.name}"


def _key(cell: Cell, program: Program, base: RootImage | None) -> str:
    stage = shipped_stage(cell, base.source.digest if base else "scratch")
    columns = [module.COLUMN.name for module in load_measurements()]
    return make_key(
        "cell", stage, program.sha256, asdict(cell.sample.expectation), asdict(cell.recipe.compile), columns
    )


def _unchanged(workshop: Workshop, cell: Cell, key: str) -> Result | None:
    path = workshop.results / f"{cell.id}.json"
    image = workshop.engine.image(image_name(cell))
    if not path.exists() or image is None or image.labels.get(KEY_LABEL) != key:
        return None
    result = load(path)
    same = result.key == key and result.provenance is not None and result.provenance.image_id == image.id
    return result if same and isinstance(result.outcome, Passed) else None


def _ship(workshop: Workshop, cell: Cell, program: Program, base: RootImage | None, key: str) -> _Shipped:
    start = time.monotonic()
    if base is None:
        image_id = _assemble(workshop, cell, program, key)
    else:
        build = Build(
            containerfile=render(cell, program.toolchain.reference, base.reference),
            context=cell.sample.folder,
            tag=image_name(cell),
            labels={KIND_LABEL: "image", KEY_LABEL: key},
        )
        image_id = workshop.engine.build(build, workshop.log(f"image {cell.id}"))
    return _Shipped(id=image_id, build_seconds=program.seconds + time.monotonic() - start)


def _assemble(workshop: Workshop, cell: Cell, program: Program, key: str) -> str:
    """Write a from-scratch image ourselves and load it: far quicker than a build, and the same id on every host."""
    runtime = cell.recipe.runtime
    config = ImageConfig(
        user=runtime.user,
        entrypoint=(cell.program_path,),
        env=tuple(f"{name}={value}" for name, value in sorted(runtime.env.items())),
        labels={KIND_LABEL: "image", KEY_LABEL: key},
        architecture=cell.program.platform.architecture,
    )
    entry = Entry(path=cell.program_path.lstrip("/"), mode=0o755, content=program.path.read_bytes())
    archive = workshop.folders.scratch / f"{cell.id}.oci.tar"
    written = write_image([entry], config, reference=image_name(cell), to=archive)
    workshop.engine.load(archive)
    archive.unlink()
    return written.image_id


@contextlib.contextmanager
def _saved(workshop: Workshop, cell: Cell, image_id: str) -> Iterator[Image]:
    archive: Path = workshop.folders.scratch / f"{cell.id}.saved.tar"
    try:
        workshop.engine.save(image_id, archive)
        yield open_image(archive)
    finally:
        archive.unlink(missing_ok=True)


def _contradiction(cell: Cell, elf: ElfFacts) -> Failed | None:
    declared = cell.recipe.compile
    differing = [
        f"{what} {said}, the program has {found}"
        for what, said, found in (("libc", declared.libc, elf.libc), ("crt", declared.crt, elf.crt))
        if said != found
    ]
    if not differing:
        return None
    return Failed(stage="measure", reason=f"{cell.recipe.name}.toml declares {'; '.join(differing)}")
