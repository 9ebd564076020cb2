"""Turns a command into output and an exit code: its answer goes to stdout, everything else to stderr.

No other module of the library prints or exits, and the tasks, which call this one, handle no error.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TextIO, TypeVar, get_args, get_origin, get_type_hints

from bareboat.errors import BareboatError, InputError, StoppedError
from bareboat.system.called import as_called
from bareboat.system.printable import Exact, printable_lines
from bareboat.system.process import Processes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_Options = TypeVar("_Options")
# What a shell says of a program that was ended because nobody reads its output: 128 + SIGPIPE.
BROKEN_PIPE_CODE = 141


@contextlib.contextmanager
def _sigterm_as_interrupt() -> Any:
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def run(action: Callable[[Processes], str | tuple[str, int]]) -> int:
    """Do what a task asks for and print its answer; returns the exit code.

    Ctrl-C and SIGTERM end every child process that the action started; the exit code is 130 then. What the system
    refuses is told in one line, and what goes wrong in any other way is a bug, whose traceback is worth having.
    """
    processes = Processes()
    try:
        with _sigterm_as_interrupt():
            answer = action(processes)
    except (StoppedError, KeyboardInterrupt):
        _stop_and_exit(processes)
    except RuntimeError as error:
        # An interrupt that comes while Python lets go of a lock has the lock complain that nobody holds it.
        if not isinstance(error.__context__, KeyboardInterrupt):
            raise
        _stop_and_exit(processes)
    except BareboatError as error:
        return _complain(processes.clean(str(error)), error.exit_code)
    except BrokenPipeError:
        # Progress had a reader who has left, so there is nobody to tell.
        discard_output(sys.stderr)
        return BROKEN_PIPE_CODE
    except OSError as error:
        return _complain(processes.clean(_words(error)), BareboatError.exit_code)
    text, code = answer if isinstance(answer, tuple) else (answer, 0)
    # An answer quotes what programs and builds have written: a terminal would obey it, and it may hold a password.
    _print(text if isinstance(text, Exact) else printable_lines(processes.clean(text)))
    return code


def choose(option: str, value: str, kind: Any) -> Any:
    """Check the value of an option that takes one of the words of the Literal `kind`; raises InputError for another."""
    if value not in get_args(kind):
        raise InputError(f"--{option} {value}: it takes one of {', '.join(get_args(kind))}")
    return value


def fill(kind: type[_Options], words: Mapping[str, Any]) -> _Options:
    """Make the dataclass `kind`, filling each field with the task's argument of the same name; raises InputError.

    An empty path becomes None, an empty number 0. A field that is a Literal takes one of its words only. A tuple takes
    an option that may be given several times, and each time several values separated by commas.
    """
    filled = {}
    for name, hint in get_type_hints(kind).items():
        word = words[name]
        if get_origin(hint) is Literal:
            word = choose(name, word, hint)
        elif hint == tuple[str, ...]:
            word = tuple(value for values in word for value in _split(name, values))
        elif hint is int:
            word = _number(name, word)
        elif hint == Path | None:
            word = Path(word) if word else None
        filled[name] = word
    return kind(**filled)


def _split(option: str, values: str) -> list[str]:
    if found := [value for value in values.split(",") if value]:
        return found
    raise InputError(f"--{_spelt(option)} needs a value, and was given '{values}'")


def _number(option: str, word: str) -> int:
    # Python's int() would take `1_0` and digits of any script, too.
    if word and not re.fullmatch("[0-9]{1,9}", word):
        raise InputError(f"--{_spelt(option)} {word}: it takes a whole number, such as 4")
    return int(word or 0)


def _spelt(option: str) -> str:
    return option.rstrip("_").replace("_", "-")


def _complain(text: str, code: int) -> int:
    try:
        tell(f"error: {text}")
    except BrokenPipeError:
        discard_output(sys.stderr)
    return code


def _words(error: OSError) -> str:
    """What the system refused, and for which file, in one line."""
    reason = error.strerror or str(error) or type(error).__name__
    files = [os.fsdecode(file) for file in (error.filename, error.filename2) if isinstance(file, str | bytes | Path)]
    return f"{' -> '.join(files)}: {reason}" if files else reason


def tell(text: str) -> None:
    """Write lines to stderr: an error or a note, which is no part of the command's answer."""
    sys.stderr.write(f"{printable_lines(as_called(text))}\n")
    sys.stderr.flush()


def _print(text: str) -> None:
    if isinstance(sys.stdout, io.TextIOWrapper):
        # What the terminal's encoding has no sign for is spelt out, as Python does on stderr.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        sys.stdout.write(text.rstrip("\n") + "\n" if text else "")
        sys.stdout.flush()
    except BrokenPipeError:
        discard_output(sys.stdout)


def discard_output(stream: TextIO) -> None:
    """Go on without the reader of a stream, who has closed the pipe as `head` does."""
    # Python flushes once more when it exits, and would complain of the same error: give it /dev/null to flush to.
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _stop_and_exit(processes: Processes) -> None:
    processes.stop()
    tell("stopped; the next run goes on where this one was")
    # A plain exit would wait for every thread that is still computing.
    os._exit(StoppedError.exit_code)
