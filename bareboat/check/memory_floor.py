"""Finds the smallest memory limit with which an image still does as it did with the limit that its runs have."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bareboat.check.again import Again
from bareboat.check.as_it_stands import Namespaces
from bareboat.check.harbor import open_harbor
from bareboat.errors import BareboatError, StoppedError
from bareboat.result.measurement import Reading

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bareboat.check.harbor import OpenHarbor
    from bareboat.inputs.limits import Limits
    from bareboat.make.context import JobContext, Program
    from bareboat.plan.jobs import Cell
    from bareboat.result.values import Probe, Ran

# A limit is held against the next: 1 MB more, or so many times as much.
_STEP = 1.05
_CONFIRMED = 2
# The probes that take memory: a body of 50 MB, one that is sent back, and 200 requests over 16 connections.
LOAD = ("body-50m", "echo-1m", "parallel")
_LOAD_SECONDS = 30.0
_READY_SECONDS = 3


def rungs(most_mb: int) -> tuple[int, ...]:
    """The limits that may be tried, in MB: from 1 to `most_mb`, each 1 MB or 5 % above the one before. Pure."""
    found = [1]
    while found[-1] < most_mb:
        found.append(min(most_mb, max(found[-1] + 1, int(found[-1] * _STEP))))
    return tuple(found)


def find_floor(survives: Callable[[int], bool], most_mb: int) -> int | None:
    """The smallest of `rungs` that survives twice and below which one did not; None where not even the last does.

    `survives` runs the image once. One that survives now and then is raised until it does twice in a row. Pure.
    """
    limits = rungs(most_mb)
    survived: set[int] = set()

    def does(place: int) -> bool:
        if survives(limits[place]):
            survived.add(place)
        return place in survived

    low, high = (-1, 0) if does(0) else (0, len(limits) - 1)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if does(middle) else (middle, high)
    for place in range(high, len(limits)):
        runs = _CONFIRMED - (place in survived)
        if all(survives(limits[place]) for _ in range(runs)):
            return limits[place]
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """What is asked of an image at each limit."""

    context: JobContext
    cell: Cell
    image_id: str
    ran: Ran | None  # what it did with the limit that its runs have, where nothing is expected of it
    harbor: Program | None  # the instrument that a service is held to
    probes: tuple[Probe, ...]  # what a service was asked with the limit that its runs have

    def reading(self) -> Reading:
        """The floor in bytes, or why it could not be found."""
        if self.context.remote:
            return Reading(value=None, why="an engine of another machine is not watched while it runs out of memory")
        if self.harbor is None:
            return self._read(self._as_before)
        with open_harbor(self.context, self.harbor) as harbor:
            environment = harbor.environment()
            return self._read(lambda limits: self._under_load(harbor, environment, limits))

    def _read(self, does: Callable[[Limits], bool]) -> Reading:
        limits = self.context.limits(self.cell)

        def survives(memory_mb: int) -> bool:
            try:
                return does(replace(limits, memory_mb=memory_mb))
            except StoppedError:
                raise
            except BareboatError:  # so little memory that the runtime refuses it, or that nothing answers in time
                return False

        floor = find_floor(survives, limits.memory_mb)
        if floor is None:
            return Reading(value=None, why=f"with {limits.memory_mb} MB, it did not twice in a row do as before")
        if floor == 1 and self.context.host.rootless:
            why = "it survives 1 MB: this machine does not hold an ordinary user's containers to memory limits"
            return Reading(value=None, why=why)
        return Reading(value=replace(limits, memory_mb=floor).memory_bytes)

    def _as_before(self, limits: Limits) -> bool:
        again = Again(
            engine=self.context.engine,
            image_id=self.image_id,
            expectations=self.cell.sample.expectations,
            before=self.ran,
            inside=Namespaces(processes=self.context.processes),
        )
        return again.fault(limits) is None

    def _under_load(self, harbor: OpenHarbor, environment: Mapping[str, str], limits: Limits) -> bool:
        right = {probe.name for probe in self.probes if probe.passed}
        load = [name for name in LOAD if name in right]
        with harbor.running(harbor.subject(self.image_id, environment, limits)):
            answers = harbor.ask(*load, ready_seconds=_READY_SECONDS, seconds=_LOAD_SECONDS)
            return all(probe.passed for probe in answers)
