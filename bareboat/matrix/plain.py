"""What a run says while it goes on: a line for each job that has ended, and for each that takes long."""

from __future__ import annotations

import time
from contextlib import suppress
from threading import Event, Lock, Thread
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, Protocol, Self

from bareboat.matrix.outlook import Outlook, about
from bareboat.system.printable import printable
from bareboat.system.redact import without_secrets

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from types import TracebackType
    from typing import TextIO

_WITHOUT_TIME = frozenset({"skipped", "unchanged"})
_MINUTE_SECONDS = 60
# A job that takes as long is told of while it runs.
_LONG_SECONDS = 30.0
_TICK_SECONDS = 5.0

# Failures alone, or what is done, or all.
Loudness = Literal["quiet", "usual", "verbose"]


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

    def passed_over(self, job: str) -> None:
        """`job` ended, and there is nothing to say of it that was not said of another."""
        ...

    def note(self, text: str) -> None:
        """Something to say that is no job's end."""
        ...


class Count:
    """How many of `total` jobs have finished; says each end as one line."""

    def __init__(
        self, total: int, *, loudness: Loudness = "usual", logs: Mapping[str, Path] = MappingProxyType({})
    ) -> None:
        self.total = total
        self._logs = logs if loudness == "verbose" else {}
        self.done = 0
        self.unchanged = 0
        self._loudness = loudness

    def line(self, job: str, status: str, seconds: float, note: str) -> str:
        """`[ 3/17] image hello-world@alpine: passed in 1.2 s: note`, and one more counted.

        "" of what is only counted: what is unchanged unless all is to be told, and what did not fail where that alone
        is.
        """
        self.done += 1
        if status == "unchanged":
            self.unchanged += 1
        told = {"quiet": status == "failed", "usual": status != "unchanged", "verbose": True}
        took = "" if status in _WITHOUT_TIME else f" in {duration(seconds)}"
        tail = f": {note}" if note else ""
        tail += f"; log: {self._logs[job]}" if job in self._logs and status != "unchanged" else ""
        line = f"[{self.done:>{len(str(self.total))}}/{self.total}] {job}: {status}{took}{tail}"
        return one_line(line) if told[self._loudness] else ""

    def last_line(self) -> str:
        """What is said of all that was only counted; "" of none."""
        jobs = "1 job" if self.unchanged == 1 else f"{self.unchanged} jobs"
        return f"{jobs} unchanged" if self.unchanged and self._loudness == "usual" else ""


class PlainProgress:
    """One line for each finished job and each note, whole, in the order in which they came.

    Of a job that takes long a line says after half a minute how far it is, and again each time that this has doubled.
    """

    def __init__(
        self,
        stream: TextIO,
        total: int,
        outlook: Outlook | None = None,
        *,
        loudness: Loudness = "usual",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._stream = stream
        self._outlook = outlook or Outlook()
        self._count = Count(total, loudness=loudness, logs=self._outlook.logs)
        self._loudness = loudness
        self._clock = clock
        self._since: dict[str, float] = {}
        self._next: dict[str, float] = {}  # after how many seconds a running job is told of
        self._lock = Lock()
        self._over = Event()
        self._thread = Thread(target=self._tell_of_running, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
        if line := self._count.last_line():
            self._write(line)

    def started(self, job: str) -> None:
        """Remembers when: a log is read afterwards, and there the end is what counts."""
        with self._lock:
            self._since[job], self._next[job] = self._clock(), _LONG_SECONDS

    def finished(self, job: str, status: str, seconds: float, note: str) -> None:
        """Writes the job's line."""
        with self._lock:
            self._end(job, seconds)
            if line := self._count.line(job, status, seconds, note):
                self._write(line)

    def passed_over(self, job: str) -> None:
        """Counts it."""
        with self._lock:
            self._end(job, 0.0)
            self._count.done += 1

    def note(self, text: str) -> None:
        """Writes `text` on a line of its own."""
        with self._lock:
            if self._loudness != "quiet":
                self._write(one_line(text))

    def tell_of_running(self) -> None:
        """Writes how far the jobs are that take long and were not told of lately."""
        with self._lock:
            now = self._clock()
            running = {job: now - since for job, since in self._since.items()}
            for job, seconds in running.items():
                if seconds >= self._next[job]:
                    self._next[job] *= 2
                    self._write(one_line(f"{say_running(self._outlook, job, self._since[job], now)}{self._log(job)}"))

    def _log(self, job: str) -> str:
        log = self._outlook.logs.get(job)
        return f", log: {log}" if log else ""

    def _tell_of_running(self) -> None:
        while self._loudness != "quiet" and not self._over.wait(_TICK_SECONDS):
            self.tell_of_running()

    def _end(self, job: str, seconds: float) -> None:
        self._since.pop(job, None)
        self._outlook.ended(job, seconds)

    def _write(self, line: str) -> None:
        with suppress(OSError):  # a reader who went away (`2>&1 | head`) is no reason to fail a build
            self._stream.write(f"{line}\n")
            self._stream.flush()


def say_running(outlook: Outlook, job: str, since: float, now: float) -> str:
    """`toolchain gnu: Compiling std v0.0.0, 1 min 00 s of about 3 min`; times are in seconds of the epoch."""
    phase, usual = outlook.phase(job, since), outlook.of(job)
    parts = [*([phase] if phase else []), took_of(now - since, usual)]
    return f"{job}: {', '.join(parts)}"


def took_of(seconds: float, usual: float | None) -> str:
    """`1 min 00 s of about 3 min`; without the forecast where there is none, or where it has turned out wrong."""
    known = usual is not None and usual >= _LONG_SECONDS and seconds <= usual
    return f"{duration(seconds)} of {about(usual)}" if usual is not None and known else duration(seconds)


def one_line(text: str) -> str:
    """`text` as a line for everybody's eyes and for a terminal."""
    return printable(without_secrets(text))


def duration(seconds: float) -> str:
    """`1.2 s`, `2 min 05 s`."""
    if round(seconds, 1) < _MINUTE_SECONDS:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), _MINUTE_SECONDS)
    return f"{minutes} min {rest:02} s"
