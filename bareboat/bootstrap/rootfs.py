"""What a bootstrap gives back: a root filesystem and the packages it was made from. Pure values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from bareboat.inputs.lock import Pinned


@dataclass(frozen=True, slots=True, kw_only=True)
class RootFilesystem:
    """A whole root filesystem as an uncompressed tar archive, and its packages, sorted by name."""

    tar: Path
    packages: tuple[Pinned, ...]
