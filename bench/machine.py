"""What benchmarks say of the machine: its facts, and whether something else was at work on it."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bareboat.result.values import Host

QUIET_SHARE = 0.05
LOOK_SECONDS = 3.0
_SETTLE_LOOK_SECONDS, _SETTLE_LOOKS = 0.4, 50


def busy_share() -> float:
    """The share of all cores' time, 0 to 1, that something was at work in over the next seconds; source: /proc/stat."""
    busy, whole = _ticks()
    time.sleep(LOOK_SECONDS)
    busy_then, whole_then = _ticks()
    return (busy_then - busy) / max(1, whole_then - whole)


def settle() -> None:
    """Wait until what came before has ended its own work: daemons tidy up after a build, and containers' ends too."""
    for _ in range(_SETTLE_LOOKS):
        busy, whole = _ticks()
        time.sleep(_SETTLE_LOOK_SECONDS)
        busy_then, whole_then = _ticks()
        if busy_then - busy < QUIET_SHARE * (whole_then - whole):
            return


def worked_seconds() -> float:
    """The seconds that the cores were at work in since the machine began, added up; source: /proc/stat."""
    return _ticks()[0] / os.sysconf("SC_CLK_TCK")


def describe(host: Host, busy: float, *more: str) -> str:
    """A line a fact; a share of `busy` that spoils figures is told as such."""
    facts = [f"{key.replace('_', ' ')}: {value}" for key, value in asdict(host).items() if key != "name"]
    verdict = "quiet" if busy < QUIET_SHARE else "**not quiet: take no figure of this run for a result**"
    facts += [*more, f"cores: {os.cpu_count() or 1}", f"at work before: {busy:.0%} of all cores, {verdict}"]
    return "\n".join(f"- {fact}" for fact in facts)


def tell(text: str) -> None:
    """Say what is not the answer."""
    print(text, file=sys.stderr, flush=True)


def _ticks() -> tuple[int, int]:
    """Time that was worked, and all time; guests' is part of the users', and of no use twice."""
    line = Path("/proc/stat").read_text(encoding="ascii").partition("\n")[0]
    ticks = [int(word) for word in line.split()[1:9]]
    idle = ticks[3] + ticks[4]
    return sum(ticks) - idle, sum(ticks)
