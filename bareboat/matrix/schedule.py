"""Runs jobs in dependency order on any `concurrent.futures.Executor`, and tells of each as it ends.

A job whose need failed is not run: it ends with the need's error. Nothing here knows what a job does.
"""

from __future__ import annotations

import time
from concurrent.futures import FIRST_COMPLETED, wait
from dataclasses import dataclass
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
    executor: Executor,
    *,
    alone: Callable[[J], bool] = lambda _: False,
) -> Iterator[Done[J, Out]]:
    """Yield every job's end, in the order in which they end; `run` gets the outputs of its needs by key.

    A job that is to run `alone` starts when all others that can have ended, and nothing runs beside it.
    `jobs` must list each job after its needs. A BareboatError or OSError (a full disk, say) of one job is data;
    StoppedError and any other exception end the run.
    """
    waiting = {key(job): job for job in jobs}
    outputs: dict[Hashable, Out] = {}
    failed: dict[Hashable, Done[J, Out]] = {}
    running: dict[Future[Done[J, Out]], Hashable] = {}
    while waiting or running:
        ready = {name: job for name, job in waiting.items() if all(key(need) in outputs for need in needs(job))}
        for name in _startable(ready, alone, idle=not running):
            job = waiting.pop(name)
            inputs = {key(need): outputs[key(need)] for need in needs(job)}
            running[executor.submit(_timed, run, job, inputs)] = name
        for name, job in list(waiting.items()):
            broken = next((need for need in needs(job) if key(need) in failed), None)
            if broken is not None:
                waiting.pop(name)
                cause = failed[key(broken)]
                root = cause.job if cause.aborted_by is None else cause.aborted_by
                failed[name] = Done(job=job, output=None, error=cause.error, seconds=0.0, aborted_by=root)
                yield failed[name]
        for future in wait(running, return_when=FIRST_COMPLETED).done:
            name, done = running.pop(future), future.result()
            if done.error is not None:
                failed[name] = done
            else:
                outputs[name] = cast("Out", done.output)
            yield done


def _startable(ready: Mapping[Hashable, J], alone: Callable[[J], bool], *, idle: bool) -> list[Hashable]:
    """Which of the jobs whose needs are done may start; one that runs alone only when nothing runs and no other can."""
    side_by_side = [name for name, job in ready.items() if not alone(job)]
    return side_by_side or (list(ready)[:1] if idle else [])


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
