"""Findings about the machine as values, and as a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from tabulate import tabulate

if TYPE_CHECKING:
    from collections.abc import Sequence

CheckStatus = Literal["good", "warning", "bad"]
_MARKS: dict[CheckStatus, str] = {"good": "ok", "warning": "warning", "bad": "BAD"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One finding about the machine."""

    # What was looked at.
    name: str
    # What was found, in a line.
    finding: str
    # Bad: nothing can be built; warning: something is slower or does not work.
    status: CheckStatus
    # The command that mends it, "" where none is needed or known.
    cure: str


def can_build(checks: Sequence[Check]) -> bool:
    """Whether no finding keeps Bareboat from building."""
    return all(check.status != "bad" for check in checks)


def table(checks: Sequence[Check]) -> str:
    """The checks as a table of text; the cure is the last column and is not wrapped, so that it can be pasted."""
    rows = [
        (_plain(check.name), _MARKS[check.status], _plain(check.finding), _plain(check.cure) or "-") for check in checks
    ]
    headers = ("check", "", "finding", "cure")
    return tabulate(rows, headers, tablefmt="plain", disable_numparse=True, maxcolwidths=[None, None, 64, None])


def _plain(text: str) -> str:
    # Findings quote the output of programs, whose escape sequences must not reach the terminal.
    return "".join(character if character.isprintable() else " " for character in text).strip()
