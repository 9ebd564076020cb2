"""The folders that a command works on. Every command line imports this, so it imports little."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """The folders a command works on: the checkout's own, or those of the folder that the user stands in."""

    root: Path
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
        return self.recipes / "recipes.lock"

    @property
    def samples(self) -> Path:
        """One crate a folder."""
        return self.root / "rust-samples"

    @property
    def results(self) -> Path:
        """What was measured, a folder a host."""
        return self.root / "results"


def find_project(checkout: Path) -> Project:
    """The project in the folder that the user stands in, if it has recipes, else the checkout of Bareboat itself."""
    try:
        here = Path.cwd()
        if (here / "recipes").is_dir():
            return Project(root=here)
        return Project(root=checkout, crate=here if (here / "Cargo.toml").is_file() else None)
    except OSError:
        # The folder is gone, or may not be looked into: it is nobody's project.
        return Project(root=checkout)
