"""What can be said of jobs while they run: how long they and the run will take, by earlier runs, and what they do."""

from __future__ import annotations

import math
import os
from statistics import fmean
from types import MappingProxyType
from typing import TYPE_CHECKING

from bareboat.matrix.pace import Pace
from bareboat.plan.jobs import is_timed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from bareboat.plan.jobs import Job

_MINUTE_SECONDS = 60
_TAIL_BYTES = 4096
# What mmdebstrap puts before each line that it has to say.
_INFORMATION = "I: "


class Outlook:
    """What is known beforehand of the `jobs` of a run, of which `at_once` work side by side; `logs` are by job's id.

    A job that was never done takes about what others of its kind took. It is not safe to use from several threads.
    """

    def __init__(
        self,
        jobs: Sequence[Job] = (),
        pace: Pace | None = None,
        at_once: int = 1,
        logs: Mapping[str, Path] = MappingProxyType({}),
    ) -> None:
        self._seconds = dict((pace or Pace()).seconds)
        self._pending = {job.id: is_timed(job) for job in jobs}
        self._at_once = at_once
        self.logs = logs

    def ended(self, job: str, seconds: float) -> None:
        """A job took so long, 0 where it was not done at all."""
        self._pending.pop(job, None)
        if seconds:
            self._seconds[job] = seconds

    def of(self, job: str) -> float | None:
        """About how many seconds a job takes; None where none of its kind was ever done."""
        if job in self._seconds:
            return self._seconds[job]
        kind, _, _ = job.partition(" ")
        alike = [seconds for other, seconds in self._seconds.items() if other.partition(" ")[0] == kind]
        return fmean(alike) if alike else None

    def left(self, running: Mapping[str, float]) -> float | None:
        """About how many seconds all that has not ended takes; `running` has the seconds that jobs run already.

        None where that is not known of one of them.
        """
        expected = {job: self.of(job) for job in self._pending}
        known = {job: max(seconds - running.get(job, 0.0), 0.0) for job, seconds in expected.items() if seconds}
        if not expected or len(known) < len(expected):
            return None
        together = [seconds for job, seconds in known.items() if not self._pending[job]]
        alone = sum(known.values()) - sum(together)
        return max(sum(together) / self._at_once, max(together, default=0.0)) + alone

    def phase(self, job: str, since: float) -> str:
        """What a job does: the last line of its log, if that was written `since` it began, in seconds of the epoch."""
        log = self.logs.get(job)
        try:
            if log is None or log.stat().st_mtime < since:
                return ""
            with log.open("rb") as file:
                file.seek(-min(_TAIL_BYTES, file.seek(0, os.SEEK_END)), os.SEEK_END)
                lines = file.read().decode(errors="replace").replace("\r", "\n").split("\n")
        except OSError:
            return ""
        return next((line.strip() for line in reversed(lines) if line.strip()), "").removeprefix(_INFORMATION)


def about(seconds: float) -> str:
    """`about 3 min`, `less than 1 min`."""
    minutes = math.ceil(seconds / _MINUTE_SECONDS)
    return f"about {minutes} min" if minutes > 1 else "less than 1 min" if seconds < _MINUTE_SECONDS else "about 1 min"
