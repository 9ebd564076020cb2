"""What jobs work with and what they make: the values that pass from job to job."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pathlib import Path

    from bareboat.engine.images import Engine
    from bareboat.engine.tracer import Tracer
    from bareboat.inputs.lock import Lock, Pinned
    from bareboat.result.values import Host, Result, Source
    from bareboat.system.folders import Folders
    from bareboat.system.process import Processes

# Part of every key: raise it when the same input comes to mean another image or result.
FORMAT = "1"

Status = Literal["built", "unchanged", "passed", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """Everything a job may use. `results` is this host's folder.

    `force` makes programs and cells again that are unchanged, `renew` bases and toolchains; `locked` refuses packages
    that are not as the lock says. Without a `tracer`, what a program opens is not observed.
    """

    engine: Engine
    processes: Processes
    folders: Folders
    recipes: Path
    results: Path
    lock: Lock
    locked: bool
    force: bool
    renew: bool
    host: Host
    commit: str
    tracer: Tracer | None = None

    def log(self, job: str) -> Path:
        """Where the log of a job goes; its last run's stays there."""
        return self.folders.logs / f"{job.replace(' ', '-')}.log"


@dataclass(frozen=True, slots=True, kw_only=True)
class RootImage:
    """A base or toolchain in the store; `reference` is what a Containerfile names."""

    status: Status
    note: str
    reference: str
    source: Source
    packages: tuple[Pinned, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A compiled program: its file, its SHA-256, how long the compile took."""

    status: Status
    note: str
    path: Path
    sha256: str
    seconds: float
    toolchain: RootImage


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A cell's result."""

    status: Status
    note: str
    result: Result


Output = RootImage | Program | Measured


def make_key(*parts: object) -> str:
    """SHA-256 (hex) of everything that goes into a job; equal keys mean equal output."""
    text = json.dumps([FORMAT, *[str(part) for part in parts]])
    return hashlib.sha256(text.encode()).hexdigest()
