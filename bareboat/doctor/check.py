"""Findings about the machine as values, and as lines."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

CheckStatus = Literal["good", "warning", "bad"]
_MARKS: dict[CheckStatus, str] = {"good": "ok", "warning": "warning", "bad": "BAD"}
_MARK_COLUMNS = max(map(len, _MARKS.values()))


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


def table(checks: Sequence[Check], columns: int) -> str:
    """The checks as lines of so many `columns`, broken between words alone.

    Below each is its cure, whole on a line of its own, so that it can be pasted.
    """
    wide = max((len(plain(check.name)) for check in checks), default=0)
    lines: list[str] = []
    for check in checks:
        head = f"{_MARKS[check.status]:<{_MARK_COLUMNS}} {plain(check.name):<{wide}}  "
        lines += textwrap.wrap(
            f"{head}{plain(check.finding)}",
            max(columns, len(head) + 1),
            subsequent_indent=" " * len(head),
            break_long_words=False,
            break_on_hyphens=False,
        )
        lines += [f"    {plain(check.cure)}"] if check.cure else []
    return "\n".join(lines)


def plain(text: str) -> str:
    """A text as one line: findings quote the output of programs, whose escape sequences must not reach a terminal."""
    return "".join(character if character.isprintable() else " " for character in text).strip()
