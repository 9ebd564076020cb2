"""What a run says while it goes on, on stderr only: rows and a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import os
from io import StringIO
from typing import TYPE_CHECKING

from bareboat.matrix.plain import PlainProgress

if TYPE_CHECKING:
    from typing import TextIO

    from bareboat.matrix.outlook import Outlook
    from bareboat.matrix.plain import Loudness, Progress

_NO_CURSOR_CONTROL = frozenset({"", "dumb", "unknown"})


class Muted(StringIO):
    """A stream on which nothing is said but what fails in a run, which `failures` is told."""

    def __init__(self, failures: TextIO) -> None:
        super().__init__()
        self.failures = failures

    def write(self, text: str) -> int:
        """Takes it, and says nothing."""
        return len(text)


def make_progress(
    stream: TextIO, total: int, outlook: Outlook | None = None, *, loudness: Loudness = "usual"
) -> Progress:
    """The view of `total` jobs on `stream`: live where that is a terminal that moves its cursor, else a line a job."""
    if isinstance(stream, Muted):
        return PlainProgress(stream.failures, total, outlook, loudness="quiet")
    if stream.isatty() and os.environ.get("TERM", "") not in _NO_CURSOR_CONTROL:
        # What draws is imported where something is drawn.
        from bareboat.matrix.live import LiveProgress

        return LiveProgress(stream, total, outlook, loudness=loudness)
    return PlainProgress(stream, total, outlook, loudness=loudness)
