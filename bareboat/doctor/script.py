"""The cures of an examination as a shell script, to be read, pasted or run. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bareboat.doctor.check import Command, plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bareboat.doctor.check import Check

_INSTALL = "apt-get install"


def cure_script(checks: Sequence[Check]) -> str:
    """A line for each Command, below why; what is no Command is a comment. "" where nothing is to be done.

    A step that fails does not keep the others from being done.
    """
    amiss = [check for check in checks if check.status != "good" and check.cure]
    commands = list(dict.fromkeys(check.cure for check in amiss if isinstance(check.cure, Command)))
    lines = [line for command in commands for line in _step(command, amiss)]
    if first := next((command for command in commands if _INSTALL in command), None):
        lines.insert(0, f"{first.partition(_INSTALL)[0]}apt-get update")
    # A shell reads a block whole before it begins, so that no command can read what comes after it on standard input.
    block = ["{", *lines, "}"] if lines else []
    by_hand = [line for check in amiss if not isinstance(check.cure, Command) for line in _remark(check)]
    return "".join(f"{line}\n" for line in (*block, *by_hand))


def _step(command: str, amiss: Sequence[Check]) -> Iterator[str]:
    yield from (f"# {_why(check)}" for check in amiss if check.cure == command)
    yield plain(command)


def _remark(check: Check) -> Iterator[str]:
    yield f"# to be decided by you: {_why(check)}"
    yield f"#   {plain(check.cure)}"


def _why(check: Check) -> str:
    return f"{plain(check.name)}: {plain(check.finding)}"
