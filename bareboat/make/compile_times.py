"""Times compiles of a program, apart from the one that it comes from: of all its crates, and of its own once more.

The target folder and the copy of the sources are of this alone, so that a change there is none of the program's.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError

from bareboat.engine.containers import Work
from bareboat.errors import BareboatError, StoppedError
from bareboat.inputs.cargo_metadata import read_metadata, root_source
from bareboat.inputs.sample import SOURCES
from bareboat.make.program import in_a_shell, read_seconds, scratch_folder, std_mounts, sysroot_mounts, vendor
from bareboat.make.sources import program_name, sync_sources
from bareboat.plan.cargo_commands import compile_commands, metadata_commands
from bareboat.result.measurement import Reading
from bareboat.system.files import write_whole
from bareboat.system.folders import remove

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bareboat.make.context import JobContext, Program
    from bareboat.plan.jobs import ProgramJob

# A compile that takes less than this is done this many times.
_SHORT_SECONDS, _RUNS = 10.0, 3
_CHANGE = b"\n// bareboat: a line that was not there before\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class CompileTimes:
    """The seconds that cargo says compiles of a program took, one a compile."""

    cold: tuple[float, ...]  # with an empty target folder, the crates being fetched
    warm: tuple[float, ...]  # after a change of the program's root source file, all else being compiled


_TIMES = TypeAdapter(CompileTimes)


def read_compiles(context: JobContext, job: ProgramJob, program: Program) -> tuple[Reading, Reading]:
    """How long the program takes to compile cold and warm, in seconds.

    They are taken once and kept beside the program. The caller has the processors alone.
    """
    try:
        times = context.compile_times.get(program.key, partial(_find_times, context, job, program))
    except StoppedError:
        raise
    except BareboatError as error:
        failed = Reading(value=None, why=error.summary)
        return failed, failed
    return Reading(value=median(times.cold)), Reading(value=median(times.warm))


def _find_times(context: JobContext, job: ProgramJob, program: Program) -> CompileTimes:
    kept = program.path.with_name("compiles.json")
    if not context.force:
        with contextlib.suppress(OSError, ValidationError):
            return _TIMES.validate_json(kept.read_bytes())
    if context.remote:
        raise BareboatError("an engine on another machine compiles in steps of a build, whose time nobody tells")
    with scratch_folder(context) as folder:
        times = _take_times(context, job, program, folder)
    write_whole(kept, _TIMES.dump_json(times))
    return times


def _take_times(context: JobContext, job: ProgramJob, program: Program, folder: Path) -> CompileTimes:
    places = {SOURCES: folder / "sources", "/target": folder / "target", "/out": folder / "out"}
    for place in places.values():
        place.mkdir()
    sources, target, out = places.values()
    sync_sources(job.sample, sources)
    crates = {"/crates": vendor(context, job, program.toolchain, sources)} if job.sample.needs_crates else {}
    work = Work(
        image=program.toolchain.image,
        command=in_a_shell((*compile_commands(job), *metadata_commands(to="/out/metadata"))),
        mounts={**places, **crates, **sysroot_mounts(job)},
        image_mounts=std_mounts(job),
        writable=frozenset(places),
        folder=job.sample.source_folder,
    )

    def compile_cold() -> float:
        remove(context.processes, target)
        target.mkdir()
        return _compile(context, job, work)

    def compile_warm() -> float:
        with _find_root(job, sources, out / "metadata").open("ab") as root:
            root.write(_CHANGE)
        return _compile(context, job, work)

    return CompileTimes(cold=_repeat(compile_cold), warm=_repeat(compile_warm))


def _repeat(once: Callable[[], float]) -> tuple[float, ...]:
    first = once()
    return (first, *(once() for _ in range(_RUNS - 1 if first < _SHORT_SECONDS else 0)))


def _compile(context: JobContext, job: ProgramJob, work: Work) -> float:
    log = context.log(f"{program_name(job)} timed")
    context.engine.work(work, log)
    seconds = read_seconds(log.read_text(encoding="utf-8", errors="replace"))
    if seconds is None:
        raise BareboatError(f"cargo does not say how long it took: {log}")
    return seconds


def _find_root(job: ProgramJob, sources: Path, said: Path) -> Path:
    """The program's root source file in a copy of its sources, by what cargo says."""
    sample = job.sample
    metadata = read_metadata(said.read_text(encoding="utf-8"), sample.source_folder, sample.folder)
    root = root_source(metadata, sample.package, sample.binary)
    if root is not None and root.is_relative_to(SOURCES):
        place = (sources / root.relative_to(SOURCES)).resolve()
        # A link in the sources may lead to any file of this machine, and none of those is changed.
        if place.is_relative_to(sources.resolve()) and place.is_file():
            return place
    raise BareboatError(f"the root source file of {sample.binary} is not among its sources: {root}")
