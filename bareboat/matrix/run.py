"""The matrix: runs the jobs of a plan that do not stand yet."""

from __future__ import annotations

import os
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from bareboat.errors import BareboatError, EngineError, ResultError
from bareboat.make.context import Outputs
from bareboat.matrix.cell import failed_result, keep, say
from bareboat.matrix.gather import gather_run
from bareboat.matrix.job import run_job
from bareboat.matrix.pace import Pace, Pools
from bareboat.matrix.schedule import execute
from bareboat.plan.jobs import ImageJob, ProbeJob, ProgramJob, RootJob, is_timed, needs
from bareboat.result.values import Failed

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping

    from bareboat.make.context import JobContext, Output
    from bareboat.matrix.gather import MatrixRun
    from bareboat.matrix.plain import Progress
    from bareboat.matrix.schedule import Done
    from bareboat.plan.jobs import Job, Plan
    from bareboat.result.values import Stage


def run_matrix(
    context: JobContext,
    plan: Plan,
    progress: Progress,
    jobs: int,
    *,
    standing: Mapping[Hashable, Output] = MappingProxyType({}),
    keep_going: bool = True,
) -> MatrixRun:
    """Run the plan, but for jobs whose outputs are `standing`; `jobs` compiles side by side, 0 for what the cores bear.

    Unless `keep_going`, the first failure ends the run as BareboatError.
    """
    outputs = dict(standing)
    failed: list[str] = []
    hopeless = _expected_not_to_compile(plan)
    with progress:
        pace = Pace.read(context.folders.pace)
        pools = Pools(jobs or os.cpu_count() or 1, pace, exact=bool(jobs))
        try:
            start = _starting(context, progress)
            for done in execute(plan.jobs, needs, _id, start, pools.of, weight=pace.of, alone=is_timed, known=standing):
                output = _conclude(context, done)
                if output is not None and output.status != "unchanged" and done.aborted_by is None:
                    pace.seconds[done.job.id] = done.seconds
                expected = _did_not_compile(done) and (done.aborted_by or done.job) in hopeless
                _tell(progress, done, output, expected=expected)
                if output is not None:
                    outputs[done.job.id] = output
                fault = done.error is not None and not expected
                if fault or (output is not None and output.status == "failed"):
                    failed.append(done.job.id)
                if failed and not keep_going:
                    raise BareboatError(f"{failed[0]} failed, and --no-keep-going ends the run there")
        finally:
            pools.close()
    pace.keep(context.folders.pace)
    return gather_run(plan, outputs, failed)


def _id(job: Job) -> str:
    return job.id


def _expected_not_to_compile(plan: Plan) -> tuple[Job, ...]:
    """The programs that are needed only by cells that are expected to fail, for whatever reason."""
    hopeful = {cell.program.id for cell in plan.cells if not cell.expect_failure}
    return tuple(cell.program for cell in plan.cells if cell.program.id not in hopeful)


def _starting(context: JobContext, progress: Progress) -> Callable[[Job, Mapping[Hashable, Output]], Output]:
    def start(job: Job, inputs: Mapping[Hashable, Output]) -> Output:
        progress.started(job.id)
        return run_job(context, job, Outputs(by_id=inputs))

    return start


def _conclude(context: JobContext, done: Done[Job, Output]) -> Output | None:
    """A job's output; of a cell that an error ended, the failed result that tells of it."""
    if done.error is None or not isinstance(done.job, ImageJob | ProbeJob):
        return done.output
    cause = done.aborted_by or done.job
    failed = Failed(
        stage=_stage(cause),
        reason=done.error.summary,
        detail=done.error.detail,
        # A cell may be expected not to compile; that its base cannot be had, or a disk is full, is another matter.
        expected=done.job.cell.expect_failure if _did_not_compile(done) else "",
    )
    result = failed_result(done.job.cell, failed)
    # A result that cannot be read is the user's, of a newer Bareboat perhaps: it is told of, never written over.
    if isinstance(done.error, ResultError):
        return say(result)
    try:
        return keep(context, done.job.cell, result)
    except BareboatError as error:
        # Where there is no room for one result, the table at the end still has this one, and the others go on.
        return say(replace(result, outcome=replace(failed, detail=f"{failed.detail}\n{error}")))


def _did_not_compile(done: Done[Job, Output]) -> bool:
    return isinstance(done.aborted_by or done.job, ProgramJob) and isinstance(done.error, EngineError)


def _stage(job: Job) -> Stage:
    match job:
        case RootJob():
            return "base"
        case ProgramJob():
            return "compile"
        case ImageJob():
            return "image"
        case ProbeJob():
            return "run"


def _tell(progress: Progress, done: Done[Job, Output], output: Output | None, *, expected: bool) -> None:
    status = "failed" if done.error else output.status if output else "built"
    note = str(done.error) if done.error else output.note if output else ""
    if expected and isinstance(done.error, EngineError):
        note = f"as expected; the whole log: {done.error.log}"
    if done.aborted_by is not None:
        note = f"needs {done.aborted_by.id}, which failed{' as expected' if expected else ''}"
    progress.finished(done.job.id, status, done.seconds, note)
