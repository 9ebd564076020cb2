"""Which of this machine's files a crate is made of: those of its own folder, and those beside it that it names.

What git ignores is no source, though cargo may see it. A crate that needs another folder gets it at the same place
relative to its own: the nearest folder that has both is what a container sees, without all else that is in there.
"""

from __future__ import annotations

import os.path
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from bareboat.inputs.path_dependencies import find_beside

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_CONFIGURATION = ".cargo"
# Of libraries the lock is often ignored, and it says what is compiled all the same, as does cargo's configuration.
_KEPT = frozenset({"Cargo.lock", f"{_CONFIGURATION}/config", f"{_CONFIGURATION}/config.toml"})
_UP = ".."


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """What belongs to a crate, in places relative to its folder."""

    # Files and folders outside the crate's folder that cargo needs: `../shared`.
    beside: tuple[str, ...] = ()
    # Files and folders in all of these that are no sources.
    ignored: frozenset[str] = frozenset()

    def root(self, folder: Path) -> Path:
        """The nearest folder that has the crate in `folder` and all that is beside it."""
        height = self._height
        return folder.parents[height - 1] if height else folder

    def place(self, folder: Path) -> str:
        """The crate's folder in the root: "" where it is the root."""
        height = self._height
        return "/".join(folder.parts[-height:]) if height else ""

    def parts(self, folder: Path) -> tuple[str, ...]:
        """The places in the root below which the sources lie, none in another; "" is the root itself."""
        places = sorted({self.place(folder), *(self.in_root(folder, beside) for beside in self.beside)})
        kept = list[str]()
        for place in places:
            if not any(PurePosixPath(place).is_relative_to(other) for other in kept):
                kept.append(place)
        return tuple(kept)

    def in_root(self, folder: Path, place: str) -> str:
        """A place that is relative to the crate's folder, relative to the root instead; "" for the root itself."""
        whole = os.path.normpath(os.path.join(self.place(folder), place))  # noqa: PTH118 (a Path keeps the `..`)
        return "" if whole == "." else whole

    @property
    def _height(self) -> int:
        return max((PurePosixPath(beside).parts.count(_UP) for beside in self.beside), default=0)


def find_extent(folder: Path, ignored_in: Callable[[Path], Iterable[str]]) -> Extent:
    """The extent of the crate or workspace in a folder; `ignored_in` gives the places that are no sources there."""
    beside = find_beside(folder)
    relative = partial(os.path.relpath, start=folder)
    ignored = {
        relative(folder / part / place)
        for part in ("", *beside)
        if (folder / part).is_dir()
        for place in ignored_in(folder / part)
    }
    if _CONFIGURATION in ignored:
        ignored.remove(_CONFIGURATION)
        inner = (folder / _CONFIGURATION).iterdir() if (folder / _CONFIGURATION).is_dir() else ()
        ignored |= {relative(path) for path in inner}
    return Extent(beside=beside, ignored=frozenset(ignored) - _KEPT)


def nothing_ignored(folder: Path) -> tuple[str, ...]:
    """What is ignored where all files are sources."""
    del folder
    return ()
