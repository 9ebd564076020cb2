"""An engine in a folder: what the Engine Protocol promises, with no Podman on the machine.

A container runs nothing: a `Script` says what it does.
"""

from __future__ import annotations

import itertools
import secrets
import shlex
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bareboat.engine.containers import NO_NETWORK, OUTSIDE, RunReport, Start, Work
from bareboat.engine.fake_images import FakeImages
from bareboat.errors import BareboatError, EngineError, RefusedError
from bareboat.inputs.limits import LIMITS, Limits
from bareboat.result.values import Host
from bareboat.system.files import write_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from bareboat.archive import Image
    from bareboat.engine.tracer import Tracer

HOST = Host(
    name="fake",
    system="none",
    kernel="none",
    architecture="amd64",
    podman="0",
    buildah="0",
    runtime="none",
    storage_driver="folder",
    rootless=True,
    bareboat="0",
)
# The exit code of a container that SIGKILL ended: 128 and the number of the signal.
KILLED = 137
# What a program of the fake engine says and ends with that cannot make a process.
_NO_PROCESS, _NO_PROCESS_CODE = b"fork: Resource temporarily unavailable\n", 11
# Linux gives no process a number above this one (proc(5), pid_max), so nothing in /proc is mistaken for a container's.
_HIGHEST_PROCESS = 2**22


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """What a container of the fake engine does."""

    # What it writes to its outputs, all of it when it starts.
    stdout: bytes = b""
    stderr: bytes = b""
    # The files that it writes when it starts, by their path in the container.
    files: Mapping[str, bytes] = field(default_factory=dict)
    # The code that it ends with by itself, as soon as it was started; None for one that runs until it is ended.
    exit_code: int | None = 0
    # The code that it ends with on each signal that it heeds, such as SIGTERM. Nobody needs to name SIGKILL.
    on_signal: Mapping[str, int] = field(default_factory=dict)
    # The number of its process while it runs; None for a number that no process of this machine has.
    process: int | None = None
    # What the runtime says instead of starting it; "" for one that starts.
    refused: str = ""
    # The memory that it takes, in MB: beyond its limit it is killed.
    memory_mb: int = 0
    # The processes that it makes: beyond its limit it says that none can be made, and ends.
    processes: int = 1


@dataclass(slots=True, kw_only=True)
class _Container:
    script: Script
    process: int
    # None while it runs.
    exit_code: int | None
    out_of_memory: bool


