"""The matrix: runs the plan's jobs, and gathers every cell's result."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bareboat.errors import BareboatError, EngineError, ResultError
from bareboat.make.context import Measured, RootImage
from bareboat.matrix.cell import conclude
from bareboat.matrix.job import run_job
from bareboat.matrix.schedule import execute
from bareboat.plan.jobs import ImageJob, ProgramJob, RootJob, needs
from bareboat.result.values import Failed, Result, Skipped

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping, Sequence

    from bareboat.inputs.lock import Lock
    from bareboat.make.context import Output, Workshop
    from bareboat.matrix.progress import Progress
    from bareboat.matrix.schedule import Done
    from bareboat.plan.jobs import Job, Plan, SkippedCell
    from bareboat.result.values import Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixRun:
    """What a run came to: the cells' results in the plan's order, every job's output, and the jobs that failed."""

    results: tuple[Result, ...]
    outputs: tuple[Output, ...]
    failed: tuple[str, ...]

    @property
    def idle(self) -> bool:
        """Whether nothing was built and nothing was run."""
        return not self.failed and all(output.status == "unchanged" for output in self.outputs)


def run_matrix(workshop: Workshop, plan: Plan, progress: Progress, jobs: int, *, keep_going: bool = True) -> MatrixRun:
    """Run the plan on `jobs` threads; unless `keep_going`, the first failure ends the run as BareboatError."""
    outputs: list[Output] = []
    failed: list[str] = []
    doomed = _doomed(plan)
    with progress:
        executor = ThreadPoolExecutor(jobs, thread_name_prefix="job")
        try:
            for done in execute(plan.jobs, needs, lambda job: job.id, _told(workshop, progress), executor):
                output = _conclude(workshop, done)
                expected = (done.aborted_by or done.job) in doomed
                _tell(progress, done, output, expected=expected)
                if output is not None:
                    outputs.append(output)
                fault = done.error is not None and not expected
                if fault or (output is not None and output.status == "failed"):
                    failed.append(done.job.id)
                if failed and not keep_going:
                    raise BareboatError(f"{failed[0]} failed, and --no-keep-going ends the run there")
        finally:
            # Not waited for: a thread in the middle of its work must not hold up an interrupted run.
            executor.shutdown(wait=False, cancel_futures=True)
    order = [cell.id for cell in plan.cells]
    measured = [output.result for output in outputs if isinstance(output, Measured)]
    measured.sort(key=lambda result: order.index(result.cell))
    skipped = [_skipped(cell, plan) for cell in plan.skipped]
    return MatrixRun(results=(*measured, *skipped), outputs=tuple(outputs), failed=tuple(failed))


def new_pins(lock: Lock, plan_jobs: Sequence[Job], outputs: Sequence[Output]) -> Lock:
    """The lock with what this run resolved and the lock did not name yet."""
    roots = {output.source.reference: output for output in outputs if isinstance(output, RootImage)}
    for job in plan_jobs:
        root = roots.get(job.reference) if isinstance(job, RootJob) else None
        if root is None:
            continue
        if root.source.kind == "registry" and root.source.reference not in lock.registry and root.source.digest:
            lock = lock.with_digest(root.source.reference, root.source.digest)
        if root.source.kind == "bootstrap" and job.id not in lock.bootstrap:
            lock = lock.with_packages(job.id, root.packages)
    return lock


def _doomed(plan: Plan) -> tuple[Job, ...]:
    """The programs that only cells need which are expected to fail: that they do not compile may be the reason."""
    hopeful = {cell.program for cell in plan.cells if not cell.expect_failure}
    return tuple(cell.program for cell in plan.cells if cell.program not in hopeful)


def _told(workshop: Workshop, progress: Progress) -> Callable[[Job, Mapping[Hashable, Output]], Output]:
    def run(job: Job, inputs: Mapping[Hashable, Output]) -> Output:
        progress.started(job.id)
        return run_job(workshop, job, inputs)

    return run


def _conclude(workshop: Workshop, done: Done[Job, Output]) -> Output | None:
    """A job's output; of a cell that an error ended, the Failed result that tells of it."""
    if done.error is None or not isinstance(done.job, ImageJob):
        return done.output
    cause = done.aborted_by or done.job
    failed = Failed(
        stage=_stage(cause),
        reason=done.error.summary,
        detail=str(done.error),
        # A cell may be expected not to compile; that its base cannot be had is another matter.
        expected=done.job.cell.expect_failure if isinstance(cause, ProgramJob) else "",
    )
    # A result that cannot be read is the user's, of a newer Bareboat perhaps: it is told of, never written over.
    return conclude(workshop, done.job.cell, failed, keep=not isinstance(done.error, ResultError))


def _stage(job: Job) -> Stage:
    match job:
        case RootJob():
            return "base"
        case ProgramJob():
            return "compile"
        case ImageJob():
            return "image"


def _tell(progress: Progress, done: Done[Job, Output], output: Output | None, *, expected: bool) -> None:
    status = "failed" if done.error else output.status if output else "built"
    note = str(done.error) if done.error else output.note if output else ""
    if expected and isinstance(done.error, EngineError):
        note = f"as expected; the whole log: {done.error.log}"
    if done.aborted_by is not None:
        note = f"needs {done.aborted_by.id}, which failed{' as expected' if expected else ''}"
    progress.finished(done.job.id, status, done.seconds, note)


def _skipped(skipped: SkippedCell, plan: Plan) -> Result:
    return Result(
        cell=f"{skipped.sample}@{skipped.recipe}",
        sample=skipped.sample,
        recipe=skipped.recipe,
        platform=str(plan.platform),
        key="",
        outcome=Skipped(reason=skipped.reason),
    )
