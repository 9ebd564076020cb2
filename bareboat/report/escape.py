"""Text made safe for Markdown: it comes out as written, whatever a program printed."""

from __future__ import annotations

import re

from bareboat.result.values import printable

_MARKS = re.compile(r"[\\`*_\[\]<>&|~$#!]")


def markdown_text(text: str) -> str:
    """`text` on one line, every character that Markdown or a table cell would read as a mark escaped."""
    return _MARKS.sub(r"\\\g<0>", printable(text))
