"""`invoke run`: a cell's image in the foreground, confined as in the run that verified it."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import signal
import socket
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from bareboat.commands.one_cell import CellOptions, make_one_cell
from bareboat.commands.plan_inputs import teller
from bareboat.engine.containers import Start
from bareboat.errors import AbsentError, BareboatError, InputError
from bareboat.inputs.limits import LIMITS
from bareboat.podman_engine.client import Attached
from bareboat.podman_engine.session import session
from bareboat.system.folders import find_folders
from bareboat.system.foreground import has_terminal, is_listened_to
from bareboat.system.printable import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bareboat.commands.one_cell import MadeCell
    from bareboat.commands.project import Project
    from bareboat.podman_engine.engine import PodmanEngine
    from bareboat.result.values import Ran
    from bareboat.system.process import Processes

_TMP = "/tmp"  # noqa: S108 (a place in an image)
_LOOPBACK = "127.0.0.1"
_ADDRESS = r"\[[0-9a-fA-F:]+\]|[0-9]+(?:\.[0-9]+){3}"
_PUBLISH = re.compile(rf"(?:(?P<address>{_ADDRESS}):)?(?:(?P<here>[0-9]{{1,5}}):)?(?P<port>[0-9]{{1,5}})")
_MOST_PORTS = 65535
# By custom 80 is served on 8080 by who may not serve it on 80, and 443 on 8443.
_LOW_PORTS = 8000
_LOW_PORTS_FILE = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")
# As Podman and Docker have it, and what is left to one that is known not to end by itself.
_PATIENT_SECONDS, _IMPATIENT_SECONDS = 10, 1


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions(CellOptions):
    """The words of run."""

    arguments: str = ""  # of the program, as a shell would read them; "" for those that it was verified with
    publish: tuple[str, ...] = ()
    network: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """A port of a program, and where it is reached on this machine."""

    port: int
    here: int
    address: str = _LOOPBACK
    answer: str = field(default="", compare=False)  # what it answered when the program was verified

    def __str__(self) -> str:
        """As Podman spells it."""
        return f"{self.address}:{self.here}:{self.port}"

    @property
    def url(self) -> str:
        """Where a user of this machine finds it."""
        place = f"{_LOOPBACK if self.address == '0.0.0.0' else self.address}:{self.here}"  # noqa: S104 (not listened on)
        return f"http://{place}/" if self.answer.startswith("HTTP") else place


def run_cell(project: Project, options: RunOptions, processes: Processes, view: TextIO) -> tuple[str, int]:
    """Make a cell as far as it does not stand, and run it; the exit code is the program's, and so is the output."""
    asked = [parse_port(word) for word in options.publish]
    made, tell = make_one_cell(project, options, processes, view), teller(view)
    ran = made.result.ran if made.result.ran and made.result.ran.running else None
    ports = choose_ports(asked, ran, _first_port())
    if made.failed:
        tell(f"{made.cell.id} failed at {made.failed.stage}: {printable(made.failed.reason)}")
    with session(processes, find_folders(), tell) as running:
        if not running.engine.remote:
            check_free(ports)
        attached = _attached(running.engine, made, options, ports, ran)
        _say_how(made.cell.id, ports, tell, service=ran is not None)
        return "", running.engine.attach(attached)


def _attached(
    engine: PodmanEngine, made: MadeCell, options: RunOptions, ports: Sequence[Port], service: Ran | None
) -> Attached:
    expected = made.cell.sample.expectations[0]
    provenance = made.result.provenance
    start = Start(
        image=made.image_id,
        command=tuple(shlex.split(options.arguments)) or expected.arguments,
        environment=expected.environment,
        tmp=not expected.writable and _has(engine, made.image_id, _TMP),
        limits=(provenance.limits if provenance else None) or LIMITS,
    )
    return Attached(
        start=start,
        publish=tuple(map(str, ports)),
        network=options.network or expected.network,
        writable=expected.writable,
        # What the user types is theirs who listen: of a program in the background it is the shell's.
        stdin=not os.isatty(0) or (is_listened_to() and service is None),
        # A service is ended by Ctrl-C, which a terminal of its own would hand to a program that may not heed it.
        terminal=has_terminal() and service is None,
        answers=answers_of(service),
    )


def parse_port(word: str) -> Port:
    """What `--publish` was given: PORT, HERE:PORT or ADDRESS:HERE:PORT. Raises InputError."""
    found = _PUBLISH.fullmatch(word)
    numbers = [int(number) for number in (found["here"], found["port"]) if number] if found else []
    if found is None or not all(0 < number <= _MOST_PORTS for number in numbers):
        raise InputError(f"--publish {word}: it takes a port of the program, 8080, or one of yours and it: 18080:8080")
    return Port(port=numbers[-1], here=numbers[0], address=found["address"] or _LOOPBACK)


def choose_ports(asked: Sequence[Port], service: Ran | None, first: int) -> tuple[Port, ...]:
    """The ports that are asked for; else those that a service listened on, 80 as 8080 where `first` is above 80.

    `first` is the first port that this user may have.
    """
    answers = dict(zip(service.ports, service.answers, strict=True)) if service else {}
    if asked:
        return tuple(replace(port, answer=answers.get(port.port, "")) for port in asked)
    return tuple(
        Port(port=port, here=port if port >= first else port + _LOW_PORTS, answer=answer)
        for port, answer in answers.items()
    )


def answers_of(service: Ran | None) -> Mapping[int, tuple[int, int]]:
    """What the program is sent for each signal of ours, and after how many seconds it is killed, as `Attached` has it.

    Ctrl-C means to stop to a service, and what it likes to any other program.
    """
    stop, hang_up = signal.SIGTERM, signal.SIGHUP
    if service is None:
        asked = (stop, _PATIENT_SECONDS)
        return {signal.SIGINT: (signal.SIGINT, 0), stop: asked, hang_up: (hang_up, _PATIENT_SECONDS)}
    if service.stop_seconds is None:
        # It may still heed the other signal.
        return {number: (number, _IMPATIENT_SECONDS) for number in (signal.SIGINT, stop, hang_up)}
    return dict.fromkeys((signal.SIGINT, stop, hang_up), (stop, _PATIENT_SECONDS))


def _first_port() -> int:
    if os.geteuid() == 0:
        return 0
    with contextlib.suppress(OSError, ValueError):
        return int(_LOW_PORTS_FILE.read_text(encoding="ascii"))
    return 1024


def check_free(ports: Sequence[Port]) -> None:
    """Raise BareboatError for a port of this machine that somebody has."""
    for port in ports:
        host = port.address.strip("[]")
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as there:
            there.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                there.bind((host, port.here))
            except OSError as error:
                other = f"--publish {min(port.here + 10_000, _MOST_PORTS)}:{port.port} takes another"
                raise BareboatError(f"port {port.here} of this machine: {error.strerror}; {other}") from error


def _has(engine: PodmanEngine, image_id: str, path: str) -> bool:
    try:
        engine.copy_out(image_id, path)
    except AbsentError:
        return False
    return True


def _say_how(cell: str, ports: Sequence[Port], tell: Callable[[str], None], *, service: bool) -> None:
    for port in ports:
        tell(f"{cell}: its port {port.port} is {port.url}")
    if service:
        tell(f"{cell}: Ctrl-C stops it")
