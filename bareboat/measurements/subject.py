"""What is measured: one image as shipped, the program in it, and how long its build took."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bareboat.archive import Image
    from bareboat.elf import ElfFacts
    from bareboat.result.values import AboardFile, Preflight


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """`program_path` is where the image has the program, `program` its bytes; `build_seconds` is None where unknown.

    `preflight` is None where nothing was predicted; `manifest` is empty for an image that does not start from scratch.
    `peak_bytes` is the most memory that a service took; None for what is none.
    """

    image: Image
    program_path: str
    program: bytes
    elf: ElfFacts
    build_seconds: float | None = None
    preflight: Preflight | None = None
    manifest: tuple[AboardFile, ...] = ()
    peak_bytes: int | None = None
