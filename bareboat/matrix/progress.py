"""What a run says while it goes on, on stderr only: rows and a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from bareboat.matrix.plain import PlainProgress

if TYPE_CHECKING:
    from typing import TextIO

    from bareboat.matrix.plain import Progress

_NO_CURSOR_CONTROL = frozenset({"", "dumb", "unknown"})


def make_progress(stream: TextIO, total: int) -> Progress:
    """The view of `total` jobs on `stream`: live where that is a terminal that moves its cursor, else a line a job."""
    if stream.isatty() and os.environ.get("TERM", "") not in _NO_CURSOR_CONTROL:
        # What draws is imported where something is drawn.
        from bareboat.matrix.live import LiveProgress

        return LiveProgress(stream, total)
    return PlainProgress(stream, total)
