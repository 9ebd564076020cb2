"""Runs the images, one at a time: all loads in one container, each in a process of its own."""

from __future__ import annotations

import re
import secrets
import statistics
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError

from bareboat.check.trace import find_tracer
from bareboat.engine.containers import Start
from bareboat.engine.tracer import LOGS_TARGET, TOOLS_TARGET, Tracer
from bareboat.errors import BareboatError
from bareboat.inputs.limits import Limits
from bareboat.system.files import make_open_folder
from bareboat.system.folders import remove
from curves.figures import CellFigures, Futexes, Reading

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from bareboat.engine.containers import RunReport
    from bareboat.make.context import JobContext

# What eight threads of large blocks need, and as much again several times for what an allocator keeps.
_LIMITS = Limits(memory_mb=1500, processes=64)
_LONGEST_SECONDS = 300.0
_READING = TypeAdapter(Reading)
_STARTS = TypeAdapter(dict[str, tuple[float, ...]])
# A line of strace's log begins with the thread's number; one call has one line with its name and an opening bracket.
_CALL = re.compile(r"^\d+ +(futex|execve)\(", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """What is measured: a cell's words, its image and the path of its program."""

    figures: CellFigures
    image_id: str
    program: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How long, how often."""

    rounds: int
    seconds: float
    starts: int
    traced_seconds: float


class FutexTracer(Tracer):
    """The same strace, told to see nothing but futex calls and which program makes them.

    Calls that it does not see pass at full speed, for the kernel itself leaves them out.
    """

    __slots__ = ()

    def entrypoint(self) -> tuple[str, ...]:
        """The words of the command that come before the path of the program."""
        words = Tracer.entrypoint(self)
        before = words[: words.index(f"{TOOLS_TARGET}/strace") + 1]
        options = ("-f", "-qqq", "--seccomp-bpf", "-e", "signal=none", "-e", "trace=execve,futex")
        return (*before, *options, "-o", f"{LOGS_TARGET}/log", "--")


def take_all(
    context: JobContext, images: Sequence[Image], plan: Plan, tell: Callable[[str], None]
) -> list[CellFigures]:
    """Every cell once a round, each round beginning with the next; then once under strace."""
    found = {image.figures.cell: image.figures for image in images}
    for number in range(plan.rounds):
        first = number % len(images)
        for image in (*images[first:], *images[:first]):
            cell = image.figures.cell
            tell(f"round {number + 1} of {plan.rounds}: {cell}")
            found[cell] = replace(
                found[cell],
                rounds=(*found[cell].rounds, take_series(context, image, plan.seconds)),
                start_milliseconds=(*found[cell].start_milliseconds, take_starts(context, image, plan.starts)),
            )
    if context.untraced:
        tell(f"futex calls: {context.untraced}")
        return list(found.values())
    for image in images:
        tell(f"futex calls: {image.figures.cell}")
        found[image.figures.cell] = replace(
            found[image.figures.cell], futexes=take_futexes(context, image, plan.traced_seconds)
        )
    return list(found.values())


def take_series(context: JobContext, image: Image, seconds: float) -> tuple[Reading, ...]:
    """Every load by every number of threads."""
    return read_series(_run(context, image, ("--series", str(seconds))))


def take_starts(context: JobContext, image: Image, count: int) -> float:
    """The median of so many starts of the program by itself in one container, in milliseconds."""
    report = _run(context, image, ("--starts", str(count)))
    return statistics.median(_STARTS.validate_json(report.stdout)["start_milliseconds"])


def take_futexes(context: JobContext, image: Image, seconds: float) -> tuple[Futexes, ...]:
    """The futex calls of every load by every number of threads, in a run of its own of which nothing is timed."""
    folder = context.folders.engine / "tracer"
    plain = context.tracers.get(folder, partial(find_tracer, folder))
    tracer = FutexTracer(tools=plain.tools, loader=plain.loader)
    logs = context.folders.scratch / "traces" / secrets.token_hex(8)
    make_open_folder(logs)
    try:
        start = Start(image=image.image_id, command=(image.program, "--series", str(seconds)), limits=_LIMITS)
        report = context.engine.trace(start, _LONGEST_SECONDS, tracer, logs)
        readings = read_series(report)
        log = (logs / "log").read_text(encoding="utf-8", errors="replace")
    finally:
        remove(context.processes, logs)
    return count_futexes(log, readings)


def read_series(report: RunReport) -> tuple[Reading, ...]:
    """What the program printed, a line each. Raises BareboatError where it came to no good end."""
    if report.exit_code != 0:
        said = report.refused or report.stderr.decode(errors="replace").strip() or "nothing"
        raise BareboatError(f"the program ended with {report.exit_code} and said: {said}")
    try:
        return tuple(_READING.validate_json(line) for line in report.stdout.splitlines() if line)
    except ValidationError as error:
        raise BareboatError(f"the program said what is no reading: {error}") from error


def count_futexes(log: str, readings: Iterable[Reading]) -> tuple[Futexes, ...]:
    """The calls of each process of a series: the first start is that of the series itself, then a start a reading."""
    counts = [0]
    for call in _CALL.finditer(log):
        if call[1] == "execve":
            counts.append(0)
        else:
            counts[-1] += 1
    readings = tuple(readings)
    if len(counts) != len(readings) + 2:
        raise BareboatError(f"strace saw {len(counts) - 1} starts, where there were {len(readings) + 1}")
    return tuple(
        Futexes(load=one.load, threads=one.threads, calls=calls, operations=one.all_operations)
        for one, calls in zip(readings, counts[2:], strict=True)
    )


def _run(context: JobContext, image: Image, arguments: tuple[str, ...]) -> RunReport:
    report = context.engine.run(image.image_id, arguments, _LONGEST_SECONDS, limits=_LIMITS)
    if report.exit_code != 0:
        read_series(report)
    return report
