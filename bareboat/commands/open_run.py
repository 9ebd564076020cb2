"""The run that a command opens: it looks up what of a plan stands already, and does the rest in a session."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

from bareboat import commands
from bareboat.commands.plan_inputs import kept_results, make_inputs, possible_sources, teller
from bareboat.engine.tracer import tracing_obstacle
from bareboat.errors import BareboatError
from bareboat.inputs.lock import Lock, read_lock
from bareboat.make.context import JobContext, Known
from bareboat.matrix.gather import MatrixRun, gather_run
from bareboat.matrix.standing import find_outputs
from bareboat.measurements import load_measurements
from bareboat.podman_engine.facts import recall_facts
from bareboat.podman_engine.runs import has_dead_runs
from bareboat.podman_engine.store_list import StoreList
from bareboat.system.folders import find_folders

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from bareboat.commands.project import Project
    from bareboat.inputs.recipe import RecipeBook
    from bareboat.inputs.sample import Sample
    from bareboat.make.context import Finder
    from bareboat.plan.jobs import Bases, Plan
    from bareboat.plan.planner import PlanInputs
    from bareboat.result.values import Host
    from bareboat.system.folders import Folders
    from bareboat.system.process import Processes


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a command wants done."""

    book: RecipeBook
    samples: tuple[Sample, ...]
    bases: Bases
    plan: Callable[[PlanInputs], Plan]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOptions:
    """How a run works."""

    jobs: int = 0  # how many compile side by side; 0 means as many as there are cores
    keep_going: bool = True
    locked: bool = False
    force: bool = False
    renew: bool = False
    thorough: bool = False
    verbose: bool = False  # tell of every job, those that are unchanged among them
    needs_engine: bool = False  # the command has work for an engine itself, whatever stands
    lock: Lock | None = None  # None means the project's own
    results: Path | None = None  # None means where those of the project's samples are kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """A plan that was carried out, and what was used for it, which can be used further inside the block."""

    plan: Plan
    inputs: PlanInputs
    known: Known
    run: MatrixRun

    @property
    def context(self) -> JobContext:
        """What jobs used; BareboatError where everything stood and no job had an engine."""
        if not isinstance(self.known, JobContext):
            raise BareboatError("there is no engine where everything stands")
        return self.known


@contextlib.contextmanager
def carry_out(
    project: Project, order: Order, processes: Processes, view: TextIO, work: WorkOptions
) -> Iterator[Carried]:
    """Do what an order asks for, with progress on the view; where all of it stands, nothing is asked and started."""
    tell = teller(view)
    load_measurements()  # so that a wrong column is told before any registry is asked
    if standing := _find_standing(project, order, work):
        source, kinds = standing.inputs.source, {"registry": "of registries", "bootstrap": "made from packages"}
        tell(f"bases: {kinds[source]}, as when everything was made")
        for job in standing.plan.jobs if work.verbose else ():
            tell(f"{job.id}: unchanged")
        yield standing
        return
    # Imported only here, when it is named: what there is to do needs podman-py and all the rest.
    with commands.session_run.run_in_session(project, order, processes, view, work) as carried:
        yield carried


def make_known(project: Project, work: WorkOptions, folders: Folders, images: Finder, host: Host) -> Known:
    """What may be looked up."""
    return Known(
        images=images,
        folders=folders,
        recipes=project.recipes,
        results=(work.results or kept_results(project, None)) / host.name,
        lock=read_lock(project.lock, host.architecture) if work.lock is None else work.lock,
        locked=work.locked,
        force=work.force,
        renew=work.renew,
        thorough=work.thorough,
        host=host,
        untraced=tracing_obstacle(os.environ),
    )


def _find_standing(project: Project, order: Order, work: WorkOptions) -> Carried | None:
    """What the order comes to where everything stands; None where something is to be done, or nothing is known."""
    folders = find_folders()
    facts = None if os.environ.get("CONTAINER_HOST") else recall_facts(folders.engine, os.environ)
    if facts is None or work.force or work.renew or work.needs_engine or has_dead_runs(folders):
        return None
    known = make_known(project, work, folders, StoreList(facts.images_file), facts.host)
    for source in possible_sources(order.bases):
        inputs = make_inputs(order.book, order.samples, source)
        plan = order.plan(inputs)
        found = find_outputs(known, plan)
        # Where every cell is skipped there may be more to do with bases from elsewhere.
        if plan.jobs and len(found) == len(plan.jobs):
            return Carried(plan=plan, inputs=inputs, known=known, run=gather_run(plan, found))
    return None
