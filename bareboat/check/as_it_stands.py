"""Runs a program as it stands: it may end as it will, or serve, and then it is asked and told to end.

What listens in its network namespace is read from proc(5) and asked from inside.
"""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from bareboat.check import ask_port
from bareboat.check.serving import is_ready, path_to_ask
from bareboat.check.sockets import Sockets, Watched, read_sockets
from bareboat.engine.containers import RunReport
from bareboat.errors import BareboatError, RefusedError, StoppedError
from bareboat.result.values import Ran

if TYPE_CHECKING:
    from bareboat.engine.containers import Containers, Start
    from bareboat.inputs.expectation import Serving
    from bareboat.system.process import Processes

STOP_SECONDS = 3.0
_LOOKED_SECONDS = 0.01
_ASKED_SECONDS = 0.05
# Where one port is listened on, the program's others may follow at once.
_MORE_PORTS_SECONDS = 0.2
# A program may listen on any number of them, and each may take seconds.
_ASKED_PORTS = 8
_ENDED_SECONDS = 20.0
_SAID_CHARACTERS = 300
# A UDP port that has been bound since this part of its time was over is a server's, and who has asked others since that
# part was over still waits for them.
_BOUND_SOON, _ASKED_LATE = 0.25, 0.75


class Inside(Protocol):
    """Looks into the network namespace of a container's process."""

    def sockets(self, process: int) -> Sockets:
        """What is open there; nothing where the process has ended."""

    def ask(self, process: int, port: int, path: str = "/") -> str:
        """What answers there on a port to `GET`: `HTTP 200`, `no HTTP`, or "" where nothing does."""

    def peak_bytes(self, process: int) -> int | None:
        """The most memory that the process has had; None where it has ended, or cannot be seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Namespaces:
    """Looks into those of this machine's processes."""

    processes: Processes

    def sockets(self, process: int) -> Sockets:
        """As `Inside` says, from proc(5)."""
        return read_sockets(process)

    def ask(self, process: int, port: int, path: str = "/") -> str:
        """As `Inside` says, by a process that enters the namespace."""
        # In the user namespace that has the network namespace, an ordinary user may enter it.
        owner = () if os.geteuid() == 0 else ("--user", "--preserve-credentials")
        words = ("nsenter", f"--target={process}", *owner, "--net", "--", sys.executable, "-I", "-S", ask_port.__file__)
        try:
            return self.processes.run([*words, str(port), path]).strip()
        except StoppedError:
            raise
        except BareboatError:  # it has ended meanwhile, or this machine lets nobody in
            return ""

    def peak_bytes(self, process: int) -> int | None:
        """VmHWM of proc(5)."""
        return peak_bytes(process)


class Nowhere:
    """Sees nothing: the containers are on another machine."""

    def sockets(self, process: int) -> Sockets:
        """None."""
        del process
        return Sockets()

    def ask(self, process: int, port: int, path: str = "/") -> str:
        """Nothing."""
        del process, port, path
        return ""

    def peak_bytes(self, process: int) -> int | None:
        """Nothing."""
        del process
        return None


