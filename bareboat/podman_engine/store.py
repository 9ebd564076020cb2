"""Podman's image store: where it lies, what it lies on, and which driver it should be told to use."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from bareboat.podman_engine.containersconf import SYSTEM_FOLDER, VENDOR_FOLDER, read_settings, user_folder

if TYPE_CHECKING:
    from collections.abc import Mapping

_OVERLAY_KERNEL = (5, 13)
_NO_OVERLAY_ON = frozenset({"overlay", "nfs", "nfs4", "cifs", "smb3", "9p", "virtiofs", "vboxsf", "ecryptfs", "fuse"})


def store(environment: Mapping[str, str]) -> Path:
    """Podman's storage folder for this user, as storage.conf(5) says."""
    if os.geteuid() == 0:
        return Path(_storage_setting("graphroot", environment) or "/var/lib/containers/storage")
    home = environment.get("HOME", str(Path.home()))
    named = _storage_setting("graphroot", environment, system=False)
    named = named or _storage_setting("rootless_storage_path", environment)
    if named:
        for word, value in {"$HOME": home, "$UID": str(os.geteuid()), "$USER": environment.get("USER", "")}.items():
            named = named.replace(word, value)
        return Path(named)
    return Path(environment.get("XDG_DATA_HOME") or f"{home}/.local/share") / "containers/storage"


def storage_file(environment: Mapping[str, str]) -> Path:
    """The user's own storage.conf, whether or not there is one."""
    return Path(environment.get("CONTAINERS_STORAGE_CONF") or user_folder(environment) / "storage.conf")


def _storage_setting(key: str, environment: Mapping[str, str], *, system: bool = True) -> str:
    files = (VENDOR_FOLDER / "storage.conf", SYSTEM_FOLDER / "storage.conf") if system else ()
    found = ""
    for path in (*files, storage_file(environment)):
        section = read_settings(path).get("storage")
        value = section.get(key) if isinstance(section, dict) else None
        found = value if isinstance(value, str) and value else found
    return found


def prefers_overlay(environment: Mapping[str, str]) -> bool:
    """Whether to name overlay: rootless Podman 4.3 makes a fresh store vfs, a full copy for each layer, unless told."""
    if os.geteuid() == 0 or environment.get("STORAGE_DRIVER") or os.uname().sysname != "Linux":
        return False
    if _storage_setting("driver", environment) not in {"", "overlay"}:
        return False
    folder = store(environment)
    if (folder / "overlay-images").is_dir():
        return not (folder / "vfs-images").is_dir()
    used = ("vfs-images", "libpod/bolt_state.db", "db.sql")
    if any((folder / name).exists() for name in used):
        return False
    return _kernel() >= _OVERLAY_KERNEL and file_system(folder) not in _NO_OVERLAY_ON


def lacks_driver(environment: Mapping[str, str]) -> Path | None:
    """The user's storage.conf where it is absent and should name overlay; None where all is well as it is.

    With overlay named for Bareboat alone, every plain `podman` of the user's would complain of two drivers.
    """
    path = storage_file(environment)
    named = _storage_setting("driver", environment)
    return None if named or path.exists() or not prefers_overlay(environment) else path


def _kernel() -> tuple[int, int]:
    major, _, rest = os.uname().release.partition(".")
    minor = rest.partition(".")[0].partition("-")[0]
    return (int(major), int(minor)) if major.isdecimal() and minor.isdecimal() else (0, 0)


def file_system(path: Path, mounts: Path = Path("/proc/self/mountinfo")) -> str:
    """The type of the file system that holds `path`, which need not exist yet; empty when it cannot be told."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    held = {Path(fields[4]): fields[fields.index("-") + 1].split(".")[0] for fields in map(str.split, lines)}
    places = (path.resolve(), *path.resolve().parents)
    return next((held[place] for place in places if place in held), "")
