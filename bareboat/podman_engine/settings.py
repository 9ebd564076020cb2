"""Podman's private configuration: the host's own settings, and beneath them what Bareboat needs to work everywhere.

CONTAINERS_CONF makes Podman read that one file and no other (containers.conf(5)), so the private file carries the
vendor's, the administrator's and the user's settings too. What they set stays; Bareboat fills in what they left open.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import tomli_w

from bareboat.podman_engine.containersconf import (
    SYSTEM_FOLDER,
    VENDOR_FOLDER,
    overlay,
    read_settings,
    user_folder,
)
from bareboat.podman_engine.store import prefers_overlay
from bareboat.system.files import write_whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bareboat.podman_engine.containersconf import Table, Value

SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
PRIVATE_FILE = "containers.conf"
RUNTIMES_FILE = "runtimes.json"
HELPERS = ("/usr/libexec/podman", "/usr/lib/podman", "/usr/local/libexec/podman", "/usr/local/lib/podman")
_HEADING = "# Bareboat writes this file anew when the host's own files change; put settings in those.\n\n"
# Podman's own defaults are the kernel's utmost, which makes programs that close every descriptor slow.
_MOST_FILES = 65536
_MOST_PROCESSES = 32768
_EQUAL_LIMITS_UNTIL = (4, 4)


@dataclass(frozen=True, slots=True, kw_only=True)
class HostLimits:
    """What this host lets a container have, and what it has to run containers with."""

    # The hard limits: how many files a process may have open, and how many processes a user may have.
    files: int
    processes: int
    # Whether a container may go above the hard limits.
    raise_limits: bool
    # Whether all cgroups are version 2; crun refuses a host that mixes both versions.
    pure_cgroup_v2: bool
    # The OCI runtimes that are installed.
    runtimes: tuple[str, ...]
    # Those of them that were seen to start a container; empty when none was tried.
    starting: tuple[str, ...]
    # Whether netavark is installed, with which Podman sets up networks.
    netavark: bool


def podman_environment(
    folder: Path, *, environment: Mapping[str, str] | None = None, version: tuple[int, int] | None = None
) -> Mapping[str, str]:
    """Write the private containers.conf into `folder` when it changed; return what to add to Podman's environment.

    `environment` is this process's own when None; `version` is Podman's (major, minor), taken for an old one when None.
    Raises HostError when one of the host's own files is not TOML.
    """
    around = os.environ if environment is None else environment
    private = folder.resolve() / PRIVATE_FILE
    vendor_files, own_files = _vendor_files(around, private), _own_files(around, private)
    layers = [read_settings(path) for path in vendor_files]
    own = [read_settings(path) for path in own_files]
    host = host_limits(folder, around)
    text = _HEADING + tomli_w.dumps(compose(layers, own, host, version=version))
    write_if_changed(private, text, mode=common_mode((*vendor_files, *own_files)))
    added = {"CONTAINERS_CONF": str(private), "PODMAN_IGNORE_CGROUPSV1_WARNING": "1"}
    if prefers_overlay(around):
        added["STORAGE_DRIVER"] = "overlay"
    return added


def compose(
    vendor: Sequence[Table], own: Sequence[Table], host: HostLimits, *, version: tuple[int, int] | None = None
) -> Table:
    """The whole configuration: `vendor` files below Bareboat's settings, `own` files (the later wins) above them."""
    settings: Table = {}
    for layer in (*vendor, _needed(host), *own):
        settings = overlay(settings, layer)
    containers = settings.get("containers")
    if isinstance(containers, dict):
        equal = version is None or version < _EQUAL_LIMITS_UNTIL
        limits = _working_limits(containers.get("default_ulimits", []), host, equal=equal)
        containers["default_ulimits"] = limits
    return settings


def choose_runtime(host: HostLimits) -> str | None:
    """The OCI runtime to name, if any: crun on pure cgroup v2 or where it was seen to start a container, else runc."""
    found = [name for name in ("crun", "runc") if name in host.runtimes]
    seen = [name for name in found if name in host.starting]
    if seen:
        return seen[0]
    if "crun" in found and host.pure_cgroup_v2:
        return "crun"
    return found[-1] if found else None


def host_limits(folder: Path, environment: Mapping[str, str]) -> HostLimits:
    """What this process finds of its host, without starting anything; `folder` holds what the doctor found."""
    path = search_path(environment)
    helpers = ":".join((*HELPERS, path))
    return HostLimits(
        files=_hard_limit(resource.RLIMIT_NOFILE, _MOST_FILES),
        processes=_hard_limit(resource.RLIMIT_NPROC, _MOST_PROCESSES),
        raise_limits=_may_raise_limits(),
        pure_cgroup_v2=cgroups() == "v2",
        runtimes=tuple(name for name in ("crun", "runc") if shutil.which(name, path=path)),
        starting=_seen_runtimes(folder),
        netavark=shutil.which("netavark", path=helpers) is not None,
    )


