"""What the outputs of a plan's jobs come to: the results of its cells, and what the lock is to pin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bareboat.inputs.toolchain_packages import is_extended
from bareboat.make.context import Outputs
from bareboat.plan.jobs import ImageJob, RootJob, TimedJob
from bareboat.result.values import Result, Skipped

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping

    from bareboat.inputs.lock import Lock
    from bareboat.make.context import Output
    from bareboat.plan.jobs import Cell, Job, Plan, SkippedCell


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixRun:
    """What a run came to."""

    results: tuple[Result, ...]  # the cells' in the plan's order, then those of cells that cannot be made
    outputs: Outputs  # what each job made
    failed: tuple[str, ...]  # the jobs that failed, by id

    @property
    def idle(self) -> bool:
        """Whether nothing was built and nothing was run."""
        return not self.failed and all(output.status == "unchanged" for output in self.outputs.by_id.values())


def gather_run(plan: Plan, outputs: Mapping[Hashable, Output], failed: Iterable[str] = ()) -> MatrixRun:
    """What a plan's outputs, by the job's id, come to."""
    made = Outputs(by_id=outputs)
    results = [_result(made, cell) for cell in plan.cells]
    skipped = [_skipped(cell, plan) for cell in plan.skipped]
    return MatrixRun(results=(*results, *skipped), outputs=made, failed=tuple(failed))


def new_pins(lock: Lock, jobs: Iterable[Job], outputs: Outputs) -> Lock:
    """The lock with what this run resolved and the lock did not name yet; toolchains of one crate alone are not its."""
    for job in jobs:
        if not isinstance(job, RootJob) or job.id not in outputs.by_id or is_extended(job.name):
            continue
        root = outputs.root(job)
        if root.source.kind == "registry" and root.source.reference not in lock.registry and root.source.digest:
            lock = lock.with_digest(root.source.reference, root.source.digest)
        if root.source.kind == "bootstrap" and job.id not in lock.bootstrap:
            lock = lock.with_packages(job.id, root.packages)
    return lock


def _result(outputs: Outputs, cell: Cell) -> Result:
    """A cell's last word: that of what is timed where it came to that, else that of its image."""
    timed = TimedJob(cell=cell)
    return outputs.measured(timed if timed.id in outputs.by_id else ImageJob(cell=cell)).result


def _skipped(skipped: SkippedCell, plan: Plan) -> Result:
    return Result(
        cell=f"{skipped.sample}@{skipped.recipe}",
        sample=skipped.sample,
        recipe=skipped.recipe,
        platform=str(plan.platform),
        key="",
        outcome=Skipped(reason=skipped.reason),
    )
