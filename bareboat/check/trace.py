"""What a cell's program opens in its image, seen by running it once more under strace.

A run that was not traced to its end shows nothing of what nobody opens, so each of these is told apart from one that
opened nothing: this machine has no strace, the runtime or the kernel refuses it, or the program ended otherwise.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from bareboat.check.runs import judge_run
from bareboat.check.strace_log import read_traces
from bareboat.closure import FolderRoot, find_closure
from bareboat.engine.containers import NETWORKS, Start
from bareboat.engine.tracer import make_tracer
from bareboat.errors import BareboatError
from bareboat.system.files import make_open_folder
from bareboat.system.folders import remove

if TYPE_CHECKING:
    from bareboat.archive import Image
    from bareboat.check.strace_log import Opened
    from bareboat.engine.containers import RunReport
    from bareboat.engine.tracer import Tracer
    from bareboat.inputs.expectation import Expectation
    from bareboat.inputs.limits import Limits
    from bareboat.make.context import JobContext
    from bareboat.plan.jobs import Cell


# What a program opens that may run for ever, it opens for the most part when it starts.
_OPEN_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """What the runs of an image opened."""

    opened: tuple[Opened, ...] = ()
    unseen: str = ""  # one line of why it was not seen, or not all of it; "" where it was


def find_tracer(folder: Path) -> Tracer:
    """The strace of this machine with its libraries, copied into `folder`. Raises BareboatError where there is none."""
    tracer = make_tracer(folder, _libraries)
    if tracer is None:
        raise BareboatError("strace was there when the run began, and is gone")
    return tracer


def trace_runs(context: JobContext, cell: Cell, image: Image) -> Trace:
    """What every run of the sample opened; nothing is run where the context says why nothing can be traced."""
    if context.untraced:
        return Trace(unseen=context.untraced)
    folder = context.folders.engine / "tracer"
    tracer = context.tracers.get(folder, partial(find_tracer, folder))
    opened: list[Opened] = []
    unseen: list[str] = []
    for run in cell.sample.expectations:
        logs = context.folders.scratch / "traces" / secrets.token_hex(8)
        make_open_folder(logs)
        try:
            limits = context.limits(cell)
            start = Start(
                image=image.id,
                command=(cell.program_path, *run.arguments),
                environment=run.environment,
                network=NETWORKS[run.network],
                limits=limits,
            )
            report = context.engine.trace(start, _seconds(run), tracer, logs)
            seen = read_traces(logs, working_dir=image.config.working_dir or "/")
        finally:
            remove(context.processes, logs)
        opened += seen
        unseen += _unseen(cell.program_path, run, report, seen, limits)
    return Trace(opened=tuple(opened), unseen=next(iter(unseen), ""))


def _seconds(run: Expectation) -> float:
    return min(run.timeout_seconds, _OPEN_SECONDS) if run.is_open else run.timeout_seconds


def _unseen(
    program: str, run: Expectation, report: RunReport, seen: tuple[Opened, ...], limits: Limits
) -> tuple[str, ...]:
    """Why a traced run does not show all that the program opens; nothing where it does."""
    if report.refused:
        return (f"the runtime refuses strace, and --force tries again: {report.refused}",)
    if report.flooded:
        return ("its trace grew beyond all measure",)
    if not any(access.access == "exec" and access.found and access.path == program for access in seen):
        lines = report.stderr.decode(errors="replace").splitlines()
        said = next(
            (line.strip() for line in lines if "strace" in line or "ptrace" in line), "it has no log of the start"
        )
        return (f"strace was refused, and --force tries again: {said}",)
    if report.exit_code is None:
        if run.is_open:
            return (f"it ran on after the {_seconds(run):g} s that were seen",)
        return (f"under strace it did not end within {run.timeout_seconds:g} s",)
    # A traced run is read-only, so that one which is to write ends otherwise.
    failure = None if run.writable else judge_run(report, run, limits)
    return (f"under strace it ran otherwise: {failure.reason}",) if failure else ()


def _libraries(program: Path) -> list[Path]:
    closure = find_closure(FolderRoot(Path("/")), str(program))
    return [Path(needed.path) for needed in closure.files if needed.way in {"needed", "interpreter"}]
