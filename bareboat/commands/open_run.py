"""The run that a command opens: it holds the session, and does the jobs of a plan."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

from bareboat.check.trace import find_tracer
from bareboat.commands.plan_inputs import teller
from bareboat.errors import EngineError, HostError
from bareboat.inputs.lock import Lock, read_lock, write_lock
from bareboat.make.context import JobContext
from bareboat.matrix.progress import make_progress
from bareboat.matrix.run import new_pins, run_matrix
from bareboat.plan.planner import root_jobs
from bareboat.podman_engine.session import session
from bareboat.system.files import sweep
from bareboat.system.folders import find_folders

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bareboat.commands.project import Project
    from bareboat.matrix.run import MatrixRun
    from bareboat.plan.jobs import Plan
    from bareboat.plan.planner import PlanInputs
    from bareboat.system.process import Processes


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOptions:
    """How a run works."""

    locked: bool = False
    force: bool = False
    renew: bool = False
    lock: Lock | None = None  # None means the project's own
    results: Path | None = None  # likewise


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRun:
    """An open session, and what its jobs may use."""

    project: Project
    context: JobContext
    view: TextIO

    def run(self, plan: Plan, *, jobs: int = 0, keep_going: bool = True) -> MatrixRun:
        """Run a plan with its progress on the view, and pin what it resolved that the lock does not name yet."""
        progress = make_progress(self.view, len(plan.jobs))
        done = run_matrix(self.context, plan, progress, jobs or os.cpu_count() or 1, keep_going=keep_going)
        pinned = new_pins(self.context.lock, plan.jobs, done.outputs)
        if pinned != self.context.lock and not self.context.renew:
            write_lock(pinned, self.project.lock)
        return done


@contextlib.contextmanager
def open_run(
    project: Project, inputs: PlanInputs, processes: Processes, view: TextIO, work: WorkOptions
) -> Iterator[OpenRun]:
    """Hold the session that every build needs."""
    with session(processes, find_folders(), teller(view)) as running:
        host = running.engine.host()
        results = (work.results or project.results) / host.name
        sweep(results)
        context = JobContext(
            engine=running.engine,
            processes=processes,
            folders=running.folders,
            recipes=project.recipes,
            results=results,
            lock=read_lock(project.lock) if work.lock is None else work.lock,
            locked=work.locked,
            force=work.force,
            renew=work.renew,
            host=host,
            commit=_commit(project, processes),
            remote=running.engine.remote,
            # A remote engine cannot mount this machine's strace.
            tracer=None if running.engine.remote else find_tracer(running.folders.engine / "tracer"),
        )
        running.claim([job.reference for job in root_jobs(inputs.book, inputs.source)])
        yield OpenRun(project=project, context=context, view=view)


def _commit(project: Project, processes: Processes) -> str:
    try:
        return processes.run(["git", "-C", str(project.root), "rev-parse", "HEAD"]).strip()
    except (EngineError, HostError):
        return ""  # not a checkout, or one without a commit
