"""What the gauge showed of a program: many runs, each measured from inside its container."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class GaugedRun:
    """One run; moments are seconds from just before its exec, None of what never came."""

    output: float | None = None  # the first byte of its standard output or error
    connected: float | None = None  # the first connection to its port
    answered: float | None = None  # the first byte of its answer to `GET /`
    ended: float | None = None  # its end, None where it was told to end
    peak_bytes: int = 0  # the most resident memory
    faults: int = 0  # page faults, minor and major


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauged:
    """All runs of one program in its image, and as many of a program that does nothing."""

    runs: tuple[GaugedRun, ...] = ()
    idle_runs: tuple[GaugedRun, ...] = ()
    why: str = ""  # one line of why there are none
    service: bool = False  # whether the program was asked on a port
