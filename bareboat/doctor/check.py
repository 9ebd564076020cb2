"""One finding about the machine, and all of them as a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from tabulate import tabulate

if TYPE_CHECKING:
    from collections.abc import Sequence

Status = Literal["good", "warning", "bad"]
_MARKS: dict[Status, str] = {"good": "ok", "warning": "warning", "bad": "BAD"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One finding: `bad` stops every build, `warning` costs something; `cure` is a command to paste, empty if none."""

    name: str
    finding: str
    status: Status
    cure: str


def can_build(checks: Sequence[Check]) -> bool:
    """Whether nothing found stops Bareboat from building."""
    return all(check.status != "bad" for check in checks)


def table(checks: Sequence[Check]) -> str:
    """The checks as text; the cure is the last column and never wrapped, so that it can be pasted whole."""
    rows = [
        (_plain(check.name), _MARKS[check.status], _plain(check.finding), _plain(check.cure) or "-") for check in checks
    ]
    headers = ("check", "", "finding", "cure")
    return tabulate(rows, headers, tablefmt="plain", disable_numparse=True, maxcolwidths=[None, None, 64, None])


def _plain(text: str) -> str:
    # Findings quote what programs said: no escape sequence of theirs reaches the terminal.
    return "".join(character if character.isprintable() else " " for character in text).strip()