def search_path(environment: Mapping[str, str]) -> str:
    """PATH and the system's folders: Podman and Bareboat use programs of /usr/sbin, which not every PATH names."""
    return f"{environment.get('PATH', '')}:{SYSTEM_PATH}"


def cgroups(root: Path = Path("/sys/fs/cgroup")) -> Literal["v2", "hybrid", "v1"]:
    """The cgroup hierarchy of the host; `hybrid` is v1 with a v2 tree for systemd beside it."""
    if (root / "cgroup.controllers").is_file():
        return "v2"
    return "hybrid" if (root / "unified").is_dir() else "v1"


def _needed(host: HostLimits) -> Table:
    # The API of Podman 4.3 swaps soft and hard limits, so the two must be equal; json-file lets it return output.
    limits: list[Value] = [f"nofile={host.files}:{host.files}", f"nproc={host.processes}:{host.processes}"]
    needed: Table = {"containers": {"default_ulimits": limits, "log_driver": "json-file"}}
    runtime = choose_runtime(host)
    if runtime is not None:
        needed["engine"] = {"runtime": runtime}
    if host.netavark:
        needed["network"] = {"network_backend": "netavark"}
    return needed


def _working_limits(limits: Value, host: HostLimits, *, equal: bool) -> Value:
    if not isinstance(limits, list):
        return limits
    return [_working_limit(limit, host, equal=equal) if isinstance(limit, str) else limit for limit in limits]


def _working_limit(limit: str, host: HostLimits, *, equal: bool) -> str:
    name, _, figures = limit.partition("=")
    soft, _, hard = figures.partition(":")
    hard = hard or soft
    if not (soft.isdecimal() and hard.isdecimal()):
        return limit
    most = {"nofile": host.files, "nproc": host.processes}.get(name.lower().removeprefix("rlimit_"))
    highest = int(hard) if most is None or host.raise_limits else min(int(hard), most)
    lowest = highest if equal else min(int(soft), highest)
    return f"{name}={lowest}:{highest}"


def _vendor_files(environment: Mapping[str, str], private: Path) -> tuple[Path, ...]:
    return () if _named_by_user(environment, private) else (VENDOR_FOLDER / PRIVATE_FILE,)


def _own_files(environment: Mapping[str, str], private: Path) -> tuple[Path, ...]:
    named = _named_by_user(environment, private)
    if named is not None:
        return (named,)
    folders = (SYSTEM_FOLDER, user_folder(environment))
    return tuple(
        path for folder in folders for path in (folder / PRIVATE_FILE, *sorted(folder.glob("containers.conf.d/*.conf")))
    )


def _named_by_user(environment: Mapping[str, str], private: Path) -> Path | None:
    named = environment.get("CONTAINERS_CONF")
    # A Bareboat inside a Bareboat must not take its parent's settings for the user's.
    return Path(named) if named and Path(named).resolve() != private else None


def common_mode(files: Iterable[Path]) -> int:
    """What each of the files that are there lets others do: what is made of them must let nobody do more.

    Such a file may hold a password, in a proxy's address for one.
    """
    mode = 0o644
    for file in files:
        with contextlib.suppress(OSError):
            mode &= file.stat().st_mode
    return mode | 0o600


def write_if_changed(path: Path, text: str, *, mode: int = 0o644) -> None:
    """Put `text` into the file in one step; a file that holds it already, and has that mode, is left as it is."""
    same = path.is_file() and path.stat().st_mode & 0o777 == mode and path.read_text(encoding="utf-8") == text
    if not same:
        write_whole(path, text.encode(), mode=mode)


def _hard_limit(which: int, most: int) -> int:
    hard = resource.getrlimit(which)[1]
    return most if hard == resource.RLIM_INFINITY else min(hard, most)


def _may_raise_limits(status: Path = Path("/proc/self/status")) -> bool:
    # Bit 24 is CAP_SYS_RESOURCE (capabilities(7)); a user's own namespace never gives it over the host's limits.
    try:
        lines = status.read_text(encoding="ascii").splitlines()
    except OSError:
        return True
    masks = [int(line.split()[1], 16) for line in lines if line.startswith("CapEff:")]
    return any(mask >> 24 & 1 for mask in masks)


def _seen_runtimes(folder: Path) -> tuple[str, ...]:
    try:
        seen = json.loads((folder / RUNTIMES_FILE).read_text(encoding="utf-8"))["starting"]
    except (OSError, ValueError, KeyError, TypeError):
        return ()
    return tuple(name for name in seen if isinstance(name, str)) if isinstance(seen, list) else ()
