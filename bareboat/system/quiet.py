"""Whether this machine is quiet enough that what is timed on it means something, from proc(5)'s stat."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

STAT = Path("/proc/stat")
# The share of all processors that others may use: what a desktop at rest takes, and less than one of four processors.
_QUIET_SHARE = 0.2
_LOOKED_SECONDS = 0.1
_WAITED_SECONDS = 3.0
# user, nice, system, idle, iowait, irq, softirq, steal; what guests take is counted in the first two already.
_KINDS, _IDLE = 8, slice(3, 5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Processors:
    """What all processors together did in some time, in any unit of time."""

    total: float
    idle: float

    def since(self, before: Processors) -> Processors:
        """What they did between two looks."""
        return Processors(total=self.total - before.total, idle=self.idle - before.idle)


def read_processors(stat: str) -> Processors | None:
    """What they did since the machine began, from the text of /proc/stat; None where it does not say so."""
    words = stat.partition("\n")[0].split()
    try:
        times = [int(word) for word in words[1 : _KINDS + 1]]
    except ValueError:
        return None
    if not words or words[0] != "cpu" or len(times) < _KINDS:
        return None
    return Processors(total=sum(times), idle=sum(times[_IDLE]))


def say_busy(done: Processors, own: float = 0.0) -> str:
    """One line of how busy others kept the processors, beside the `own` work; "" where that was little. Pure."""
    others = max(done.total - done.idle - own, 0) / done.total if done.total > 0 else 0.0
    said = f"the machine was busy: {100 * others:.0f} % of its processors were at other work"
    return said if others > _QUIET_SHARE else ""


def wait_for_quiet(stat: Path = STAT, sleep: Callable[[float], None] = time.sleep) -> str:
    """Wait up to three seconds until others leave the processors alone; one line of why that did not come, or ""."""
    said = ""
    for _ in range(round(_WAITED_SECONDS / _LOOKED_SECONDS)):
        before = _look(stat)
        sleep(_LOOKED_SECONDS)
        after = _look(stat)
        if before is None or after is None:
            return f"it is not known how busy the machine was: {stat} does not say it"
        said = say_busy(after.since(before))
        if not said:
            break
    return said


def _look(stat: Path) -> Processors | None:
    try:
        return read_processors(stat.read_text(encoding="ascii", errors="replace"))
    except OSError:
        return None
