"""Runs jobs in dependency order on any `concurrent.futures.Executor`, and tells of each as it ends.

A job whose need failed is not run: it ends with the need's error. Nothing here knows what a job does.
"""

from __future__ import annotations

import time
from concurrent.futures import FIRST_COMPLETED, wait
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Generic, TypeVar, cast

from bareboat.errors import BareboatError, StoppedError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
    from concurrent.futures import Executor, Future

J = TypeVar("J")
Out = TypeVar("Out")


@dataclass(frozen=True, slots=True, kw_only=True)
class Done(Generic[J, Out]):
    """One job's end: its output, or its own error, or that of `aborted_by`, the failed job it depends on."""

    job: J
    output: Out | None
    error: BareboatError | None
    seconds: float
    aborted_by: J | None = None


def execute(
    jobs: Sequence[J],
    needs: Callable[[J], Sequence[J]],
    key: Callable[[J], Hashable],
    run: Callable[[J, Mapping[Hashable, Out]], Out],
    executor_of: Callable[[J], Executor],
    *,
    weight: Callable[[J], float] = lambda _: 1.0,
    alone: Callable[[J], bool] = lambda _: False,
    known: Mapping[Hashable, Out] = MappingProxyType({}),
) -> Iterator[Done[J, Out]]:
    """Yield every job's end, in the order in which they end; `run` gets the outputs of its needs by key.

    `jobs` must list each job after its needs. What is `known` is an output by its job's key; such a job is not run.
    `weight` is about how long a job takes: of the jobs that can start, that one starts first which has the longest way
    to the end before it. One that is to run `alone` starts when all others that can have ended, and nothing runs beside
    it. A BareboatError or OSError (a full disk, say) of one job is data; StoppedError and any other exception end the
    run.
    """
    waiting = _Waiting([job for job in jobs if key(job) not in known], needs, key, weight)
    outputs = dict(known)
    running: dict[Future[Done[J, Out]], J] = {}
    while waiting.jobs or running:
        for job in waiting.startable(alone, idle=not running):
            inputs = {key(need): outputs[key(need)] for need in needs(job)}
            running[executor_of(job).submit(_timed, run, job, inputs)] = job
        for future in wait(running, return_when=FIRST_COMPLETED).done:
            job, done = running.pop(future), future.result()
            yield done
            if done.error is None:
                outputs[key(job)] = cast("Out", done.output)
                waiting.finished(key(job))
            else:
                # Each job's error is told of once more for every job that needs it, however far off.
                for lost in waiting.without(key(job)):
                    yield Done(job=lost, output=None, error=done.error, seconds=0.0, aborted_by=job)


class _Waiting(Generic[J]):
    """The jobs that have not started, and what each still waits for."""

    def __init__(
        self,
        jobs: Sequence[J],
        needs: Callable[[J], Sequence[J]],
        key: Callable[[J], Hashable],
        weight: Callable[[J], float],
    ) -> None:
        self.jobs = {key(job): job for job in jobs}
        self._unmet = {
            name: {key(need) for need in needs(job) if key(need) in self.jobs} for name, job in self.jobs.items()
        }
        self._followers: dict[Hashable, list[Hashable]] = {}
        for name, unmet in self._unmet.items():
            for need in unmet:
                self._followers.setdefault(need, []).append(name)
        self._ready = {name: self.jobs[name] for name, unmet in self._unmet.items() if not unmet}
        self._way: dict[Hashable, float] = {}
        for job in reversed(jobs):
            behind = (self._way[name] for name in self._followers.get(key(job), ()))
            self._way[key(job)] = weight(job) + max(behind, default=0.0)

    def startable(self, alone: Callable[[J], bool], *, idle: bool) -> list[J]:
        """Take the jobs that may start; one that is to run alone only when nothing runs and no other can."""
        side_by_side = [name for name, job in self._ready.items() if not alone(job)]
        side_by_side.sort(key=self._way.__getitem__, reverse=True)
        names = side_by_side or (list(self._ready)[:1] if idle else [])
        return [self._take(name) for name in names]

    def finished(self, need: Hashable) -> None:
        """What waited for that need alone may start."""
        for name in self._followers.get(need, ()):
            self._unmet[name].discard(need)
            if not self._unmet[name] and name in self.jobs:
                self._ready[name] = self.jobs[name]

    def without(self, need: Hashable) -> Iterator[J]:
        """Take every job that cannot be run without that need."""
        for name in self._followers.get(need, ()):
            if name in self.jobs:
                yield self._take(name)
                yield from self.without(name)

    def _take(self, name: Hashable) -> J:
        self._ready.pop(name, None)
        return self.jobs.pop(name)


def _timed(run: Callable[[J, Mapping[Hashable, Out]], Out], job: J, inputs: Mapping[Hashable, Out]) -> Done[J, Out]:
    start = time.monotonic()
    try:
        output = run(job, inputs)
    except StoppedError:
        raise
    except BareboatError as error:
        return Done(job=job, output=None, error=error, seconds=time.monotonic() - start)
    except OSError as error:
        return Done(job=job, output=None, error=_told(error), seconds=time.monotonic() - start)
    return Done(job=job, output=output, error=None, seconds=time.monotonic() - start)


def _told(error: OSError) -> BareboatError:
    paths = [str(path) for path in (error.filename, error.filename2) if path is not None]
    told = BareboatError(": ".join([*paths, error.strerror or str(error) or type(error).__name__]))
    told.__cause__ = error
    return told
