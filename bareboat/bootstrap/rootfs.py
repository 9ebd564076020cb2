"""What a bootstrap gives back: a root filesystem and the packages it was made from. Pure values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Pinned:
    """One package that went in: its name, its version and the SHA-256 (64 hex digits) of its archive.

    The archive is the .deb file, or the wheel; an apk package that was cut out of a wheel carries the wheel's SHA-256.
    """

    name: str
    version: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RootFilesystem:
    """A whole root filesystem as an uncompressed tar archive, and its packages, sorted by name."""

    tar: Path
    packages: tuple[Pinned, ...]
