"""Does one job: a root image, a program or a cell; what comes out is a value."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from bareboat.errors import BareboatError
from bareboat.make.context import Output, Program, RootImage, Workshop
from bareboat.make.program import make_program
from bareboat.make.root import make_root
from bareboat.matrix.cell import make_cell
from bareboat.plan.jobs import ImageJob, ProgramJob, RootJob

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from bareboat.plan.jobs import Job


def run_job(workshop: Workshop, job: Job, inputs: Mapping[Hashable, Output]) -> Output:
    """Do one job; `inputs` are the outputs of its needs by job id. Raises BareboatError."""
    match job:
        case RootJob():
            return make_root(workshop, job)
        case ProgramJob():
            return make_program(workshop, job, _root(inputs, job.toolchain))
        case ImageJob(cell=cell):
            program = inputs[cell.program.id]
            if not isinstance(program, Program):
                raise BareboatError(f"{cell.program.id} came to no program")
            harbor = inputs[cell.harbor.id] if cell.harbor else None
            roots = {job: _root(inputs, job) for job in cell.roots}
            return make_cell(workshop, cell, program, roots, harbor if isinstance(harbor, Program) else None)
        case _:
            assert_never(job)


def _root(inputs: Mapping[Hashable, Output], job: RootJob) -> RootImage:
    root = inputs[job.id]
    if not isinstance(root, RootImage):
        raise BareboatError(f"{job.id} came to no image")
    return root
