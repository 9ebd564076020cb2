"""Finds and removes the folders in which Bareboat keeps caches, logs and temporary files on this machine."""

from __future__ import annotations

import contextlib
import hashlib
import os
import pwd
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bareboat.errors import HostError

if TYPE_CHECKING:
    from bareboat.system.process import Processes


@dataclass(frozen=True, slots=True, kw_only=True)
class Folders:
    """The folders that Bareboat writes to on this machine."""

    # The user's own, below which all but the bootstraps' files lie.
    cache: Path
    # What the names of the folders begin with in which root filesystems are made, one for each run.
    passage: Path
    # The digits of the run that these are for; "" where there is none.
    run: str = ""

    @property
    def engine(self) -> Path:
        """Podman's private configuration, what is known of this machine's Podman, and the copy of strace."""
        return self.cache / "engine"

    @property
    def lock(self) -> Path:
        """The lock that every run shares for as long as it lasts; who removes all of this has it alone."""
        return self.cache / "lock"

    @property
    def locks(self) -> Path:
        """One lock for each thing that only one run may make at a time."""
        return self.cache / "locks"

    @property
    def runs(self) -> Path:
        """A folder and a lock for each run that is under way, by its digits; they outlast one that is killed."""
        return self.cache / "runs"

    @property
    def own(self) -> Path:
        """What this run alone needs: its engine's socket and temporary files, and `scratch`."""
        return self.runs / self.run

    @property
    def scratch(self) -> Path:
        """Files that only this run needs."""
        return self.own / "scratch"

    @property
    def bootstrap(self) -> Path:
        """Where this run makes root filesystems from packages; every user may walk through it."""
        return self.passage.with_name(f"{self.passage.name}-{self.run}")

    @property
    def programs(self) -> Path:
        """Compiled programs, each in a folder named by its key."""
        return self.cache / "programs"

    @property
    def roots(self) -> Path:
        """What each base and toolchain was made of, by key, and the files that were copied out of them."""
        return self.cache / "roots"

    @property
    def images(self) -> Path:
        """The keys of images, each in a file that is named by the key of what its image is made from."""
        return self.cache / "images"

    @property
    def results(self) -> Path:
        """Results that are no matrix's: those of questions, and of images that only flags name."""
        return self.cache / "results"

    @property
    def kept(self) -> tuple[Path, ...]:
        """The folders below which every file is written whole, and is of use to later runs."""
        return (self.programs, self.roots, self.images, self.results)

    @property
    def sources(self) -> Path:
        """Copies of crates' sources, for containers that compile them."""
        return self.cache / "sources"

    @property
    def crates(self) -> Path:
        """Vendored crates by what names them, and the folder in which cargo keeps what it has fetched."""
        return self.cache / "crates"

    @property
    def targets(self) -> Path:
        """Cargo's target folders, by compiler and flags."""
        return self.cache / "targets"

    @property
    def logs(self) -> Path:
        """One log for each job, from its last run."""
        return self.cache / "logs"

    @property
    def pace(self) -> Path:
        """How long jobs took when they were done last."""
        return self.cache / "pace.json"


_DIGITS = 16


def folder_digits(folder: Path) -> str:
    """The digits by which what is kept of a folder is told from what is kept of another."""
    return hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:_DIGITS]


def find_folders() -> Folders:
    """The folders of this user: XDG_CACHE_HOME/bareboat, and those below /var/tmp for making root filesystems.

    mmdebstrap works under other user ids, which may not walk through a private home folder. Each cache has a name of
    its own there, so that a run wipes nothing of a run with another.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "bareboat"
    digits = hashlib.sha256(os.fsencode(cache.absolute())).hexdigest()[:8]
    return Folders(cache=cache, passage=Path("/var/tmp") / f"bareboat-{os.geteuid()}-{digits}")  # noqa: S108


def find_state() -> Path:
    """The folder for what is kept for good, results above all: XDG_STATE_HOME/bareboat."""
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "bareboat"


def make_passage(folder: Path) -> None:
    """Make a folder of the user's where everybody may make one; others may walk through it and no more (0711).

    One that is there already must be the user's own: HostError names the owner of another, and so for a link.
    """
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o711)
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
        kind = "a folder" if stat.S_ISDIR(status.st_mode) else "no folder"
        raise HostError(
            f"{folder} is {kind} of user {_user(status.st_uid)}, and root filesystems are to be made there\n"
            "  have it removed, or set XDG_CACHE_HOME to another folder than now"
        )
    folder.chmod(0o711)


def _user(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def remove(processes: Processes, *paths: Path) -> None:
    """Remove files and folders, also those that belong to the user's subordinate ids."""
    for path in paths:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    stubborn = [str(path) for path in paths if path.exists()]
    if stubborn:
        # Root needs no user namespace, and Podman gives it none.
        namespace = () if os.geteuid() == 0 else ("podman", "unshare")
        processes.run([*namespace, "rm", "-rf", "--", *stubborn])
