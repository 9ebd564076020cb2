"""What of a plan stands as an earlier run made it: looked up here, job by job, while nothing is made."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, assert_never

from bareboat.errors import BareboatError
from bareboat.make.context import Measured, Outputs
from bareboat.make.standing import find_image_key, find_program, find_root
from bareboat.measurements import load_measurements
from bareboat.plan.jobs import ImageJob, ProbeJob, ProgramJob, RootJob, needs
from bareboat.plan.keys import cell_key
from bareboat.result.store import load
from bareboat.result.values import Failed, Passed

if TYPE_CHECKING:
    from collections.abc import Hashable

    from bareboat.make.context import Known, Output
    from bareboat.plan.jobs import Cell, Job, Plan


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
        case ProbeJob(cell=cell):
            # A result is saved when its probes are part of it.
            measured = outputs.measured(ImageJob(cell=cell))
            return measured if measured.status == "unchanged" else None
        case _:
            assert_never(job)


def find_measured(known: Known, cell: Cell, key: str) -> Measured | None:
    """A cell's result of that key, where its image is in the store, too."""
    path = known.results / f"{cell.id}.json"
    if known.force or not path.exists():
        return None
    result = load(path)
    stands = isinstance(result.outcome, Passed) or (isinstance(result.outcome, Failed) and result.outcome.expected)
    if not stands or result.provenance is None or result.key != key:
        return None
    if known.images.find(cell.image_name) != result.provenance.image_id:
        return None
    return Measured(status="unchanged", note="", result=result)


def result_key(known: Known, cell: Cell, image_key: str, outputs: Outputs) -> str:
    """The key of a cell's result, of that of its image."""
    return cell_key(
        cell,
        image_key,
        harbor_sha256=outputs.program(cell.harbor).sha256 if cell.harbor else "",
        host=known.host,
        traced=not known.untraced,
        columns=[module.COLUMN for module in load_measurements()],
    )


def _find_cell(known: Known, cell: Cell, outputs: Outputs) -> Measured | None:
    image_key = find_image_key(known, cell, outputs.program(cell.program), outputs.roots(cell))
    return find_measured(known, cell, result_key(known, cell, image_key, outputs)) if image_key else None
