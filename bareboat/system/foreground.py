"""Runs a command in the foreground, for the user who sits before it: with this process's own streams and terminal."""

from __future__ import annotations

import contextlib
import os
import signal
import termios
import threading
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from bareboat.errors import BareboatError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from bareboat.system.process import Child, Processes

_INPUT, _OUTPUT, _ERRORS = 0, 1, 2
# How long a command may take to end after SIGKILL was sent.
_ENDED_SECONDS = 5.0
_ENDED = 0  # no signal: the command has ended


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
    cwd: Path | None = None,
    answers: Mapping[int, tuple[int, int]],
    send: Callable[[int], None],
    if_killed: Sequence[str],
) -> int:
    """Run a command with our own input, output and errors to its end; returns its exit code, as a shell has it.

    `answers` says, of each signal that this process may be sent, which one is sent on and how many seconds later
    SIGKILL is, 0 for never; a second signal sends it at once. `send` sends a signal to what the command runs, and the
    command ends with that. `if_killed` is the command that ends it when Bareboat itself is killed. Only the main
    thread may call this.
    """
    came: SimpleQueue[int] = SimpleQueue()
    child = processes.start(argv, env=env, cwd=cwd, stdin=_INPUT, stdout=_OUTPUT, stderr=_ERRORS, if_killed=if_killed)
    answering = threading.Thread(target=_answer, args=(came, answers, send, lambda: processes.end(child)), daemon=True)
    answering.start()
    try:
        with _terminal_restored(), _noting(child, answers, came):
            child.wait()
    finally:
        came.put(_ENDED)
        answering.join()
        processes.end(child)
    return 128 - child.returncode if child.returncode < 0 else child.returncode


def _answer(
    came: SimpleQueue[int],
    answers: Mapping[int, tuple[int, int]],
    send: Callable[[int], None],
    end: Callable[[], None],
) -> None:
    """Answer the signals that come, until the command has ended."""
    first = came.get()
    if first == _ENDED:
        return
    sent, seconds = answers[first]
    try:
        send(sent)
        if _waited(came, seconds or None) == _ENDED:
            return
        send(signal.SIGKILL)
        if _waited(came, _ENDED_SECONDS) == _ENDED:
            return
    except BareboatError:
        pass  # who would send it on is gone
    end()


def _waited(came: SimpleQueue[int], seconds: float | None) -> int | None:
    """The signal that came within that time, None where none did."""
    try:
        return came.get(timeout=seconds)
    except Empty:
        return None


@contextlib.contextmanager
def _noting(child: Child, answers: Mapping[int, tuple[int, int]], came: SimpleQueue[int]) -> Iterator[None]:
    handlers: dict[int, Callable[[int, object], None]] = {
        number: lambda came_now, _: came.put(came_now) for number in answers if _is_heeded(number)
    }
    # The new size of the terminal, which tells it to nobody but the processes that it listens to.
    handlers[signal.SIGWINCH] = lambda number, _: child.send_signal(number)
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
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