def peak_bytes(process: int) -> int | None:
    """The most memory that a container's program has had, VmHWM of proc(5); None where it has ended.

    It is the container's first process on this machine, or else the one that our own `init` has started.
    """
    try:
        status = Path(f"/proc/{_program_of(process)}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    values = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(values[0]) * 1024 if values else None


def _program_of(process: int) -> int:
    place = Path(f"/proc/{process}")
    if (place / "comm").read_text(encoding="ascii", errors="replace") != "init\n":
        return process
    # The oldest comes first; orphans are adopted later.
    children = (place / f"task/{process}/children").read_text(encoding="ascii").split()
    return int(children[0]) if children else process


@dataclass(slots=True, kw_only=True)
class _Standing:
    """A container that is watched for so many seconds from its start."""

    engine: Containers
    container: str
    inside: Inside
    seconds: float
    serving: Serving | None  # what it must do as a service; None where it may do as it will
    begin: float = field(default_factory=time.monotonic)
    watched: Watched = field(default_factory=Watched)

    def is_over(self) -> bool:
        """Whether its time is over."""
        return time.monotonic() > self.begin + self.seconds

    def listens(self) -> bool:
        """Whether it was seen to listen where it must, or on any TCP port."""
        port, now = self.serving.port if self.serving else None, self.watched.now
        return now.has(port) if port else bool(now.listening)

    def settle(self) -> int | None:
        """Its running process, when it listens or its time is over; None where it has ended."""
        while (process := self.engine.process_of(self.container)) is not None:
            asked = time.monotonic()
            self._look(process)
            # To look at the sockets costs next to nothing, to ask the engine does not.
            while not self.listens() and time.monotonic() < asked + _ASKED_SECONDS:
                time.sleep(_LOOKED_SECONDS)
                self._look(process)
            if self.listens() or self.is_over():
                return process
        return None

    def ask(self, process: int) -> Ran:
        """What it does while it runs on: where it listens, and what it answers there."""
        now = self._look_again(process) if self.listens() else self.watched.now
        if not now.listening:
            return self._without_tcp(now)
        answers = self._answers(process, now.listening)
        listened = self._since_begin(self.watched.listened_at)
        return Ran(running=True, ports=now.listening, local_ports=now.local, answers=answers, listen_seconds=listened)

    def _without_tcp(self, now: Sockets) -> Ran:
        servers = self.watched.servers(self.begin + _BOUND_SOON * self.seconds)
        if self.serving and self.serving.port in now.bound:
            servers = (self.serving.port,)
        listened = min((self.watched.bound_at[port] for port in servers if port in self.watched.bound_at), default=None)
        waits = not servers and self.watched.waits(self.begin + _ASKED_LATE * self.seconds)
        return Ran(running=True, udp_ports=servers, listen_seconds=self._since_begin(listened), waits=waits)

    def _look(self, process: int) -> None:
        self.watched.note(self.inside.sockets(process), time.monotonic())

    def _look_again(self, process: int) -> Sockets:
        """What is open a moment later, or what was open, where it has ended in that moment."""
        before = self.watched.now
        time.sleep(_MORE_PORTS_SECONDS)
        self._look(process)
        return self.watched.now if self.listens() else before

    def _answers(self, process: int, ports: tuple[int, ...]) -> tuple[str, ...]:
        """What each port answers, asked again while it is to answer otherwise and there is time."""
        serving = self.serving
        own = {serving.port} if serving else set()
        while True:
            answers = tuple(
                self.inside.ask(process, port, path_to_ask(serving, port))
                if place < _ASKED_PORTS or port in own
                else ""
                for place, port in enumerate(ports)
            )
            if serving is None or is_ready(serving, ports, answers) or self.is_over():
                return answers
            if self.engine.process_of(self.container) is None:
                return answers
            time.sleep(_ASKED_SECONDS)

    def _since_begin(self, moment: float | None) -> float | None:
        return None if moment is None else round(moment - self.begin, 2)


def run_as_it_stands(
    engine: Containers, start: Start, settle_seconds: float, inside: Inside, serving: Serving | None = None
) -> tuple[RunReport, Ran]:
    """Run a program until it ends, listens, or has run for `settle_seconds`; what still runs is sent SIGTERM.

    Of a service that says what it must do, until it does that. A program that the runtime refuses is a report too.
    """
    try:
        container = engine.start(start)
    except RefusedError as error:
        return RunReport(exit_code=None, stdout=b"", stderr=b"", refused=error.words), Ran()
    try:
        standing = _Standing(engine=engine, container=container, inside=inside, seconds=settle_seconds, serving=serving)
        process = standing.settle()
        if process is None:
            report = engine.finish(container, _ENDED_SECONDS)
            return report, Ran(exit_code=report.exit_code, said=_said(report))
        ran = standing.ask(process)
        if engine.process_of(container) is None:
            report = engine.finish(container, _ENDED_SECONDS)
            return report, replace(ran, running=False, exit_code=report.exit_code)
        ran = replace(ran, peak_bytes=inside.peak_bytes(process))
        return _end(engine, container, ran, serving.stop_seconds if serving else STOP_SECONDS)
    finally:
        engine.discard(container)


def _said(report: RunReport) -> str:
    """The line of its standard error that tells most: the first that speaks of an error, else the last."""
    lines = [line.strip() for line in report.stderr.decode(errors="replace").split("\n") if line.strip()]
    told = next((line for line in lines if "error" in line.lower()), lines[-1] if lines else "")
    return told[:_SAID_CHARACTERS]


def _end(engine: Containers, container: str, ran: Ran, seconds: float) -> tuple[RunReport, Ran]:
    """Tell what runs to end, and how it heeds that."""
    begin = time.monotonic()
    engine.signal(container, "SIGTERM")
    report = engine.finish(container, seconds)
    if report.exit_code is None:
        return report, ran
    took = round(time.monotonic() - begin, 2)
    # That it ended when it was told to is no fault of its own, whatever the code.
    return replace(report, exit_code=None), replace(ran, exit_code=report.exit_code, stop_seconds=took)
