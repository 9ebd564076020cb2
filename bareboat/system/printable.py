"""Makes any text safe to show: what programs and builds write would be obeyed by a terminal. Pure."""

from __future__ import annotations

import re

_LINE_ENDS = re.compile(r"\r\n?")


class Exact(str):
    """An answer that is read as it stands, such as a Containerfile: it is printed to the letter."""

    __slots__ = ()


def printable(text: str) -> str:
    r"""`text` as one line that is safe to show: reasons hold a program's raw output, which a terminal would obey.

    Each line break and tab becomes a space; other control, formatting and unpaired surrogate characters are spelt out,
    as `\x1b` or `\u202e`, so that no escape sequence and no reordering of letters gets through.
    """
    return "".join(_shown(character) for character in text.rstrip())


def printable_lines(text: str) -> str:
    """`text` as it stands, line breaks and tabs included, with all else spelt out that `printable` spells out."""
    if text.isprintable():
        return text
    plain = _LINE_ENDS.sub("\n", text)
    return "".join(character if character in "\n\t" else _shown(character) for character in plain)


def _shown(character: str) -> str:
    if character.isspace():
        return " "
    return character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
