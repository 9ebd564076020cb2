"""The folders that a command works on. Every command line imports this, so it imports little."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """The folders a command works on: those of a checkout, of the folder that the user stands in, or of the package.

    An installed package has our recipes and no samples. It lies where nobody writes: what it keeps is the user's.
    """

    root: Path
    # Where the lock is kept, instead of beside the recipes; None for a checkout.
    kept: Path | None = None
    # The crate in whose folder the user stands; None where that folder is a project, or has no Cargo.toml.
    crate: Path | None = None

    def complete(self, words: Mapping[str, Any]) -> dict[str, Any]:
        """The words of a task; a crate that they may name and do not is the one in whose folder the user stands."""
        return {**words, "crate": self.crate} if self.crate and words.get("crate") == "" else dict(words)

    @property
    def recipes(self) -> Path:
        """Recipes, toolchains, the lock."""
        return self.root / "recipes"

    @property
    def lock(self) -> Path:
        """What the recipes were resolved to."""
        return (self.kept or self.recipes) / "recipes.lock"

    @property
    def samples(self) -> Path:
        """One crate a folder."""
        return self.root / "rust-samples"

    @property
    def results(self) -> Path:
        """What is published of what was measured, a folder a host."""
        return self.root / "results"


def find_project(package: Path) -> Project:
    """The project in the folder that the user stands in, if it has recipes; else that of Bareboat itself.

    `package` is the folder of Bareboat's own package, in a checkout or installed.
    """
    own = _own_project(package)
    try:
        here = Path.cwd()
        # The package's own folder has the recipes as well, and is nobody's project.
        if (here / "recipes").is_dir() and here != package:
            return Project(root=here)
        return replace(own, crate=here if (here / "Cargo.toml").is_file() else None)
    except OSError:
        # The folder is gone, or may not be looked into: it is nobody's project.
        return own


def _own_project(package: Path) -> Project:
    if (package.parent / "recipes" / "toolchains").is_dir():
        return Project(root=package.parent)
    from bareboat.system.folders import find_state

    return Project(root=package, kept=find_state())
