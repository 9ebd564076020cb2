"""Measures a program from inside its container: the gauge is the entry point there, and runs it again and again.

The container is confined as every other is. What a run shows that was not what is expected of it is no figure.
"""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pydantic import ConfigDict, TypeAdapter, ValidationError

from bareboat.check.limits import limit_hit
from bareboat.engine.containers import NETWORKS, Start
from bareboat.errors import RefusedError
from bareboat.inputs.expectation import Served
from bareboat.result.gauged import Gauged, GaugedRun
from bareboat.system.quiet import Processors, say_busy

if TYPE_CHECKING:
    from bareboat.engine.containers import RunReport
    from bareboat.inputs.expectation import Serving
    from bareboat.make.context import JobContext, Program
    from bareboat.plan.jobs import Cell
    from bareboat.result.values import Ran

PLACE = "/bareboat-gauge"
RUNS = 50
TOTAL_SECONDS = 0.6
# What a program is told to end may take, and how much longer than its runs the gauge itself may.
STOP_SECONDS = 0.3
_MORE_SECONDS = 20.0
_FEWEST_RUNS = 3
_TICKS_PER_SECOND = 100  # USER_HZ, in which /proc/stat counts
_TOLD_TICKS = 40  # of fewer, a share says nothing
_SAID_CHARACTERS = 300
_NANO, _KIB = 1e-9, 1024
_ANSWER = ConfigDict(extra="ignore", strict=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """What the gauge says of one run; times in nanoseconds since its exec, null of what never came."""

    __pydantic_config__ = _ANSWER

    errno: int  # why it could not be executed; 0 where it was
    output_ns: int | None
    connected_ns: int | None
    answered_ns: int | None
    ended_ns: int | None
    signal: int  # that ended it; 0 where it ended by itself
    exit_code: int
    peak_kib: int
    minor_faults: int
    major_faults: int
    stopped: bool  # whether it was told to end

    @property
    def code(self) -> int:
        """As the exit code of a container would be."""
        return 128 + self.signal if self.signal else self.exit_code

    def figures(self) -> GaugedRun:
        """What of it is measured."""
        return GaugedRun(
            output=_seconds(self.output_ns),
            connected=_seconds(self.connected_ns),
            answered=_seconds(self.answered_ns),
            ended=None if self.stopped else _seconds(self.ended_ns),
            peak_bytes=self.peak_kib * _KIB,
            faults=self.minor_faults + self.major_faults,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Processors:
    """What the machine's processors did meanwhile."""

    __pydantic_config__ = _ANSWER

    all_ticks: int
    idle_ticks: int
    own_microseconds: int  # what the gauge and all that it ran took


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the gauge prints."""

    __pydantic_config__ = _ANSWER

    user: int  # as whom it ran
    capabilities: int  # those in effect, a bit each
    read_only: bool  # whether its root filesystem was
    processors: _Processors
    runs: tuple[_Run, ...]
    idle_runs: tuple[_Run, ...]


_READ = TypeAdapter(Answer)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a program is to do under the gauge."""

    program: str  # its path in the image
    port: int = 0  # where it listens; 0 where it ends by itself
    exit_code: int = 0  # with which it ends by itself
    seconds: float = 10.0  # the time within which it ends, or listens and answers

    def lacks(self, why: str) -> Gauged:
        """No figures of it, and why."""
        return Gauged(why=why, service=bool(self.port))


def gauge_cell(context: JobContext, cell: Cell, gauge: Program, image_id: str, ran: Ran | None) -> Gauged:
    """What the gauge shows of the plain run of a cell; `ran` is what an open run did. Raises BareboatError."""
    plain = cell.sample.expectations[0]
    if plain.writable:
        return Gauged(why="it writes to its root filesystem, which is read-only where it is timed")
    if plain.is_open and (ran is None or (ran.running and not ran.ports)):
        listens = ran is not None and ran.udp_ports
        return Gauged(why="it listens on UDP alone" if listens else "it neither ends nor listens")
    port = _port(ran, plain.serving if isinstance(plain, Served) else None) if ran else 0
    ended = plain.exit_code if plain.exit_code is not None else ran.exit_code if ran else None
    wanted = Wanted(program=cell.program_path, port=port, exit_code=ended or 0, seconds=plain.timeout_seconds)
    start = Start(
        image=image_id,
        command=plain.arguments,
        environment=plain.environment,
        tmp=plain.is_open,
        network=NETWORKS[plain.network],
        limits=context.limits(cell),
    )
    return take(context, gauge, start, wanted)


def _port(ran: Ran, serving: Serving | None) -> int:
    """The port to ask: what must be listened on, else one that answers HTTP, else the first; 0 where there is none."""
    if serving and serving.port:
        return serving.port
    spoken = (port for port, answer in zip(ran.ports, ran.answers, strict=False) if answer.startswith("HTTP"))
    return next(spoken, ran.ports[0] if ran.ports else 0)


def take(context: JobContext, gauge: Program, start: Start, wanted: Wanted) -> Gauged:
    """What the gauge shows of a program that is started so; nothing, and why, where the machine is busy."""
    if context.remote:
        return wanted.lacks("the engine is on another machine, and cannot mount the gauge of this one")
    if busy := context.await_quiet():
        return wanted.lacks(busy)
    answer = ask(context, gauge, start, wanted)
    return wanted.lacks(answer) if isinstance(answer, str) else judge(answer, wanted)


def ask(context: JobContext, gauge: Program, start: Start, wanted: Wanted) -> Answer | str:
    """What the gauge says of a program that is started so; one line of why it says nothing."""
    milliseconds = [str(round(1000 * seconds)) for seconds in (TOTAL_SECONDS, wanted.seconds, STOP_SECONDS)]
    entry = (PLACE, str(RUNS), *milliseconds, str(wanted.port), wanted.program)
    start = replace(start, entrypoint=entry, mounts={**start.mounts, PLACE: gauge.path})
    try:
        container = context.engine.start(start)
    except RefusedError as error:
        return f"the runtime refused the gauge: {error.words}"
    try:
        report = context.engine.finish(container, _FEWEST_RUNS * wanted.seconds + _MORE_SECONDS)
    finally:
        context.engine.discard(container)
    return read(report) or limit_hit(report, start.limits) or _no_answer(report)


def read(report: RunReport) -> Answer | None:
    """What the gauge printed; None where that is no answer of a gauge."""
    try:
        return _READ.validate_json(report.stdout, strict=True)
    except ValidationError:
        return None


def _no_answer(report: RunReport) -> str:
    said = " ".join((report.stderr or report.stdout).decode(errors="replace").split())[:_SAID_CHARACTERS]
    return f"the gauge gave no answer (exit code {report.exit_code}){': ' if said else ''}{said}"


def judge(answer: Answer, wanted: Wanted) -> Gauged:
    """The figures of what the gauge saw, or why they are none. Pure."""
    faults = (_fault(run, wanted) for run in answer.runs)
    why = next((fault for fault in faults if fault), "") or _busy(answer.processors)
    if why or not answer.runs:
        return wanted.lacks(why or "the gauge made no run")
    return Gauged(
        runs=tuple(run.figures() for run in answer.runs),
        idle_runs=tuple(run.figures() for run in answer.idle_runs),
        service=bool(wanted.port),
    )


def _fault(run: _Run, wanted: Wanted) -> str:
    """Why a run was not as is wanted; "" where it was."""
    if run.errno:
        return f"it cannot be executed: {os.strerror(run.errno)}"
    ended = f"{signal.Signals(run.signal).name} ended it" if run.signal else f"it ended with exit code {run.exit_code}"
    if wanted.port:
        if run.connected_ns is not None:
            return ""
        if run.stopped:
            return f"it did not listen on 127.0.0.1:{wanted.port} within {wanted.seconds:g} s"
        return f"{ended} and never listened on 127.0.0.1:{wanted.port}"
    if run.stopped:
        return f"it did not end within {wanted.seconds:g} s"
    return "" if run.code == wanted.exit_code else f"{ended}, not {wanted.exit_code}"


def _busy(processors: _Processors) -> str:
    if processors.all_ticks < _TOLD_TICKS:
        return ""
    done = Processors(total=processors.all_ticks, idle=processors.idle_ticks)
    return say_busy(done, own=processors.own_microseconds * _TICKS_PER_SECOND / 1e6)


def _seconds(nanoseconds: int | None) -> float | None:
    return None if nanoseconds is None else nanoseconds * _NANO
