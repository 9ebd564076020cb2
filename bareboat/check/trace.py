"""What a cell's program opens in its image, seen by running it once more under strace."""

from __future__ import annotations

import secrets
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from bareboat.check.strace_log import read_traces
from bareboat.closure import FolderRoot, find_closure
from bareboat.engine.tracer import HostTracer
from bareboat.system.files import make_open_folder
from bareboat.system.folders import remove

if TYPE_CHECKING:
    from bareboat.archive import Image
    from bareboat.check.strace_log import Opened
    from bareboat.make.context import JobContext
    from bareboat.plan.jobs import Cell


def find_tracer(folder: Path) -> HostTracer | None:
    """The strace of this machine, to be copied into `folder` with its libraries; None where there is none."""
    return HostTracer(folder, _libraries) if shutil.which("strace") else None


def trace_runs(context: JobContext, cell: Cell, image: Image) -> tuple[Opened, ...]:
    """What every run of the sample opened; empty where this machine has no strace."""
    if context.tracer is None:
        return ()
    opened: list[Opened] = []
    for run in cell.sample.expectations:
        logs = context.folders.scratch / "traces" / secrets.token_hex(8)
        make_open_folder(logs)
        try:
            command = (cell.program_path, *run.arguments)
            context.engine.trace(image.id, command, run.timeout_seconds, context.tracer.ready(), logs)
            opened += read_traces(logs, working_dir=image.config.working_dir or "/")
        finally:
            remove(context.processes, logs)
    return tuple(opened)


def _libraries(program: Path) -> list[Path]:
    closure = find_closure(FolderRoot(Path("/")), str(program))
    return [Path(needed.path) for needed in closure.files if needed.way in {"needed", "interpreter"}]
