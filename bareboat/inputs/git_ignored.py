"""What git leaves out of a folder: asked of git itself, so that every rule of it holds."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from bareboat.errors import EngineError, HostError

if TYPE_CHECKING:
    from bareboat.system.process import Processes

# Without locks nobody's own git of that moment is in the way, and a repository's settings start no program.
_GIT = ("git", "--no-optional-locks", "-c", "core.fsmonitor=false")
_LIST = ("ls-files", "--others", "--ignored", "--exclude-standard", "--directory", "-z")
# What makes a folder a repository that knows no file: https://git-scm.com/docs/gitrepository-layout
_EMPTY_FOLDERS, _EMPTY_HEAD = ("objects", "refs"), "ref: refs/heads/none\n"


def ignored_by_git(processes: Processes, folder: Path) -> tuple[str, ...]:
    """The files and folders below a crate's folder that git ignores and does not track; none where git is absent."""
    try:
        found = _ask(processes, folder)
        # A repository that ignores the crate itself is another matter's: a home folder's, or one around a cache.
        if not {"", ".", "Cargo.toml"} & {*found}:
            return found
    except EngineError:
        pass  # no repository, or another user's, which git does not trust
    except HostError:
        return ()
    with tempfile.TemporaryDirectory(prefix="bareboat-") as empty:
        for name in _EMPTY_FOLDERS:
            (Path(empty) / name).mkdir()
        (Path(empty) / "HEAD").write_text(_EMPTY_HEAD, encoding="utf-8")
        try:
            return _ask(processes, folder, f"--git-dir={empty}", "--work-tree=.")
        except EngineError:
            return ()


def _ask(processes: Processes, folder: Path, *options: str) -> tuple[str, ...]:
    said = processes.run([*_GIT, *options, *_LIST], cwd=folder)
    return tuple(place.rstrip("/") for place in said.split("\0")[:-1])
