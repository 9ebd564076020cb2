"""What of a plan stands as an earlier run made it: looked up here, job by job, while nothing is made."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, assert_never

from bareboat.errors import BareboatError
from bareboat.inputs.limits import limits_of
from bareboat.make.context import Measured, Outputs
from bareboat.make.standing import find_image_key, find_program, find_root
from bareboat.measurements import load_measurements
from bareboat.plan.jobs import ImageJob, ProgramJob, RootJob, TimedJob, needs
from bareboat.plan.keys import cell_key, source_key
from bareboat.result.measurement import NOT_ASKED, NOT_TIMED
from bareboat.result.store import load
from bareboat.result.values import Failed, Ingredients, Passed, RootKeys

if TYPE_CHECKING:
    from collections.abc import Hashable

    from bareboat.make.context import Known, Output
    from bareboat.plan.jobs import Cell, Job, Plan
    from bareboat.result.values import Host, Result


def find_outputs(known: Known, plan: Plan) -> dict[Hashable, Output]:
    """The outputs, by the job's id, of all jobs that need not be done again.

    A job whose needs do not all stand is not among them: what it makes of them may be the same, which is seen then.
    Nor is one that cannot be judged: whoever does it meets the same fault, and tells of it.
    """
    found: dict[Hashable, Output] = {}
    for job in plan.jobs:
        if all(need.id in found for need in needs(job)):
            with contextlib.suppress(BareboatError):
                output = find_output(known, job, Outputs(by_id=found))
                if output is not None:
                    found[job.id] = output
    return found


def find_output(known: Known, job: Job, outputs: Outputs) -> Output | None:
    """What a job would make, if it stands as an earlier run made it; `outputs` are those of the jobs that it needs.

    Raises BareboatError for what stands and cannot be used.
    """
    match job:
        case RootJob():
            return find_root(known, job)
        case ProgramJob():
            return find_program(known, job, outputs.root(job.toolchain))
        case ImageJob(cell=cell):
            return _find_cell(known, cell, outputs)
        case TimedJob(cell=cell):
            measured = outputs.measured(ImageJob(cell=cell))
            return measured if measured.status == "unchanged" and not measured.awaits_timing else None
        case _:
            assert_never(job)


def find_measured(known: Known, cell: Cell, key: str) -> Measured | None:
    """A cell's result of that key, where its image is in the store, too."""
    path = known.results / f"{cell.id}.json"
    if known.force or not path.exists():
        return None
    result = load(path)
    if known.thorough and any(taken.why == NOT_ASKED for taken in result.measurements):
        return None
    stands = isinstance(result.outcome, Passed) or (isinstance(result.outcome, Failed) and result.outcome.expected)
    if not stands or result.provenance is None or result.key != key:
        return None
    if known.images.find(cell.image_name) != result.provenance.image_id:
        return None
    untimed = any(taken.why == NOT_TIMED for taken in result.measurements)
    return Measured(status="unchanged", note="", result=result, awaits_timing=untimed)


def find_ingredients(known: Known, cell: Cell, outputs: Outputs, image_key: str) -> Ingredients:
    """What the key of a cell's result is made of, besides what its recipe, its sample and the host say."""
    program, roots = outputs.program(cell.program), outputs.roots(cell)
    harbor = outputs.program(cell.harbor) if cell.harbor else None
    gauge = outputs.program(cell.gauge) if cell.gauge else None
    used = {**roots, cell.program.toolchain: program.toolchain}
    if cell.harbor and harbor:
        used[cell.harbor.toolchain] = harbor.toolchain
    if cell.gauge and gauge:
        used[cell.gauge.toolchain] = gauge.toolchain
    return Ingredients(
        roots={job.id: RootKeys(key=root.key, digest=root.source.digest, pins=root.pins) for job, root in used.items()},
        program=program.key,
        program_sha256=program.sha256,
        crates=program.crates,
        harbor=harbor.key if harbor else "",
        harbor_sha256=harbor.sha256 if harbor else "",
        sources=source_key(cell, program.sha256, {job: root.source.digest for job, root in roots.items()}),
        image=image_key,
        traced=not known.untraced,
        gauge=gauge.key if gauge else "",
        gauge_sha256=gauge.sha256 if gauge else "",
    )


def result_key(cell: Cell, made: Ingredients, host: Host) -> str:
    """The key of a cell's result, of what it is made of."""
    return cell_key(
        cell,
        made.image,
        crates=made.crates,
        harbor_sha256=made.harbor_sha256,
        gauge_sha256=made.gauge_sha256,
        host=host,
        limits=limits_of(cell.recipe.runtime, host.cores),
        traced=made.traced,
        columns=[module.COLUMN for module in load_measurements()],
    )


def _find_cell(known: Known, cell: Cell, outputs: Outputs) -> Measured | None:
    image_key = find_image_key(known, cell, outputs.program(cell.program), outputs.roots(cell))
    if not image_key:
        return None
    made = find_ingredients(known, cell, outputs, image_key)
    measured = find_measured(known, cell, result_key(cell, made, known.host))
    # Other sources came to the same image: the result stands, and has yet to say of which it is.
    return measured if measured and made_of(measured.result) == made else None


def made_of(result: Result) -> Ingredients | None:
    """What the key of a result was made of; None of a result that does not say it."""
    return result.provenance.made if result.provenance else None
