"""How long jobs take, by what they took before; and how many of them run side by side."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from bareboat.plan.jobs import ImageJob, ProgramJob, RootJob, TimedJob
from bareboat.system.files import replacing

if TYPE_CHECKING:
    from concurrent.futures import Executor
    from pathlib import Path

    from bareboat.plan.jobs import Job

# What a job of a kind takes, in seconds, where none was seen; only their order matters.
_ROOT, _PROGRAM, _ALONE, _OBSERVED, _IMAGE, _PROBES = 60.0, 10.0, 1.0, 1.0, 0.5, 5.0
_LIGHT_A_CORE = 2
_LIGHT_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Pace:
    """The seconds that jobs took when they were done last, by id."""

    seconds: dict[str, float] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> Self:
        """What earlier runs have kept; nothing where that cannot be read."""
        try:
            kept = json.loads(path.read_bytes())
            return cls({str(job): float(seconds) for job, seconds in kept.items()})
        except (OSError, ValueError, TypeError, AttributeError, OverflowError, RecursionError):
            return cls()

    def keep(self, path: Path) -> None:
        """Keep it for later runs."""
        with replacing(path) as file:
            file.write(json.dumps(self.seconds, indent=1).encode())

    def of(self, job: Job) -> float:
        """About how many seconds a job will take."""
        return self.seconds.get(job.id) or _usual(job)


class Pools:
    """The threads of a run: `jobs` of them compile and make bases, and twice as many ship and run images.

    Those mostly wait for Podman, which waits for the disk and for its own locks; and so does a compile that takes a
    moment, which is among them unless `exact` says that no more than `jobs` are to compile at once.
    """

    def __init__(self, jobs: int, pace: Pace, *, exact: bool = False) -> None:
        self._pace, self._exact = pace, exact
        self._heavy = ThreadPoolExecutor(jobs, thread_name_prefix="job")
        self._light = ThreadPoolExecutor(_LIGHT_A_CORE * jobs, thread_name_prefix="light")

    def of(self, job: Job) -> Executor:
        """The threads for a job."""
        return self._light if self._is_light(job) else self._heavy

    def _is_light(self, job: Job) -> bool:
        if isinstance(job, ProgramJob):
            return not self._exact and self._pace.of(job) < _LIGHT_SECONDS
        return isinstance(job, ImageJob)

    def close(self) -> None:
        """Start nothing more. Not waited for: a thread in its work must not hold up an interrupted run."""
        for pool in (self._heavy, self._light):
            pool.shutdown(wait=False, cancel_futures=True)


def _usual(job: Job) -> float:
    match job:
        case RootJob():
            return _ROOT
        case ProgramJob(sample=sample):
            return _PROGRAM if sample.needs_crates else _ALONE
        case ImageJob(cell=cell):
            return _IMAGE if cell.base else _OBSERVED
        case TimedJob():
            return _PROBES
