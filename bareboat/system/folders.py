"""Where Bareboat keeps things on this machine, and how they are removed."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bareboat.system.process import Processes


@dataclass(frozen=True, slots=True, kw_only=True)
class Folders:
    """Where Bareboat keeps things on this machine; `cache` is the user's, `bootstrap` is world-traversable."""

    cache: Path
    bootstrap: Path

    @property
    def engine(self) -> Path:
        """The private configuration, the socket, Buildah's temporaries and cache mounts."""
        return self.cache / "engine"

    @property
    def programs(self) -> Path:
        """Compiled programs by key."""
        return self.cache / "programs"

    @property
    def roots(self) -> Path:
        """What bases and toolchains were made of, by key."""
        return self.cache / "roots"

    @property
    def logs(self) -> Path:
        """One log a job, of its last run."""
        return self.cache / "logs"

    @property
    def scratch(self) -> Path:
        """Files of the current run alone."""
        return self.cache / "scratch"


def find_folders() -> Folders:
    """The folders of this user: XDG_CACHE_HOME/bareboat, and one below /var/tmp for root filesystems in the making.

    mmdebstrap's user namespace must be able to walk to the latter, which a private home does not let it.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "bareboat"
    return Folders(cache=cache, bootstrap=Path("/var/tmp") / f"bareboat-{os.geteuid()}")  # noqa: S108


def remove(processes: Processes, *paths: Path) -> None:
    """Remove files and folders, those of the user's subordinate ids too."""
    for path in paths:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    stubborn = [str(path) for path in paths if path.exists()]
    if stubborn:
        processes.run(["podman", "unshare", "rm", "-rf", "--", *stubborn])
