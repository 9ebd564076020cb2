"""Fits tables and prose into a width, by leaving columns out and by breaking lines between words. Pure."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

GAP = 2  # characters between two columns


def choose_columns(widths: Sequence[int], ranks: Sequence[int], room: int) -> tuple[int, ...]:
    """Which columns a table of `room` characters has, by index in their own order; the first is always one.

    They are taken by rank, and of the same rank from the left, until there is no room for the next: so a wider table
    has all that a narrower one has.
    """
    first, *others = range(len(widths))
    chosen, left = [first], room - widths[first]
    for index in sorted(others, key=ranks.__getitem__):
        left -= widths[index] + GAP
        if left < 0:
            break
        chosen.append(index)
    return tuple(sorted(chosen))


def stack_columns(widths: Sequence[int], room: int) -> tuple[tuple[int, ...], ...]:
    """All columns as tables of `room` characters one below the other, each with the first column and the next ones.

    A column that is too wide even for itself has a table of its own.
    """
    first, *others = range(len(widths))
    tables: list[list[int]] = [[first]]
    left = room - widths[first]
    for index in others:
        if widths[index] + GAP > left and len(tables[-1]) > 1:
            tables.append([first])
            left = room - widths[first]
        tables[-1].append(index)
        left -= widths[index] + GAP
    return tuple(map(tuple, tables))


def fold(text: str, room: int, *, hang: int = 0) -> list[str]:
    """A line as lines of `room` characters, broken at spaces alone, each as far from the left as it and `hang` further.

    A word that is longer has a line of its own and is not cut.
    """
    margin = len(text) - len(text.lstrip(" "))
    return textwrap.wrap(
        text,
        max(room, margin + hang + 1),
        subsequent_indent=" " * (margin + hang),
        break_long_words=False,
        break_on_hyphens=False,
    ) or [""]


def fold_lines(lines: Iterable[str], room: int, *, hang: int = 0) -> str:
    """Each of several lines folded, as a text."""
    return "".join(f"{part}\n" for line in lines for part in fold(line, room, hang=hang))


def shorten(text: str, room: int) -> str:
    """As many words of a line as there is room for, with dots in the place of those that are left out."""
    return textwrap.shorten(text, max(room, len("...")), placeholder=" ...")
