"""Findings about the machine as values, and as a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from tabulate import tabulate

if TYPE_CHECKING:
    from collections.abc import Sequence

CheckStatus = Literal["good", "warning", "bad"]
_MARKS: dict[CheckStatus, str] = {"good": "ok", "warning": "warning", "bad": "BAD"}


class Command(str):
    """A cure that may be run unasked: it takes nothing away, and to run it twice is to run it once."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One finding about the machine."""

    # What was looked at.
    name: str
    # What was found, in a line.
    finding: str
    # Bad: nothing can be built; warning: something is slower or does not work.
    status: CheckStatus
    # The command that mends it, or words that say how, unless it is a Command; "" where none is needed or known.
    cure: str


def can_build(checks: Sequence[Check]) -> bool:
    """Whether no finding keeps Bareboat from building."""
    return all(check.status != "bad" for check in checks)


def table(checks: Sequence[Check]) -> str:
    """The checks as a table of text; the cure is the last column and is not wrapped, so that it can be pasted."""
    rows = [
        (plain(check.name), _MARKS[check.status], plain(check.finding), plain(check.cure) or "-") for check in checks
    ]
    headers = ("check", "", "finding", "cure")
    return tabulate(rows, headers, tablefmt="plain", disable_numparse=True, maxcolwidths=[None, None, 64, None])


def plain(text: str) -> str:
    """A text as one line: findings quote the output of programs, whose escape sequences must not reach a terminal."""
    return "".join(character if character.isprintable() else " " for character in text).strip()
