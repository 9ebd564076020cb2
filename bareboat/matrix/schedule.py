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
) -> Iterator[Done[J, Out]]:
    """Yield every job's end, in the order in which they end; `run` gets the outputs of its needs by key.

    `jobs` must list each job after its needs. A BareboatError of one job is data; StoppedError and any other
    exception end the run.
    """
    waiting = {key(job): job for job in jobs}
    outputs: dict[Hashable, Out] = {}
    failed: dict[Hashable, Done[J, Out]] = {}
    running: dict[Future[Done[J, Out]], Hashable] = {}
    while waiting or running:
        for name in [name for name, job in waiting.items() if all(key(need) in outputs for need in needs(job))]:
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
        finished, _ = wait(running, return_when=FIRST_COMPLETED)
        for future in finished:
            name, done = running.pop(future), future.result()
            if done.error is not None:
                failed[name] = done
            else:
                outputs[name] = cast("Out", done.output)
            yield done


def _timed(run: Callable[[J, Mapping[Hashable, Out]], Out], job: J, inputs: Mapping[Hashable, Out]) -> Done[J, Out]:
    start = time.monotonic()
    try:
        output = run(job, inputs)
    except StoppedError:
        raise
    except BareboatError as error:
        return Done(job=job, output=None, error=error, seconds=time.monotonic() - start)
    return Done(job=job, output=output, error=None, seconds=time.monotonic() - start)
