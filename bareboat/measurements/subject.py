"""What measurements are taken from: an image as shipped, its program and its compile; and what timed runs showed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bareboat.result.measurement import Reading

if TYPE_CHECKING:
    from bareboat.archive import Image
    from bareboat.elf import ElfFacts
    from bareboat.result.gauged import Gauged
    from bareboat.result.values import ManifestRow, Preflight, Probe

_NOT_TAKEN = Reading(value=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is measured of an image as shipped."""

    # As it is shipped.
    image: Image
    # Where the image has the program.
    program_path: str
    # The program's content, and the facts read from it.
    program: bytes
    elf: ElfFacts
    # Which C library it says that it has: one that the toolchain knows, `other` for one of the user's own, or `none`.
    declared_libc: str | None = None
    # How long the compile took; None where that is unknown.
    build_seconds: float | None = None
    # Whether the compile found objects of an earlier compile; None where that is unknown.
    warm_target: bool | None = None
    # The crates that the build could link, by name; None where that is unknown.
    crates: frozenset[str] | None = None
    # What was predicted and whether it came true; None where nothing was predicted.
    preflight: Preflight | None = None
    # The files of a from-scratch image; empty for other images.
    manifest: tuple[ManifestRow, ...] = ()
    # Whether figures are taken that take long to take.
    thorough: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedSubject:
    """What the timed runs of an image showed; they run when all builds have ended, one at a time."""

    # The most memory that a service took; None for another program.
    peak_bytes: int | None
    # What it was asked, and whether the answers were right.
    probes: tuple[Probe, ...] = ()
    # What the gauge saw from inside its container; None where there was no gauge.
    gauged: Gauged | None = None
    # The seconds of a compile of the program from nothing, and of one after a change of one line.
    compile_cold: Reading = _NOT_TAKEN
    compile_warm: Reading = _NOT_TAKEN
    # The smallest memory limit that it survives, and the level of processor that it needs, where they were asked for.
    memory_floor: Reading = _NOT_TAKEN
    cpu_level: Reading = _NOT_TAKEN
