"""A run that has something to do: it holds the session, asks where bases come from, and does the jobs of its plan."""

from __future__ import annotations

import contextlib
import os
from dataclasses import fields, replace
from typing import TYPE_CHECKING, TextIO

from bareboat.commands.choose_bases import find_inputs
from bareboat.commands.open_run import Carried, make_known
from bareboat.commands.plan_inputs import check_engine, teller
from bareboat.errors import BareboatError, EngineError, HostError
from bareboat.inputs.lock import read_lock, write_lock
from bareboat.make.context import JobContext
from bareboat.make.sources import program_name
from bareboat.matrix.gather import new_pins
from bareboat.matrix.outlook import Outlook
from bareboat.matrix.pace import Pace
from bareboat.matrix.progress import make_progress
from bareboat.matrix.run import run_matrix
from bareboat.matrix.standing import find_outputs
from bareboat.plan.jobs import ProgramJob, RootJob
from bareboat.plan.planner import root_jobs
from bareboat.podman_engine.session import session
from bareboat.system.files import sweep
from bareboat.system.folders import find_folders

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from bareboat.commands.open_run import Order, WorkOptions
    from bareboat.commands.project import Project
    from bareboat.matrix.gather import MatrixRun
    from bareboat.plan.jobs import Job, Plan
    from bareboat.system.process import Processes

_COMMIT = "# branch.oid "
# Pages that are written anew of results, and these themselves: they change nothing of what is measured.
_WRITTEN = tuple(f":(exclude){name}" for name in ("results", "docs", "README.md"))


@contextlib.contextmanager
def run_in_session(
    project: Project, order: Order, processes: Processes, view: TextIO, work: WorkOptions
) -> Iterator[Carried]:
    """Do what an order asks for, and pin what was resolved that the lock does not name yet."""
    tell = teller(view)
    inputs = find_inputs(order.book, order.samples, order.bases, processes, tell)
    plan = order.plan(inputs)
    with session(processes, find_folders(), tell) as running:
        engine = running.engine
        known = make_known(project, work, running.folders, engine, engine.host())
        check_engine(known.host, plan.platform)
        context = JobContext(
            **{part.name: getattr(known, part.name) for part in fields(known)},
            engine=engine,
            processes=processes,
            locks=running.locks,
            # An installed package has no commit; the folder that it lies in may be in somebody's checkout.
            commit="" if project.kept else find_commit(project.root, processes),
            remote=engine.remote,
        )
        sweep(context.results)
        replaced = _image_ids(context, plan)
        running.claim([*(job.reference for job in root_jobs(inputs.book, inputs.source)), *replaced])
        run = _run(context, plan, view, work)
        _remove_replaced(context, replaced - _image_ids(context, plan))
        if not context.renew:
            _pin(project, context, plan, run)
        yield Carried(plan=plan, inputs=inputs, known=context, run=run)


def _remove_replaced(context: JobContext, ids: set[str]) -> None:
    # Left, they would stay in the list of the user's images, one more for each change of a line. Podman fails to list
    # what another run removes meanwhile; and a run that has done all its work does not fail for what it cannot tidy up.
    with context.locks.hold("replaced images", "replaced images"), contextlib.suppress(BareboatError):
        context.engine.remove_nameless(ids)


def _image_ids(context: JobContext, plan: Plan) -> set[str]:
    """The images that have the names of the plan's cells."""
    found = (context.images.find(cell.image_name) for cell in plan.cells)
    return {image_id for image_id in found if image_id}


def _run(context: JobContext, plan: Plan, view: TextIO, work: WorkOptions) -> MatrixRun:
    standing = find_outputs(context, plan)
    if standing:
        teller(view)(f"{len(standing)} of {len(plan.jobs)} jobs stand as they were made")
    jobs = [job for job in plan.jobs if job.id not in standing]
    at_once = work.jobs or os.cpu_count() or 1
    outlook = Outlook(jobs, Pace.read(context.folders.pace), at_once, _logs(context, jobs))
    progress = make_progress(view, len(jobs), outlook, loudness="verbose" if work.verbose else "usual")
    # Who waits for another run says so between the lines of the jobs.
    context = replace(context, tell=progress.note, locks=replace(context.locks, tell=progress.note))
    return run_matrix(context, plan, progress, work.jobs, standing=standing, keep_going=work.keep_going)


def _logs(context: JobContext, jobs: Iterable[Job]) -> dict[str, Path]:
    """By the job's id, where those write a log whose work is done by a command."""
    roots = {job.id: context.log(job.id) for job in jobs if isinstance(job, RootJob)}
    return roots | {job.id: context.log(program_name(job)) for job in jobs if isinstance(job, ProgramJob)}


def _pin(project: Project, context: JobContext, plan: Plan, run: MatrixRun) -> None:
    if new_pins(context.lock, plan.jobs, run.outputs) == context.lock:
        return
    with context.locks.hold(f"file {project.lock}", "what is resolved"):
        # Another run may have pinned something meanwhile.
        architecture = plan.platform.architecture
        pinned = new_pins(read_lock(project.lock, architecture), plan.jobs, run.outputs)
        write_lock(pinned, project.lock, architecture)


def find_commit(folder: Path, processes: Processes) -> str:
    """The commit that a checkout stands at, with `+dirty` where a file of it differs; "" outside a checkout.

    A file that git does not know counts: it may be a recipe. What Bareboat itself writes of results does not.
    """
    options = ("--porcelain=v2", "--branch", "--untracked-files=normal")
    # Without locks nobody's own git of that moment is in the way.
    command = ["git", "--no-optional-locks", "-C", str(folder), "status", *options, "--", ".", *_WRITTEN]
    try:
        said = processes.run(command).splitlines()
    except (EngineError, HostError):
        return ""  # not a checkout, or no git here
    commit = next((line.removeprefix(_COMMIT) for line in said if line.startswith(_COMMIT)), "")
    dirty = any(not line.startswith("#") for line in said)
    return "" if commit == "(initial)" else f"{commit}{'+dirty' if dirty else ''}"
