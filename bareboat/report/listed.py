"""Names in a sentence, the first of them where they are many. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_MOST = 4


def listed(names: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`; of more than four how many more there are."""
    if len(names) > _MOST:
        return f"{', '.join(names[:_MOST])} and {len(names) - _MOST} more"
    *front, last = names
    return f"{', '.join(front)} and {last}" if front else last
