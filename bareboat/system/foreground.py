"""Runs a command in the foreground, for the user who sits before it: with this process's own streams and terminal."""

from __future__ import annotations

import contextlib
import os
import signal
import termios
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from bareboat.system.process import Child, Processes

_INPUT, _OUTPUT, _ERRORS = 0, 1, 2
# How long a command may take to end of what `kill` does.
_ENDED_SECONDS = 5.0
_LOOKED_SECONDS = 0.02


class _OverError(Exception):
    """The command is not waited for any longer."""


def has_terminal() -> bool:
    """Whether input and output are a terminal, and this process is the one that it listens to."""
    return os.isatty(_OUTPUT) and is_listened_to()


def is_listened_to() -> bool:
    """Whether the input is a terminal that listens to this process, and to none that the user has gone on to."""
    try:
        return os.tcgetpgrp(_INPUT) == os.getpgrp()
    except OSError:
        return False


def run_in_foreground(
    processes: Processes,
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    answers: Mapping[int, tuple[int, int]],
    kill: Callable[[], None],
    if_killed: Sequence[str],
) -> int:
    """Run a command with our own input, output and errors to its end; returns its exit code, as a shell has it.

    `answers` says, of each signal that this process may be sent, which one the command is sent then and how many
    seconds later it is killed, 0 for never. A second one kills it at once. `kill` does that, and the command ends of
    it; `if_killed` is the command that does so when Bareboat itself is killed. Only the main thread may call this.
    """
    child = processes.start(argv, env=env, stdin=_INPUT, stdout=_OUTPUT, stderr=_ERRORS, if_killed=if_killed)
    try:
        with _terminal_restored(), _answering(child, answers):
            try:
                child.wait()
            except _OverError:
                kill()
                deadline = time.monotonic() + _ENDED_SECONDS
                while child.poll() is None and time.monotonic() < deadline:
                    time.sleep(_LOOKED_SECONDS)
    finally:
        processes.end(child)
    return 128 - child.returncode if child.returncode < 0 else child.returncode


@contextlib.contextmanager
def _answering(child: Child, answers: Mapping[int, tuple[int, int]]) -> Iterator[None]:
    came: list[int] = []

    def answer(number: int, _: object) -> None:
        came.append(number)
        if len(came) == 1:
            sent, seconds = answers[number]
            signal.alarm(seconds)
            child.send_signal(sent)
        elif len(came) == 2:  # noqa: PLR2004 (while it is being killed, others change nothing)
            raise _OverError

    handlers: dict[int, Callable[[int, object], None]] = {number: answer for number in answers if _is_heeded(number)}
    # The new size of the terminal, which tells it to nobody but the processes that it listens to.
    handlers[signal.SIGWINCH] = lambda number, _: child.send_signal(number)
    handlers[signal.SIGALRM] = answer
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        signal.alarm(0)
        for number, handler in before.items():
            signal.signal(number, handler)


def _is_heeded(number: int) -> bool:
    # As under nohup(1), or in the background of a script.
    return signal.getsignal(number) is not signal.SIG_IGN


@contextlib.contextmanager
def _terminal_restored() -> Iterator[None]:
    """Leave the terminal as it was: what a client was killed at may have it pass on each key unheeded."""
    if not is_listened_to():
        yield
        return
    before = termios.tcgetattr(_INPUT)
    try:
        yield
    finally:
        with contextlib.suppress(termios.error):  # the terminal is gone
            termios.tcsetattr(_INPUT, termios.TCSADRAIN, before)
