"""Where a command line ends: what was asked for goes to stdout, everything else to stderr, and an exit code comes out.

Nothing below raises SystemExit or prints; nothing above handles an error.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from bareboat.errors import BareboatError, InputError, StoppedError
from bareboat.system.process import Processes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_Options = TypeVar("_Options")


@contextlib.contextmanager
def _sigterm_as_interrupt() -> Any:
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def run(action: Callable[[Processes], str | tuple[str, int]]) -> int:
    """Do what a task asks for and print its answer; returns the exit code.

    Ctrl-C and SIGTERM end everything that the action started and leave with 130.
    """
    processes = Processes()
    try:
        with _sigterm_as_interrupt():
            answer = action(processes)
    except (StoppedError, KeyboardInterrupt):
        _leave(processes)
    except BareboatError as error:
        sys.stderr.write(f"error: {error}\n")
        return error.exit_code
    text, code = answer if isinstance(answer, tuple) else (answer, 0)
    _print(text)
    return code


def choose(option: str, value: str, kind: Any) -> Any:
    """The value of an option that takes one of a few words, `kind` being their Literal; raises InputError."""
    if value not in get_args(kind):
        raise InputError(f"--{option} {value}: it takes one of {', '.join(get_args(kind))}")
    return value


def fill(kind: type[_Options], words: Mapping[str, Any]) -> _Options:
    """Options, a dataclass, of the words that a task was given under the same names; raises InputError.

    An empty path is None; a value of a few must be one of them; what can be repeated comes apart at commas, too.
    """
    filled = {}
    for name, hint in get_type_hints(kind).items():
        word = words[name]
        if get_origin(hint) is Literal:
            word = choose(name, word, hint)
        elif hint == tuple[str, ...]:
            word = tuple(part for one in word for part in one.split(",") if part)
        elif hint == Path | None:
            word = Path(word) if word else None
        filled[name] = word
    return kind(**filled)


def tell(text: str) -> None:
    """Say something that is not the answer."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def _print(text: str) -> None:
    try:
        sys.stdout.write(text.rstrip("\n") + "\n" if text else "")
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader, `head` for one, has all that it wants; Python would complain once more at its own end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _leave(processes: Processes) -> None:
    processes.stop()
    tell("stopped; the next run goes on where this one was")
    # A thread in the middle of a computation would hold up a plain exit for as long as it takes.
    os._exit(StoppedError.exit_code)
