"""Makes a cell: ships its image, predicts whether it starts, runs it, measures it, and saves what came of it."""

from __future__ import annotations

import time
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bareboat.check.harbor import visit_harbor
from bareboat.check.manifest import make_manifest
from bareboat.check.prediction import closure_of, compare, judge, refuse
from bareboat.check.runs import verify
from bareboat.check.trace import observe
from bareboat.elf import read_elf
from bareboat.engine.images import KEY_LABEL
from bareboat.errors import EngineError
from bareboat.make.context import Measured, make_key
from bareboat.make.copies import fetch_aboard, owners_in
from bareboat.make.image import Stowage, image_name, saved_image, ship
from bareboat.measurements import Subject, load_measurements, measure_all
from bareboat.result.store import load, save
from bareboat.result.values import Failed, Passed, Provenance, Result, Source

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bareboat.archive import Image
    from bareboat.check.harbor import Visit
    from bareboat.elf import ElfFacts
    from bareboat.make.context import Program, RootImage, Workshop
    from bareboat.plan.jobs import Cell, RootJob
    from bareboat.result.values import AboardFile, Measurement, Outcome, Preflight, Probe

SCRATCH = Source(kind="scratch", reference="scratch", digest="")


def make_cell(
    workshop: Workshop,
    cell: Cell,
    program: Program,
    roots: Mapping[RootJob, RootImage],
    harbor: Program | None = None,
) -> Measured:
    """Ship, predict, run and measure one cell, and save its result; nothing is done when its key and result stand."""
    start = time.monotonic()
    items = fetch_aboard(workshop, cell, roots)
    stowage = Stowage(cell=cell, program=program, roots=roots, items=items, harbor=harbor)
    key = _key(stowage)
    unchanged = None if workshop.force else _unchanged(workshop, stowage, key)
    if unchanged is not None:
        return Measured(status="unchanged", note="", result=unchanged)
    try:
        image_id = ship(workshop, stowage)
    except EngineError as error:
        failed = Failed(stage="image", reason=error.summary, detail=str(error))
        return conclude(workshop, cell, failed, key=key)
    seconds = round(program.seconds + time.monotonic() - start, 3)
    with saved_image(workshop, image_id) as image:
        return _try_out(workshop, stowage, image, key=key, seconds=seconds)


def _try_out(workshop: Workshop, stowage: Stowage, image: Image, *, key: str, seconds: float) -> Measured:
    """Predict, run and measure an image that is in the store; `seconds` is what it took, a shared compile in full."""
    cell, content = stowage.cell, image.read(stowage.cell.program_path)
    elf = read_elf(content)
    closure = closure_of(image, cell.program_path)
    # What cannot start is not run, unless that is what its recipe says and the run is to confirm.
    verdict = None
    if closure.starts or cell.expect_failure:
        verdict = verify(workshop.engine, image.id, cell.sample.expectations)
    preflight = compare(closure, verdict)
    failure = verdict.failure if verdict else refuse(cell, closure, owners_in(workshop, stowage.program.toolchain))
    visit = _visit(workshop, stowage, image) if verdict and not failure else None
    failure = visit.failure if visit else failure
    outcome = judge(cell, preflight, _contradiction(cell, elf) or failure) or Passed()
    manifest: tuple[AboardFile, ...] = ()
    if cell.base is None:
        opened = observe(workshop, cell, image) if verdict and verdict.started else ()
        manifest = make_manifest(stowage, image, closure, opened)
    subject = Subject(
        image=image,
        program_path=cell.program_path,
        program=content,
        elf=elf,
        build_seconds=seconds,
        preflight=preflight,
        manifest=manifest,
        peak_bytes=visit.peak_bytes if visit else None,
    )
    return conclude(
        workshop,
        cell,
        outcome,
        key=key,
        measurements=measure_all(subject),
        provenance=_provenance(workshop, stowage, image.id),
        preflight=preflight,
        manifest=manifest,
        probes=visit.probes if visit else (),
    )


def _visit(workshop: Workshop, stowage: Stowage, image: Image) -> Visit | None:
    harbor = stowage.harbor
    return visit_harbor(workshop, image.id, harbor, stowage.cell.excuses) if harbor else None


def _provenance(workshop: Workshop, stowage: Stowage, image_id: str) -> Provenance:
    base = stowage.cell.base
    return Provenance(
        host=workshop.host,
        base=stowage.roots[base].source if base else SCRATCH,
        toolchain=stowage.program.toolchain.source,
        image_id=image_id,
        commit=workshop.commit,
        measured_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def conclude(
    workshop: Workshop,
    cell: Cell,
    outcome: Outcome,
    *,
    key: str = "",
    measurements: tuple[Measurement, ...] = (),
    provenance: Provenance | None = None,
    preflight: Preflight | None = None,
    manifest: tuple[AboardFile, ...] = (),
    probes: tuple[Probe, ...] = (),
    keep: bool = True,
) -> Measured:
    """Save a cell's result under its host, unless what is there must be kept, and hand it on."""
    result = Result(
        cell=cell.id,
        sample=cell.sample.name,
        recipe=cell.recipe.name,
        platform=str(cell.program.platform),
        key=key,
        outcome=outcome,
        measurements=measurements,
        published_bytes=cell.published_bytes,
        provenance=provenance,
        preflight=preflight,
        manifest=manifest,
        probes=probes,
    )
    if keep:
        save(result, workshop.results)
    if not isinstance(outcome, Failed):
        return Measured(status="passed", note="", result=result)
    if outcome.expected:
        return Measured(status="passed", note=f"fails as expected: {outcome.reason}", result=result)
    return Measured(status="failed", note=outcome.reason, result=result)


def _key(stowage: Stowage) -> str:
    cell = stowage.cell
    columns = [module.COLUMN.name for module in load_measurements()]
    runs = [asdict(expectation) for expectation in cell.sample.expectations]
    harbor = stowage.harbor.sha256 if stowage.harbor else ""
    return make_key(
        "cell", stowage.key, harbor, cell.excuses, runs, asdict(cell.recipe.compile), cell.expect_failure, columns
    )


def _unchanged(workshop: Workshop, stowage: Stowage, key: str) -> Result | None:
    path = workshop.results / f"{stowage.cell.id}.json"
    image = workshop.engine.image(image_name(stowage.cell))
    if not path.exists() or image is None or image.labels.get(KEY_LABEL) != stowage.key:
        return None
    result = load(path)
    same = result.key == key and result.provenance is not None and result.provenance.image_id == image.id
    stands = isinstance(result.outcome, Passed) or (isinstance(result.outcome, Failed) and result.outcome.expected)
    return result if same and stands else None


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
