"""What is measured: one image as shipped, the program in it, how it was compiled, and what its timed runs showed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bareboat.archive import Image
    from bareboat.elf import ElfFacts
    from bareboat.result.values import ManifestRow, Preflight


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """An image as shipped, and what is known of it."""

    image: Image
    program_path: str  # where the image has the program
    program: bytes
    elf: ElfFacts
    build_seconds: float | None = None  # what the compile took; None where that is unknown
    warm_target: bool | None = None  # whether it found objects of an earlier compile; None where that is unknown
    preflight: Preflight | None = None  # None where nothing was predicted
    manifest: tuple[ManifestRow, ...] = ()  # empty for an image that does not start from scratch


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedSubject:
    """What the timed runs of an image showed; they run when all builds have ended, one at a time."""

    peak_bytes: int | None  # the most memory that a service took
