"""A live view of what runs and what has ended, on a terminal: a row a job, and a bar."""

from __future__ import annotations

import sys
import time
from functools import partial
from textwrap import shorten as shorten_words
from threading import Lock
from typing import TYPE_CHECKING, Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from bareboat.matrix.outlook import Outlook, about
from bareboat.matrix.plain import Count, one_line, took_of

if TYPE_CHECKING:
    from types import TracebackType
    from typing import TextIO

    from rich.console import RenderableType

    from bareboat.matrix.plain import Loudness

_STYLES = {"passed": "green", "built": "green", "failed": "bold red", "skipped": "yellow", "unchanged": "dim"}
_DRAWN_PER_SECOND = 8
_LINES_BESIDE_JOBS = 3
_BAR_COLUMNS = 30

shorten = partial(shorten_words, placeholder=" ...")


class LiveProgress:
    """A row for each running job and a bar below them, redrawn in place; what has finished scrolls away above."""

    def __init__(
        self, stream: TextIO, total: int, outlook: Outlook | None = None, *, loudness: Loudness = "usual"
    ) -> None:
        self._console = Console(file=stream, highlight=False, markup=False, emoji=False)
        self._outlook = outlook or Outlook()
        self._count = Count(total, loudness=loudness, logs=self._outlook.logs)
        self._since: dict[str, float] = {}
        self._lock = Lock()
        self._line_lock = Lock()  # apart from the other, which the drawing thread takes while it holds rich's own
        self._spinner = Spinner("line" if self._console.options.ascii_only else "dots", style="cyan")
        self._live = Live(
            console=self._console,
            get_renderable=self._view,
            refresh_per_second=_DRAWN_PER_SECOND,
            transient=True,
            redirect_stdout=False,  # what goes to stdout is the caller's and may be piped on
            redirect_stderr=stream is sys.stderr,
        )

    def __enter__(self) -> Self:
        self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if line := self._count.last_line():
            self.note(line)
        self._live.__exit__(kind, error, trace)

    def started(self, job: str) -> None:
        """Adds the job's row."""
        with self._lock:
            self._since[job] = time.time()

    def finished(self, job: str, status: str, seconds: float, note: str) -> None:
        """Takes the job's row away, prints its line above the rows and moves the bar on."""
        with self._line_lock:
            with self._lock:
                self._end(job, seconds)
                line = self._count.line(job, status, seconds, note)
            if line:
                self._console.print(_coloured(line, f": {status}", _STYLES.get(status, "")), soft_wrap=True)

    def passed_over(self, job: str) -> None:
        """Takes the job's row away, and moves the bar on."""
        with self._lock:
            self._end(job, 0.0)
            self._count.done += 1

    def note(self, text: str) -> None:
        """Prints `text` above the rows."""
        self._console.print(Text(one_line(text)), soft_wrap=True)

    def _end(self, job: str, seconds: float) -> None:
        self._since.pop(job, None)
        self._outlook.ended(job, seconds)

    def _view(self) -> RenderableType:
        now = time.time()
        with self._lock:
            running, done = tuple(self._since.items()), self._count.done
            left = self._outlook.left({job: now - since for job, since in running})
            usual = {job: self._outlook.of(job) for job, _ in running}
        room = max(1, self._console.height - _LINES_BESIDE_JOBS)
        rows = [(job, since, took_of(now - since, usual[job])) for job, since in running[:room]]
        return Group(self._rows(rows, len(running) - len(rows)), self._bar(done, left))

    def _rows(self, running: list[tuple[str, float, str]], more: int) -> Table:
        rows = Table.grid(padding=(0, 1))
        rows.add_column(width=1)
        rows.add_column(no_wrap=True, overflow="ellipsis")
        rows.add_column(justify="right", no_wrap=True)
        rows.add_column(no_wrap=True, overflow="ellipsis")
        widest = max((len(job) + len(took) for job, _, took in running), default=0)
        for job, since, took in running:
            phase = shorten(one_line(self._outlook.phase(job, since)), max(self._console.width - widest - 5, 4))
            rows.add_row(self._spinner, Text(one_line(job)), Text(took, style="dim"), Text(phase, style="dim"))
        if more:
            rows.add_row("", Text(f"and {more} more", style="dim"), "", "")
        return rows

    def _bar(self, done: int, left: float | None) -> Table:
        total = self._count.total
        bar = Table.grid(padding=(0, 1))
        forecast = "" if left is None else f", {about(left)} left"
        said = Text(f"{done} of {total} jobs{forecast}")
        width = max(min(_BAR_COLUMNS, self._console.width - len(said) - 1), 1)
        bar.add_row(ProgressBar(total=max(total, 1), completed=done, width=width, complete_style="cyan"), said)
        return bar


def _coloured(line: str, part: str, style: str) -> Text:
    text = Text(line)
    start = line.find(part)
    if start >= 0:
        text.stylize(style, start + len(": "), start + len(part))
    return text
