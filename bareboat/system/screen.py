"""The terminal that an answer is read on: how wide it is, and what it can show."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TextIO

# What is drawn with: the rule below headings, and bars.
_DRAWN = "─▏▎▍▌▋▊▉█"


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """A terminal."""

    columns: int  # characters in a line
    blocks: bool = True  # whether its encoding has the characters of lines and bars


def find_screen(stream: TextIO) -> Screen | None:
    """The terminal that is read on which the stream is written; None where it goes into a file or to a program.

    Where its width is not known it is taken to be 80. COLUMNS says another, as for any program.
    """
    if not stream.isatty():
        return None
    try:
        _DRAWN.encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return Screen(columns=shutil.get_terminal_size().columns, blocks=False)
    return Screen(columns=shutil.get_terminal_size().columns)
