"""Runs a program as it stands: it may end as it will, or serve, and then it is asked and told to end.

What listens in its network namespace, which has no network but loopback, is read from proc(5) and asked from inside.
"""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from bareboat.check import ask_port
from bareboat.engine.containers import RunReport
from bareboat.errors import BareboatError, RefusedError, StoppedError
from bareboat.result.values import Ran

if TYPE_CHECKING:
    from bareboat.engine.containers import Containers, Start
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
_LISTENS = "0A"  # TCP_LISTEN, as the kernel writes it


class Inside(Protocol):
    """Looks into the network namespace of a container's process."""

    def ports(self, process: int) -> tuple[int, ...]:
        """The TCP ports on which somebody listens there, sorted; none where the process has ended."""

    def ask(self, process: int, port: int) -> str:
        """What answers there on a port: `HTTP 200`, `no HTTP`, or "" where nothing does."""

    def peak_bytes(self, process: int) -> int | None:
        """The most memory that the process has had; None where it has ended, or cannot be seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Namespaces:
    """Looks into those of this machine's processes."""

    processes: Processes

    def ports(self, process: int) -> tuple[int, ...]:
        """As `Inside` says, from proc(5)."""
        found: set[int] = set()
        for table in ("tcp", "tcp6"):
            try:
                lines = Path(f"/proc/{process}/net/{table}").read_text(encoding="ascii").splitlines()
            except OSError:
                continue
            rows = (line.split() for line in lines[1:])
            found |= {int(row[1].rpartition(":")[2], 16) for row in rows if row[3] == _LISTENS}
        return tuple(sorted(found))

    def ask(self, process: int, port: int) -> str:
        """As `Inside` says, by a process that enters the namespace."""
        # In the user namespace that has the network namespace, an ordinary user may enter it.
        owner = () if os.geteuid() == 0 else ("--user", "--preserve-credentials")
        words = ("nsenter", f"--target={process}", *owner, "--net", "--", sys.executable, "-I", "-S", ask_port.__file__)
        try:
            return self.processes.run([*words, str(port)]).strip()
        except StoppedError:
            raise
        except BareboatError:  # it has ended meanwhile, or this machine lets nobody in
            return ""

    def peak_bytes(self, process: int) -> int | None:
        """VmHWM of proc(5)."""
        return peak_bytes(process)


class Nowhere:
    """Sees nothing: the containers are on another machine."""

    def ports(self, process: int) -> tuple[int, ...]:
        """None."""
        del process
        return ()

    def ask(self, process: int, port: int) -> str:
        """Nothing."""
        del process, port
        return ""

    def peak_bytes(self, process: int) -> int | None:
        """Nothing."""
        del process
        return None


def peak_bytes(process: int) -> int | None:
    """The most memory that a process of this machine has had, VmHWM of proc(5); None where it has ended."""
    try:
        status = Path(f"/proc/{process}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    values = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(values[0]) * 1024 if values else None


def run_as_it_stands(engine: Containers, start: Start, settle_seconds: float, inside: Inside) -> tuple[RunReport, Ran]:
    """Run a program until it ends, listens, or has run for `settle_seconds`; what still runs is sent SIGTERM.

    A program that the runtime refuses is a report too.
    """
    try:
        container = engine.start(start)
    except RefusedError as error:
        return RunReport(exit_code=None, stdout=b"", stderr=b"", refused=error.words), Ran()
    try:
        begin = time.monotonic()
        ports, process = _settle(engine, container, settle_seconds, inside)
        if process is None:
            report = engine.finish(container, _ENDED_SECONDS)
            return report, Ran(exit_code=report.exit_code, said=_said(report))
        listened = round(time.monotonic() - begin, 2) if ports else None
        if ports:
            time.sleep(_MORE_PORTS_SECONDS)
            ports = inside.ports(process) or ports
        answers = tuple(inside.ask(process, port) if place < _ASKED_PORTS else "" for place, port in enumerate(ports))
        if engine.process_of(container) is None:
            report = engine.finish(container, _ENDED_SECONDS)
            return report, Ran(exit_code=report.exit_code, ports=ports, answers=answers, listen_seconds=listened)
        peak = inside.peak_bytes(process)
        ran = Ran(running=True, ports=ports, answers=answers, listen_seconds=listened, peak_bytes=peak)
        return _end(engine, container, ran)
    finally:
        engine.discard(container)


def _said(report: RunReport) -> str:
    """The line of its standard error that tells most: the first that speaks of an error, else the last."""
    lines = [line.strip() for line in report.stderr.decode(errors="replace").split("\n") if line.strip()]
    told = next((line for line in lines if "error" in line.lower()), lines[-1] if lines else "")
    return told[:_SAID_CHARACTERS]


def _settle(engine: Containers, container: str, seconds: float, inside: Inside) -> tuple[tuple[int, ...], int | None]:
    """The ports that are listened on and the running process; no process where it has ended."""
    deadline = time.monotonic() + seconds
    while (process := engine.process_of(container)) is not None:
        asked = time.monotonic()
        # To look at the ports costs next to nothing, to ask the engine does not.
        while not (ports := inside.ports(process)) and time.monotonic() < asked + _ASKED_SECONDS:
            time.sleep(_LOOKED_SECONDS)
        if ports or time.monotonic() > deadline:
            return ports, process
    return (), None


def _end(engine: Containers, container: str, ran: Ran) -> tuple[RunReport, Ran]:
    """Tell what runs to end, and how it heeds that."""
    begin = time.monotonic()
    engine.signal(container, "SIGTERM")
    report = engine.finish(container, STOP_SECONDS)
    if report.exit_code is None:
        return report, ran
    seconds = round(time.monotonic() - begin, 2)
    # That it ended when it was told to is no fault of its own, whatever the code.
    return replace(report, exit_code=None), replace(ran, exit_code=report.exit_code, stop_seconds=seconds)
