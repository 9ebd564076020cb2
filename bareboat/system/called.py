"""By which name Bareboat was called: a checkout's tasks by `invoke`, the installed command by its own."""

from __future__ import annotations

import sys
from pathlib import Path


def as_called(text: str) -> str:
    """A message for people, which names our commands as `invoke ...`, with the name by which the user called us."""
    program = Path(sys.argv[0])
    own = program.name == "bareboat" or program.parts[-2:] == ("bareboat", "__main__.py")
    return text.replace("`invoke ", "`bareboat ") if own else text
