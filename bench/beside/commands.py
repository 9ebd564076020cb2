"""Runs commands, one after another or side by side, and takes their time and the processor's."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bareboat.errors import EngineError
from beside.figures import Taken

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

END_SECONDS = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command, and where it runs."""

    argv: tuple[str, ...]
    environment: Mapping[str, str]  # added to this process's
    folder: Path


class Commands:
    """Starts commands and ends them, whatever ends the benchmark; each log is a file of its own until it is read."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._number = 0
        self._alive: dict[int, subprocess.Popen[bytes]] = {}
        self._lock = threading.Lock()
        self._stopped = False

    def run(self, command: Command) -> tuple[Taken, str]:
        """Run one to its end: what it took, and what it wrote to both its outputs. Raises EngineError when it fails."""
        begin = time.perf_counter()
        child, log = self.start(command)
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - begin
        child.returncode = os.waitstatus_to_exitcode(status)
        self._alive.pop(child.pid, None)
        text = log.read_text(encoding="utf-8", errors="replace")
        if child.returncode:
            raise EngineError(shlex.join(command.argv), child.returncode, text.splitlines())
        log.unlink()
        return Taken(seconds=seconds, processor_seconds=usage.ru_utime + usage.ru_stime), text

    def run_all(self, tasks: Sequence[Sequence[Command]], *, width: int) -> Taken:
        """Run tasks, at most `width` side by side, each of commands in a row: what it took from begin to end."""
        begin = time.perf_counter()
        if width == 1:
            taken = [self.run(command)[0] for task in tasks for command in task]
        else:
            taken = self._run_beside(tasks, width)
        seconds = time.perf_counter() - begin
        return Taken(seconds=seconds, processor_seconds=sum(one.processor_seconds for one in taken))

    def start(self, command: Command) -> tuple[subprocess.Popen[bytes], Path]:
        """Start a command that dies with this process, and tell where its outputs go."""
        with self._lock:
            if self._stopped:
                raise KeyboardInterrupt
            self._number += 1
            log = self._logs / f"{self._number}.log"
            with log.open("wb") as stream:
                child = subprocess.Popen(
                    # setpriv(1) of util-linux has the kernel send the signal when this process dies.
                    ["setpriv", "--pdeathsig", "TERM", "--", *command.argv],
                    env={**os.environ, **command.environment},
                    cwd=command.folder,
                    stdin=subprocess.DEVNULL,
                    stdout=stream,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            self._alive[child.pid] = child
        return child, log

    def stop(self) -> None:
        """Interrupt all that still runs, as Ctrl-C would, and wait until it has tidied up; nothing starts then."""
        with self._lock:
            self._stopped = True
            alive = list(self._alive.values())
        for child in alive:
            _send(child, signal.SIGINT)
        for child in alive:
            self.end(child, signal.SIGINT)

    def end(self, child: subprocess.Popen[bytes], number: int = signal.SIGTERM) -> None:
        """End one command, with a signal that it can heed first."""
        _send(child, number)
        deadline = time.monotonic() + END_SECONDS
        while child.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        if child.poll() is None:
            _send(child, signal.SIGKILL)
            child.wait()
        self._alive.pop(child.pid, None)

    def _run_beside(self, tasks: Sequence[Sequence[Command]], width: int) -> list[Taken]:
        with ThreadPoolExecutor(width) as pool:
            try:
                started = [pool.submit(lambda task: [self.run(one)[0] for one in task], task) for task in tasks]
                return [one for future in started for one in future.result()]
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                for child in list(self._alive.values()):
                    _send(child, signal.SIGINT)
                raise


def _send(child: subprocess.Popen[bytes], number: int) -> None:
    if child.poll() is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, number)
