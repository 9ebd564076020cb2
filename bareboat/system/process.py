"""Runs commands of the host: the only user of `subprocess`.

Every child is its own session and dies with Bareboat, whatever ends Bareboat: a normal end and Ctrl-C through
`Processes.stop`, SIGKILL through the kernel's parent-death signal (prctl(2), set by setpriv(1) of util-linux).
"""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import threading
from typing import IO, TYPE_CHECKING

from bareboat.errors import EngineError, HostError, StoppedError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

KILL_AFTER_SECONDS = 1.0


class Processes:
    """Starts child processes and keeps those that are alive, so that all can be stopped; safe to use from threads."""

    def __init__(self) -> None:
        self._alive: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()
        self._stopped = threading.Event()

    @property
    def stopped(self) -> bool:
        """Whether `stop` was called; no command starts after it."""
        return self._stopped.is_set()

    def run(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        stdin: bytes = b"",
        log: Path | None = None,
    ) -> str:
        """Run a command to its end and return its standard output.

        `env` is added to this process's environment. With a `log`, output and errors go there as they come, and the
        log's text is returned. Raises EngineError when the exit code is not 0, HostError when the program is absent,
        StoppedError after `stop`.
        """
        with contextlib.ExitStack() as files:
            stdout: int | IO[bytes] = subprocess.PIPE
            if log is not None:
                log.parent.mkdir(parents=True, exist_ok=True)
                stdout = files.enter_context(log.open("wb"))
            stderr = subprocess.PIPE if log is None else subprocess.STDOUT
            child = self.start(argv, env=env, cwd=cwd, stdin=subprocess.PIPE, stdout=stdout, stderr=stderr)
            try:
                out, err = child.communicate(stdin)
            except BaseException:
                # Ctrl-C in the main thread raises KeyboardInterrupt here: end the child before it is forgotten.
                self.end(child)
                raise
            self._forget(child)
        if self.stopped:
            raise StoppedError("stopped")
        output = (out if log is None else log.read_bytes()).decode(errors="replace")
        if child.returncode != 0:
            text = output if log is not None else f"{err.decode(errors='replace')}\n{output}"
            raise EngineError(shlex.join(argv), child.returncode, text.strip().splitlines(), log)
        return output

    def start(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        stdin: int = subprocess.DEVNULL,
        stdout: int | IO[bytes] = subprocess.DEVNULL,
        stderr: int | IO[bytes] = subprocess.DEVNULL,
    ) -> subprocess.Popen[bytes]:
        """Start a command and return at once; `stop` ends it, and the kernel does when Bareboat is killed."""
        if shutil.which(argv[0]) is None:
            raise HostError(f"{argv[0]} is not installed; `./setup.sh` installs what is missing")
        with self._lock:
            if self.stopped:
                raise StoppedError("stopped")
            child = subprocess.Popen(
                [*_dies_with_parent(), *argv],
                env={**os.environ, **(env or {})},
                cwd=cwd,
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                start_new_session=True,
            )
            self._alive.add(child)
        return child

    def stop(self) -> None:
        """Interrupt every living child and kill those that have not ended after a second; nothing starts afterwards."""
        with self._lock:
            self._stopped.set()
            alive = tuple(self._alive)
        for child in alive:
            _signal_group(child, signal.SIGINT)
        for child in alive:
            self.end(child)

    def end(self, child: subprocess.Popen[bytes]) -> None:
        """Terminate one child, and kill it when it does not end within a second."""
        _signal_group(child, signal.SIGTERM)
        try:
            child.wait(KILL_AFTER_SECONDS)
        except subprocess.TimeoutExpired:
            _signal_group(child, signal.SIGKILL)
            child.wait()
        # A rootless Podman starts itself again in a user namespace: the child may have ended and its own child not.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
        self._forget(child)

    def _forget(self, child: subprocess.Popen[bytes]) -> None:
        with self._lock:
            self._alive.discard(child)


def _dies_with_parent() -> tuple[str, ...]:
    # On SIGINT Podman ends the build's own processes too; on SIGTERM or SIGKILL it leaves them running.
    # A shell starts background commands with SIGINT ignored, children inherit that, and the signal would be lost:
    # env(1) restores the default.
    ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    restore = ("env", "--default-signal=INT") if ignored else ()
    return ("setpriv", "--pdeathsig", "INT", "--", *restore) if shutil.which("setpriv") else ()


def _signal_group(child: subprocess.Popen[bytes], number: int) -> None:
    if child.poll() is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, number)
