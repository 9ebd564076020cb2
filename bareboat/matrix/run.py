"""The matrix: runs the jobs of a plan that do not stand yet."""

from __future__ import annotations

import os
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from bareboat.check.prediction import judge_failure
from bareboat.errors import BareboatError, EngineError, ResultError
from bareboat.make.context import Outputs
from bareboat.matrix.cell import failed_result, keep, say
from bareboat.matrix.compile_faults import explain_compile
from bareboat.matrix.gather import gather_run
from bareboat.matrix.job import run_job
from bareboat.matrix.pace import Pace, Pools
from bareboat.matrix.schedule import execute
from bareboat.plan.jobs import ImageJob, ProgramJob, RootJob, TimedJob, is_timed, needs
from bareboat.result.values import Failed

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping

    from bareboat.inputs.expected import ExpectedFailure
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
    told: dict[tuple[str, ...], str] = {}
    hopeless = _expected_not_to_compile(plan)
    with progress:
        pace = Pace.read(context.folders.pace)
        pools = Pools(jobs or os.cpu_count() or 1, pace, exact=bool(jobs))
        try:
            start = _starting(context, progress)
            for done in execute(plan.jobs, needs, _id, start, pools.of, weight=pace.of, alone=is_timed, known=standing):
                if _pass_over(progress, done):
                    continue
                output = _conclude(context, done)
                if output and output.status != "unchanged" and not done.aborted_by:
                    pace.seconds[done.job.id] = done.seconds
                expected = _says(done, hopeless.get((done.aborted_by or done.job).id, ()))
                _tell(progress, done, output, told, expected=expected)
                if output is not None:
                    outputs[done.job.id] = output
                if (done.error and not expected) or (output and output.status == "failed"):
                    failed.append(done.job.id)
                if failed and not keep_going:
                    raise BareboatError(f"{failed[0]} failed, and --no-keep-going ends the run there")
        finally:
            pools.close()
    pace.keep(context.folders.pace)
    return gather_run(plan, outputs, failed)


def _pass_over(progress: Progress, done: Done[Job, Output]) -> bool:
    """Whether a cell came to nothing that can be timed, and nothing is told: the job of its image has told why."""
    skipped = done.output is not None and done.output.status == "skipped"
    over = isinstance(done.job, TimedJob) and (done.aborted_by is not None or skipped)
    if over:
        progress.passed_over(done.job.id)
    return over


def _id(job: Job) -> str:
    return job.id


def _expected_not_to_compile(plan: Plan) -> dict[str, tuple[ExpectedFailure, ...]]:
    """By id, the programs that are needed only by cells that are expected to fail, and what each of these expects."""
    found: dict[str, list[ExpectedFailure | None]] = {}
    for cell in plan.cells:
        found.setdefault(cell.program.id, []).append(cell.expect_failure)
    return {program: tuple(one for one in known if one) for program, known in found.items() if all(known)}


def _starting(context: JobContext, progress: Progress) -> Callable[[Job, Mapping[Hashable, Output]], Output]:
    def start(job: Job, inputs: Mapping[Hashable, Output]) -> Output:
        progress.started(job.id)
        return run_job(context, job, Outputs(by_id=inputs))

    return start


def _conclude(context: JobContext, done: Done[Job, Output]) -> Output | None:
    """A job's output; of a cell that an error ended, the failed result that tells of it."""
    if done.error is None or not isinstance(done.job, ImageJob | TimedJob):
        return done.output
    cause = done.aborted_by or done.job
    failed = Failed(
        stage=_stage(cause),
        reason=done.error.summary,
        detail=done.error.detail,
    )
    if cure := _cure(done):
        failed = replace(failed, reason=cure.partition("\n")[0], detail=f"{cure}\n\n{failed.detail}")
    expected = done.job.cell.expect_failure
    if expected is not None:
        failed = judge_failure(failed, expected, _compile_log(done))
    result = failed_result(done.job.cell, failed)
    # A result that cannot be read is the user's, of a newer Bareboat perhaps: it is told of, never written over.
    if isinstance(done.error, ResultError):
        return say(result)
    try:
        return keep(context, done.job.cell, result)
    except BareboatError as error:
        # Where there is no room for one result, the table at the end still has this one, and the others go on.
        return say(replace(result, outcome=replace(failed, detail=f"{failed.detail}\n{error}")))


def _says(done: Done[Job, Output], expected: tuple[ExpectedFailure, ...]) -> bool:
    """Whether a compile failed, and in the way that all who need it expect."""
    return bool(expected) and all(failure.explains(_compile_log(done)) for failure in expected)


def _cure(done: Done[Job, Output]) -> str:
    """What mends a compile that failed, in a few lines; "" of all else, and where no cure is known."""
    job = done.aborted_by or done.job
    if not isinstance(job, ProgramJob):
        return ""
    sysroot = job.sysroot.path if job.sysroot else ""
    return explain_compile(_compile_log(done), job.sample.extent.ignored, sysroot)


def _compile_log(done: Done[Job, Output]) -> str:
    """The whole log of a compile that failed; "" of all else: that a base cannot be had is nothing to expect."""
    error = done.error
    if not isinstance(done.aborted_by or done.job, ProgramJob) or not isinstance(error, EngineError):
        return ""
    try:
        return error.log.read_text(encoding="utf-8", errors="replace") if error.log else str(error)
    except OSError:
        return str(error)


def _stage(job: Job) -> Stage:
    match job:
        case RootJob():
            return "base"
        case ProgramJob():
            return "compile"
        case ImageJob():
            return "image"
        case TimedJob():
            return "run"


def _tell(
    progress: Progress,
    done: Done[Job, Output],
    output: Output | None,
    told: dict[tuple[str, ...], str],
    *,
    expected: bool,
) -> None:
    """Say how a job ended; `told` has the job of each log's end that was printed, and none is printed twice."""
    status = "failed" if done.error else output.status if output else "built"
    note = str(done.error) if done.error else output.note if output else ""
    # A mistake in a crate is the same for every libc and linkage that it is compiled for.
    if isinstance(done.error, EngineError) and done.error.log_tail:
        first = told.setdefault(done.error.log_tail, done.job.id)
        if first != done.job.id:
            note = f"with the words of {first}; the whole log: {done.error.log}"
        elif cure := _cure(done):
            note = f"{cure}\n  the whole log: {done.error.log}"
    if expected and isinstance(done.error, EngineError):
        note = f"as expected; the whole log: {done.error.log}"
    if done.aborted_by is not None:
        note = f"needs {done.aborted_by.id}, which failed{' as expected' if expected else ''}"
    progress.finished(done.job.id, status, done.seconds, note)
