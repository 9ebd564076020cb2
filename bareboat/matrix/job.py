"""Does one job: a root image, a program, a cell or what is timed of it; what comes out is a value.

What does a kind of job is imported when the first of its kind is done: most runs make no root.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from bareboat.make.sources import program_name
from bareboat.matrix.standing import find_output
from bareboat.plan.jobs import ImageJob, ProgramJob, RootJob, TimedJob

if TYPE_CHECKING:
    from bareboat.make.context import JobContext, Output, Outputs
    from bareboat.plan.jobs import Job


def run_job(context: JobContext, job: Job, outputs: Outputs) -> Output:
    """Do one job, unless what it would make stands already; `outputs` are those of its needs. Raises BareboatError.

    What another run does just now is waited for, and not done again.
    """
    if standing := find_output(context, job, outputs):
        return standing
    with context.locks.hold(_lock_name(job), job.id) as waited:
        standing = find_output(context, job, outputs) if waited else None
        return _make(context, job, outputs) if standing is None else standing


def _lock_name(job: Job) -> str:
    """What two runs must not make at once: two projects may have images, and crates, of one name."""
    match job:
        case RootJob():
            return f"image {job.reference}"
        case ProgramJob():
            return f"program {program_name(job)}"
        case ImageJob(cell=cell) | TimedJob(cell=cell):
            return f"image {cell.image_name}"
        case _:
            assert_never(job)


def _make(context: JobContext, job: Job, outputs: Outputs) -> Output:
    match job:
        case RootJob():
            from bareboat.make.root import make_root

            return make_root(context, job)
        case ProgramJob():
            from bareboat.make.program import make_program

            return make_program(context, job, outputs.root(job.toolchain), outputs.root(job.std) if job.std else None)
        case ImageJob(cell=cell):
            from bareboat.matrix.cell import make_cell

            return make_cell(context, cell, outputs)
        case TimedJob(cell=cell):
            from bareboat.matrix.timed import time_cell

            return time_cell(context, cell, outputs)
        case _:
            assert_never(job)
