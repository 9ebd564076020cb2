"""Escapes text for Markdown, so that whatever a program printed is shown as it is."""

from __future__ import annotations

import re

from bareboat.system.printable import printable

_MARKS = re.compile(r"[\\`*_\[\]<>&|~$#!]")


def markdown_text(text: str) -> str:
    """`text` on one line, with a backslash before every character that Markdown gives a meaning."""
    return _MARKS.sub(r"\\\g<0>", printable(text))
