"""Every error that Bareboat raises on purpose, and the exit code each one ends a task with.

BareboatError          1  something went wrong that no other class names
+-- InputError         2  what the user wrote is wrong; nothing was done
|   +-- RecipeError       a recipe, toolchain or lock file
|   +-- SampleError       a sample or crate
|   +-- SelectionError    a name that matches nothing
|   +-- ResultError       a result file that cannot be read
|   +-- MeasurementError  a module of a column
+-- HostError          3  this machine lacks something; the message ends with the command that mends it
+-- AbsentError        1  an image has nothing at a path: the engine said so itself
+-- RefusedError       1  the runtime would not start a container
+-- EngineError        1  a command failed: the command, its exit code, the log's last lines, the log's path
|   +-- CompileError      cargo failed: its words from the first error on
+-- StoppedError     130  the user stopped the run
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

LOG_TAIL_LINES = 20


class BareboatError(Exception):
    """The root: `exit_code` is what the task ends with; `str(error)` is what the user reads."""

    exit_code: ClassVar[int] = 1

    @property
    def summary(self) -> str:
        """The line to show where there is room for one only."""
        return str(self).partition("\n")[0]

    @property
    def detail(self) -> str:
        """What is kept in a result, which others read elsewhere and later."""
        return str(self)


class InputError(BareboatError):
    """What the user wrote is wrong; nothing was built, run or changed."""

    exit_code: ClassVar[int] = 2


class RecipeError(InputError):
    """Recipes are wrong: one line for each problem, `file: key: what is wrong (did you mean ...?)`."""


class SampleError(InputError):
    """Samples are wrong: one line for each problem, written as in a RecipeError."""


class SelectionError(InputError):
    """A name matches nothing; the message lists what there is."""


class ResultError(InputError):
    """A result file is truncated, or of a newer schema than this Bareboat reads."""


class MeasurementError(InputError):
    """A module of a column is wrong: one line for each mistake, `file: what is wrong`."""


class AbsentError(BareboatError):
    """An image has nothing at a path. Only the engine's own answer is this; a fault of the engine tells nothing."""


class RefusedError(BareboatError):
    """The runtime would not start a container: `words` is what it said."""

    def __init__(self, image: str, words: str) -> None:
        self.words = words
        super().__init__(f"{image} cannot be started: {words}")


class HostError(BareboatError):
    """The machine lacks something; the message ends with the command that mends it."""

    exit_code: ClassVar[int] = 3


class EngineError(BareboatError):
    """A command failed: the message has the command to paste, its last lines, and the path of its whole log."""

    def __init__(self, command: str, exit_code: int, log_tail: Sequence[str] = (), log: Path | None = None) -> None:
        self.command = command
        self.command_exit_code = exit_code
        self.log_tail = tuple(log_tail[-LOG_TAIL_LINES:])
        self.log = log
        super().__init__(self._with_log(self._heading(command)))

    @property
    def summary(self) -> str:
        """The command's first output line that begins with "error", else its exit code and its program's name."""
        error_lines = (line.strip() for line in self.log_tail if line.strip().lower().startswith("error"))
        return next(error_lines, self._brief)

    @property
    def detail(self) -> str:
        """Without the command's long options, which have numbers and folders of this very run in them."""
        words = shlex.join(word for word in shlex.split(self.command) if not word.startswith("--"))
        return self._with_log(self._heading(words))

    @property
    def _brief(self) -> str:
        return f"exit code {self.command_exit_code} from {self.command.partition(' ')[0]}"

    def _heading(self, command: str) -> str:
        return f"exit code {self.command_exit_code} from: {command}"

    def _with_log(self, heading: str) -> str:
        lines = [heading, *(f"    {line}" for line in self.log_tail)]
        if self.log is not None:
            lines.append(f"  the whole log: {self.log}")
        return "\n".join(lines)


class CompileError(EngineError):
    """Cargo failed in its container: the message has its words from the first error on, and the whole log's path."""

    def __init__(self, error: EngineError, said: Sequence[str]) -> None:
        words = said[_first_error(said) :][:LOG_TAIL_LINES]
        super().__init__(error.command, error.command_exit_code, words or error.log_tail, error.log)

    @property
    def _brief(self) -> str:
        return "cargo does not compile it"

    def _heading(self, command: str) -> str:
        del command  # of our own making: the reader asked for no container
        return f"{self._brief}:"


def _first_error(lines: Sequence[str]) -> int:
    return next((place for place, line in enumerate(lines) if line.lstrip().startswith("error")), len(lines))


class StoppedError(BareboatError):
    """The run was stopped from the keyboard or by a signal."""

    exit_code: ClassVar[int] = 130
