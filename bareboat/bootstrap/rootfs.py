"""The result of a bootstrap: a root filesystem and the packages it was made from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from bareboat.inputs.lock import Pinned


@dataclass(frozen=True, slots=True, kw_only=True)
class RootFilesystem:
    """A root filesystem that was made from packages."""

    # An uncompressed tar archive of all of it.
    tar: Path
    # The packages in it, sorted by name.
    packages: tuple[Pinned, ...]
