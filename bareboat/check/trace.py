"""What a cell's program opens in its image, seen by running it once more under strace."""

from __future__ import annotations

import secrets
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from bareboat.check.strace_log import read_traces
from bareboat.closure import FolderRoot, find_closure
from bareboat.engine.tracer import make_tracer
from bareboat.errors import BareboatError
from bareboat.system.files import make_open_folder
from bareboat.system.folders import remove

if TYPE_CHECKING:
    from bareboat.archive import Image
    from bareboat.check.strace_log import Opened
    from bareboat.engine.tracer import Tracer
    from bareboat.make.context import JobContext
    from bareboat.plan.jobs import Cell


def find_tracer(folder: Path) -> Tracer:
    """The strace of this machine with its libraries, copied into `folder`. Raises BareboatError where there is none."""
    tracer = make_tracer(folder, _libraries)
    if tracer is None:
        raise BareboatError("strace was there when the run began, and is gone")
    return tracer


def trace_runs(context: JobContext, cell: Cell, image: Image) -> tuple[Opened, ...]:
    """What every run of the sample opened; empty where this machine has no strace."""
    if not context.traced:
        return ()
    folder = context.folders.engine / "tracer"
    tracer = context.tracers.get(folder, partial(find_tracer, folder))
    opened: list[Opened] = []
    for run in cell.sample.expectations:
        logs = context.folders.scratch / "traces" / secrets.token_hex(8)
        make_open_folder(logs)
        try:
            command = (cell.program_path, *run.arguments)
            context.engine.trace(image.id, command, run.timeout_seconds, tracer, logs, limits=context.limits(cell))
            opened += read_traces(logs, working_dir=image.config.working_dir or "/")
        finally:
            remove(context.processes, logs)
    return tuple(opened)


def _libraries(program: Path) -> list[Path]:
    closure = find_closure(FolderRoot(Path("/")), str(program))
    return [Path(needed.path) for needed in closure.files if needed.way in {"needed", "interpreter"}]
