"""Runs commands of the host: the only user of `subprocess`.

Every child is its own session and process group and dies with Bareboat, whatever ends Bareboat: a normal end and Ctrl-C
through `Processes.stop`, SIGKILL through a lifeline, which is a pipe that only Bareboat can write to. A watcher in the
child's own group reads it, and when it closes untold, ends the group. (The kernel's parent-death signal is no way: it
reaches one process, and a rootless Podman that is still starting itself again dies of it without its own child.)
"""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import sys
import threading
from typing import IO, TYPE_CHECKING, NoReturn, TypeAlias

from bareboat.errors import EngineError, HostError, StoppedError
from bareboat.system.logs import LogCopy
from bareboat.system.redact import redact, secrets_in, secrets_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

Child: TypeAlias = "subprocess.Popen[bytes]"

KILL_AFTER_SECONDS = 1.0

# $0 is the lifeline's file descriptor, $1 what to do first when it closes, the rest the command. On SIGINT Podman ends
# the build's own processes too; on SIGTERM or SIGKILL it leaves them running. What a shell has in the background
# ignores SIGINT. The outer subshell makes the watcher no child of the command, which may wait for all that it has.
_WATCHED = f"""
watch() {{
    exec <"/proc/self/fd/$0" >/dev/null 2>&1
    read -r _ || {{ eval "$1"; kill -INT 0; sleep {KILL_AFTER_SECONDS:.0f}; kill -KILL 0; }}
}}
( watch "$1" & )
shift
exec "$@"
"""


class Processes:
    """Starts child processes and keeps those that are alive, so that all can be stopped; safe to use from threads."""

    def __init__(self) -> None:
        self._lifelines: dict[Child, int] = {}  # of those that are alive: the end to write to
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._secrets = secrets_of(os.environ)

    @property
    def stopped(self) -> bool:
        """Whether `stop` was called; no command starts after it."""
        return self._stopped.is_set()

    def hide(self, configuration: str) -> None:
        """Let no log and no error show the secrets in this text: a proxy's or a mirror's configuration."""
        with self._lock:
            self._secrets |= secrets_in(configuration)

    def clean(self, text: str) -> str:
        """The text without the secrets that are known: those of the environment, and of what was to be hidden."""
        return redact(text, self._secrets)

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

        `env` is added to this process's environment. With a `log`, output and errors go there as they come, without
        secrets, and the log's text is returned. Raises EngineError when the exit code is not 0, HostError when the
        program is absent, StoppedError after `stop`.
        """
        if log is None:
            child = self.start(
                argv, env=env, cwd=cwd, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
            out, err = self._communicate(child, stdin)
            output = out.decode(errors="replace")
            text = f"{err.decode(errors='replace')}\n{output}"
        else:
            with LogCopy(log, self.clean) as copy:
                child = self.start(
                    argv, env=env, cwd=cwd, stdin=subprocess.PIPE, stdout=copy.stream, stderr=subprocess.STDOUT
                )
                self._communicate(child, stdin)
            output = text = log.read_text(encoding="utf-8", errors="replace")
        if child.returncode != 0:
            lines = self.clean(text.strip()).splitlines()
            raise EngineError(self.clean(shlex.join(argv)), child.returncode, lines, log)
        return output

    def _communicate(self, child: Child, stdin: bytes) -> tuple[bytes, bytes]:
        """What a child wrote until its end."""
        try:
            written = child.communicate(stdin)
        except BaseException:
            # Ctrl-C in the main thread raises KeyboardInterrupt here: end the child before it is forgotten.
            self.end(child)
            raise
        self._forget(child)
        if self.stopped:
            raise StoppedError("stopped")
        return written

    def start(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        stdin: int = subprocess.DEVNULL,
        stdout: int | IO[bytes] = subprocess.DEVNULL,
        stderr: int | IO[bytes] = subprocess.DEVNULL,
        if_killed: Sequence[str] = (),
    ) -> Child:
        """Start a command and return at once; `stop` ends it, and its watcher does when Bareboat is killed.

        The watcher first runs `if_killed`, a command for what the other alone does not end.
        """
        if shutil.which(argv[0]) is None:
            raise HostError(f"{argv[0]} is not installed; `invoke setup` says what installs it")
        with self._lock:
            if self.stopped:
                raise StoppedError("stopped")
            watched, lifeline = os.pipe()
            try:
                child = subprocess.Popen(
                    [*_watched(watched, if_killed), *argv],
                    env={**os.environ, **(env or {})},
                    cwd=cwd,
                    stdin=stdin,
                    stdout=stdout,
                    stderr=stderr,
                    pass_fds=(watched,),
                    start_new_session=True,
                )
            except BaseException:
                os.close(lifeline)
                raise
            finally:
                os.close(watched)
            self._lifelines[child] = lifeline
        return child

    def stop(self) -> None:
        """Interrupt every living child and kill those that have not ended after a second; nothing starts afterwards."""
        with self._lock:
            self._stopped.set()
            alive = tuple(self._lifelines)
        for child in alive:
            _signal_group(child, signal.SIGINT)
        for child in alive:
            self.end(child)

    def end(self, child: Child) -> None:
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

    def _forget(self, child: Child) -> None:
        with self._lock:
            lifeline = self._lifelines.pop(child, None)
        if lifeline is not None:
            with contextlib.suppress(BrokenPipeError):
                os.write(lifeline, b"\n")
            os.close(lifeline)


def become(argv: Sequence[str]) -> NoReturn:
    """Go on as another program, which has this one's terminal and may ask for a password there."""
    sys.stdout.flush()
    sys.stderr.flush()
    os.execvp(argv[0], tuple(argv))  # noqa: S606 -- an argument vector needs no shell


def _watched(lifeline: int, if_killed: Sequence[str]) -> tuple[str, ...]:
    # A shell starts background commands with SIGINT ignored, children inherit that, and the signal would be lost:
    # env(1) restores the default.
    ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    restore = ("env", "--default-signal=INT") if ignored else ()
    return ("sh", "-c", _WATCHED, str(lifeline), shlex.join(if_killed), *restore)


def _signal_group(child: Child, number: int) -> None:
    if child.poll() is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, number)
