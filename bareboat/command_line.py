"""Invoke's command line with Bareboat's manners: what is misspelt is told with what was probably meant, exit code 2.

Invoke itself ends with 1, as a failed cell does, suggests nothing, and takes `--recipe` without a value for no pattern.
"""

from __future__ import annotations

import contextlib
import re
import shlex
import sys
from typing import TYPE_CHECKING, NoReturn

from invoke import Exit, ParseError, Parser, Program

from bareboat.console import discard_output
from bareboat.errors import InputError, StoppedError

if TYPE_CHECKING:
    from collections.abc import Iterator

# What Invoke's parser says of words by position.
_WORDS_MISSING = "did not receive required positional arguments:"


def keep_bytecode() -> None:
    """Let Python keep what it compiles of modules, unless its user forbids it.

    Invoke forbids it when it has read its own options: each command would compile anew all that its task imports.
    """
    sys.dont_write_bytecode = bool(sys.flags.dont_write_bytecode)


class CommandLine(Program):
    """A program of Invoke's, for our own command and, by tasks.py, for `invoke` where it runs our tasks."""

    def parse_core(self, argv: list[str] | None) -> None:
        """Read Invoke's own options, and answer `--version` and its like."""
        with _heard():
            super().parse_core(argv)
        keep_bytecode()

    def parse_tasks(self) -> None:
        """Read the tasks and their options; what is unknown is a usage error, and so is a value that is missing."""
        if "--help" in self.core.unparsed[1:]:
            # Invoke would take it for a word of a task that wants one.
            self.args.help.value, self.core.unparsed = self.core.unparsed[0], []
        try:
            self._parse_tasks()
        except ParseError as error:
            _refuse(_plain(str(error)), getattr(error.context, "name", None) or "")
        if self.tasks.unparsed:
            self._refuse_unknown(self.tasks.unparsed[0])

    def _parse_tasks(self) -> None:
        """Read them; words by position that may be left out, which Invoke does not know, are empty then."""
        try:
            super().parse_tasks()
        except ParseError as error:
            task = error.context if _WORDS_MISSING in str(error) else None
            missing = task.missing_positional_args if task else ()
            if task is None or not all((task.name, argument.name) in self._left_out for argument in missing):
                raise
            self.core.unparsed.extend("" for _ in missing)
            super().parse_tasks()

    def parse_cleanup(self) -> None:
        """Answer `--help` and its like."""
        try:
            with _heard():
                super().parse_cleanup()
        except ParseError:
            self._refuse_unknown(str(self.args.help.value))

    def execute(self) -> None:
        """Do the tasks; Ctrl-C means the same before a task has begun as it does later.

        Invoke's --dry keeps the commands of tasks from running. Ours have none: all would be done.
        """
        if self.args.dry.value:
            _refuse("--dry is of no use here; `invoke plan` and `invoke clean --dry-run` say what would be done")
        # Invoke joins what comes after `--` by spaces; a task that takes it has to know its words.
        words = self.argv[self.argv.index("--") + 1 :] if "--" in self.argv else []
        self.core.remainder = shlex.join(words)
        try:
            super().execute()
        except KeyboardInterrupt:
            raise Exit(code=StoppedError.exit_code) from None

    def _make_parser(self) -> Parser:
        parser = super()._make_parser()
        # What is unknown is kept by the parser, and told of above.
        parser.ignore_unknown = True
        self._left_out = set()
        for context in parser.contexts.values():
            for argument in context.args.values():
                if argument.positional and argument.optional:
                    # To Invoke it is the value of an option that may be left out.
                    self._left_out.add((context.name, argument.name))
                    argument.optional = False
                if argument.kind is list:
                    # An option that was seen and has no value is an error, but Invoke takes the empty list for one.
                    argument.raw_value = None
        return parser

    def _refuse_unknown(self, word: str) -> NoReturn:
        # A command that is spelt right waits for nothing of this.
        from bareboat.inputs.tomlfile import did_you_mean

        if not word.startswith("-"):
            _refuse(f"no such task: {word}{did_you_mean(word, sorted(self.parser.contexts))}")
        context = self.tasks[-1] if self.tasks else self.initial_context
        known = sorted(flag for flag in (*context.flags, *context.inverse_flags) if flag.startswith("--"))
        _refuse(f"no such option: {word}{did_you_mean(word, known)}", context.name or "")


@contextlib.contextmanager
def _heard() -> Iterator[None]:
    """What is printed inside is no error where its reader leaves."""
    try:
        yield
    except Exit:
        _flush()
        raise
    except BrokenPipeError:
        _flush()
        raise Exit from None


def _flush() -> None:
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        discard_output(sys.stdout)


def _plain(text: str) -> str:
    """What Invoke's parser says, without the signs of its own values."""
    if found := re.match(r"Flag <Argument: (\S+).* needed value", text):
        return f"--{found[1]} needs a value"
    return text.replace(_WORDS_MISSING, "needs:")


def _refuse(text: str, task: str = "") -> NoReturn:
    raise Exit(f"error: {text}" + (f"\n  `invoke --help {task}`" if task else ""), code=InputError.exit_code)