@dataclass(kw_only=True)
class FakeEngine(FakeImages):
    """Every container is real to the caller, who can look up afterwards what was asked for."""

    # What a container does, by its image and its command.
    script: Callable[[Image, tuple[str, ...]], Script] = lambda _image, _command: Script()
    # What a compile lists of the crates that it was linked with; None where it lists nothing.
    crates: str | None = None
    # What the compiler of every toolchain says of itself.
    compiler: str = "rustc 1.0.0 (fake)"
    # What was asked for: the ids of images that were run to their end, the starts by their container's id, and the
    # signals, each with the container that it was sent to.
    ran: list[str] = field(default_factory=list)
    worked: list[Work] = field(default_factory=list)
    started: dict[str, Start] = field(default_factory=dict)
    signals: list[tuple[str, str]] = field(default_factory=list)
    _containers: dict[str, _Container] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(_HIGHEST_PROCESS + 1))

    @property
    def containers(self) -> tuple[str, ...]:
        """The ids of the containers that were started and not discarded."""
        return tuple(self._containers)

    def run(
        self,
        image_id: str,
        arguments: tuple[str, ...],
        timeout_seconds: float,
        *,
        limits: Limits = LIMITS,
        writable: bool = False,
        network: str = NO_NETWORK,
    ) -> RunReport:
        """What the script of the image shows."""
        del writable, network
        with self._lock:
            self.ran.append(image_id)
        script = self.script(self.opened(image_id), arguments)
        if script.refused:
            return RunReport(exit_code=None, stdout=b"", stderr=b"", refused=script.refused)
        container = self._add(Start(image=image_id, command=arguments, limits=limits), script)
        try:
            return self.finish(container, timeout_seconds)
        finally:
            self.discard(container)

    def trace(self, start: Start, timeout_seconds: float, tracer: Tracer, logs: Path) -> RunReport:
        """What the script shows; the log says that the program was executed, if it was, and opened nothing."""
        del tracer
        program, *arguments = start.command
        report = self.run(start.image, tuple(arguments), timeout_seconds, limits=start.limits)
        if report.refused:
            return report
        (logs / "log.1").write_text(f'execve("{program}", [], 0x0 /* 0 vars */) = 0\n', encoding="utf-8")
        return report

    def work(self, work: Work, log: Path) -> None:
        """What may write to /out is a compile, and leaves the program there; all else does as its script says."""
        with self._lock:
            self.worked.append(work)
        if work.command == ("rustc", "--version"):
            write_whole(log, f"{self.compiler}\n".encode())
            return
        script = Script() if "/out" in work.writable else self.script(self.opened(work.image), work.command[1:])
        broken = bool(self.broken) and self.broken in " ".join(work.command)
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_bytes(b"error: broken\n" if broken else script.stdout + script.stderr)
        if broken or script.exit_code != 0:
            said = log.read_text(encoding="utf-8").splitlines()
            raise EngineError(shlex.join(work.command), 1 if broken else script.exit_code or 1, said, log)
        if "/out" in work.writable:
            (work.mounts["/out"] / self.program_path).write_bytes(self.program)
            if self.crates is not None:
                (work.mounts["/out"] / "crates").write_text(self.crates, encoding="utf-8")

    def start(self, start: Start) -> str:
        """A container that has done all that its script says but for what it does on signals."""
        script = self.script(self.opened(start.image), (*start.entrypoint, *start.command))
        shared = start.network not in {NO_NETWORK, OUTSIDE}
        if shared and self._container(start.network).exit_code is not None:
            raise BareboatError(f"the container {start.network} has ended, and its loopback with it")
        if script.refused:
            raise RefusedError(start.image, script.refused)
        container = self._add(start, script)
        with self._lock:
            self.started[container] = start
        return container

    def process_of(self, container: str) -> int | None:
        """A number, until the container ends."""
        found = self._container(container)
        return found.process if found.exit_code is None else None

    def signal(self, container: str, name: str) -> None:
        """End a container whose script heeds the signal."""
        with self._lock:
            self.signals.append((container, name))
            found = self._containers.get(container)
            if found is not None and found.exit_code is None:
                found.exit_code = {**found.script.on_signal, "SIGKILL": KILLED}.get(name)

    def output_of(self, container: str) -> bytes:
        """All that the script writes."""
        return self._container(container).script.stdout

    def finish(self, container: str, timeout_seconds: float) -> RunReport:
        """The end of a container; the time of one that has not ended is over at once."""
        del timeout_seconds
        found = self._container(container)
        code = found.exit_code
        found.exit_code = KILLED if code is None else code
        return RunReport(
            exit_code=code,
            stdout=found.script.stdout,
            stderr=found.script.stderr,
            out_of_memory=found.out_of_memory,
        )

    def discard(self, container: str) -> None:
        """Forget the container."""
        with self._lock:
            self._containers.pop(container, None)

    def _add(self, start: Start, script: Script) -> str:
        for path, content in script.files.items():
            place, _, name = path.rpartition("/")
            if not place or place != start.writable:
                raise BareboatError(f"{path}: the container cannot write there")
            (start.mounts[place] / name).write_bytes(content)
        if script.processes > start.limits.processes:
            script = replace(script, stderr=script.stderr + _NO_PROCESS, exit_code=_NO_PROCESS_CODE)
        killed = script.memory_mb > start.limits.memory_mb
        container = secrets.token_hex(32)
        process = script.process or next(self._numbers)
        code = KILLED if killed else script.exit_code
        with self._lock:
            self._containers[container] = _Container(
                script=script, process=process, exit_code=code, out_of_memory=killed
            )
        return container

    def _container(self, container: str) -> _Container:
        found = self._containers.get(container)
        if found is None:
            raise BareboatError(f"there is no container {container}")
        return found
