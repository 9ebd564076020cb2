"""What a run says while it goes on: a line for each job that has ended."""

from __future__ import annotations

from contextlib import suppress
from threading import Lock
from typing import TYPE_CHECKING, Protocol, Self

from bareboat.system.printable import printable
from bareboat.system.redact import without_secrets

if TYPE_CHECKING:
    from types import TracebackType
    from typing import TextIO

_WITHOUT_TIME = frozenset({"skipped", "unchanged"})
_MINUTE_SECONDS = 60


class Progress(Protocol):
    """Hears of jobs as they start and finish, from any thread, for as long as its `with` block runs."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def started(self, job: str) -> None:
        """`job` runs from now on."""
        ...

    def finished(self, job: str, status: str, seconds: float, note: str) -> None:
        """`job` ended as built, passed, failed, skipped or unchanged after `seconds`; `note` may be empty."""
        ...

    def note(self, text: str) -> None:
        """Something to say that is no job's end."""
        ...


class Count:
    """How many of `total` jobs have finished; says each end as one line."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.done = 0

    def line(self, job: str, status: str, seconds: float, note: str) -> str:
        """`[ 3/17] image hello-world@alpine: passed in 1.2 s: note`, and one more counted."""
        self.done += 1
        took = "" if status in _WITHOUT_TIME else f" in {duration(seconds)}"
        tail = f": {note}" if note else ""
        return one_line(f"[{self.done:>{len(str(self.total))}}/{self.total}] {job}: {status}{took}{tail}")


class PlainProgress:
    """One line for each finished job and each note, whole, in the order in which they came."""

    def __init__(self, stream: TextIO, total: int) -> None:
        self._stream = stream
        self._count = Count(total)
        self._lock = Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def started(self, job: str) -> None:
        """Says nothing: a log is read afterwards, and there the end is what counts."""

    def finished(self, job: str, status: str, seconds: float, note: str) -> None:
        """Writes the job's line."""
        with self._lock:
            self._write(self._count.line(job, status, seconds, note))

    def note(self, text: str) -> None:
        """Writes `text` on a line of its own."""
        with self._lock:
            self._write(one_line(text))

    def _write(self, line: str) -> None:
        with suppress(OSError):  # a reader who went away (`2>&1 | head`) is no reason to fail a build
            self._stream.write(f"{line}\n")
            self._stream.flush()


def one_line(text: str) -> str:
    """`text` as a line for everybody's eyes and for a terminal."""
    return printable(without_secrets(text))


def duration(seconds: float) -> str:
    """`1.2 s`, `2 min 05 s`."""
    if round(seconds, 1) < _MINUTE_SECONDS:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), _MINUTE_SECONDS)
    return f"{minutes} min {rest:02} s"
