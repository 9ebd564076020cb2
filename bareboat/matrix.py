"""The matrix: decides where bases come from, runs the plan's jobs, and gathers every cell's result."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from bareboat.build import run_job
from bareboat.cell import conclude
from bareboat.doctor.registry import unreachable
from bareboat.errors import BareboatError, EngineError, ResultError
from bareboat.plan import ImageJob, ProgramJob, RootJob, needs
from bareboat.planner import root_jobs
from bareboat.result import Failed, Result, Skipped
from bareboat.schedule import execute
from bareboat.workshop import Measured, RootImage

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping, Sequence

    from bareboat.lock import Lock
    from bareboat.plan import BaseSource, Job, Plan, SkippedCell
    from bareboat.process import Processes
    from bareboat.progress import Progress
    from bareboat.recipe import RecipeBook
    from bareboat.result import Stage
    from bareboat.schedule import Done
    from bareboat.workshop import Output, Workshop

Bases = Literal["auto", "registry", "bootstrap"]


def choose_source(
    bases: Bases, book: RecipeBook, processes: Processes, environment: Mapping[str, str]
) -> tuple[BaseSource, str]:
    """Where bases come from in this run, and one line of why; auto asks each registry that the recipes name once."""
    if bases != "auto":
        return bases, f"bases: {bases}, as asked"
    named = [job.reference for job in root_jobs(book, "registry") if job.source == "registry"]
    one_each = list({reference.partition("/")[0]: reference for reference in named}.values())
    if not one_each:
        return "bootstrap", "bases: made from packages; no recipe names a registry image"
    with ThreadPoolExecutor(len(one_each)) as pool:
        reasons = pool.map(lambda reference: unreachable(processes, reference, environment), one_each)
    silent = [reference.partition("/")[0] for reference, why in zip(one_each, reasons, strict=True) if why]
    if silent:
        return "bootstrap", f"bases: made from packages; no answer from {', '.join(silent)}"
    return "registry", "bases: from the registries, which answer"


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
