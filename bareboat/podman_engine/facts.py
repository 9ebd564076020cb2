"""What Podman says of itself and of its host: asked once, and known until anything that it follows from changes.

Podman takes longer over the answer than many a build, since it asks the package manager of each of its parts.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bareboat import __version__
from bareboat.podman_engine.containersconf import SYSTEM_FOLDER, VENDOR_FOLDER, user_folder
from bareboat.result.values import Host
from bareboat.system.files import write_whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

FACTS_FILE = "facts.json"
# What of the environment Podman takes its settings and its folders from, and the programs that it finds by PATH.
_VARIABLES = ("HOME", "STORAGE_OPTS", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR")
_MACHINE = Path("/etc/machine-id")
_MACHINE_DIGITS = 8
_PROGRAMS = ("podman", "conmon", "crun", "runc")


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of this machine's Podman."""

    host: Host
    # Where Podman keeps what lives until the next boot.
    run_root: str
    # Where it keeps images, and layers and containers beside them.
    graph_root: str

    @property
    def images_file(self) -> Path:
        """The store's own list of its images."""
        return Path(self.graph_root) / f"{self.host.storage_driver}-images" / "images.json"


def read_facts(info: Mapping[str, Any], machine: str = "") -> Facts:
    """The facts in what Podman says of itself (`podman info`, `/libpod/info`); `machine` is its machine's number."""
    host, store, system = info["host"], info["store"], info["host"]["distribution"]
    rootless = bool(host["security"]["rootless"])
    mode = "rootless" if rootless else "rootful"
    return Facts(
        host=Host(
            name=f"{system['distribution']}-{system['version']}-{host['arch']}-{mode}",
            system=f"{system['distribution']} {system['version']}",
            kernel=str(host["kernel"]),
            architecture=str(host["arch"]),
            podman=str(info["version"]["Version"]),
            buildah=str(host["buildahVersion"]),
            runtime=" ".join(str(host["ociRuntime"]["version"]).split("\n")[0].split()),
            storage_driver=str(store["graphDriverName"]),
            rootless=rootless,
            bareboat=__version__,
            cores=int(host["cpus"]),
            machine=machine,
        ),
        run_root=str(store["runRoot"]),
        graph_root=str(store["graphRoot"]),
    )


def keep_facts(folder: Path, info: Mapping[str, Any], environment: Mapping[str, str]) -> Facts:
    """The facts in what Podman says of itself, kept in `folder` for `recall_facts`."""
    facts, host = read_facts(info, machine_number()), info["host"]
    parts = [str(host["ociRuntime"]["path"]), str(host["conmon"]["path"])]
    stamp = _stamp(folder, parts, environment)
    kept = {"stamp": stamp, "parts": parts, "facts": asdict(facts)}
    write_whole(folder / FACTS_FILE, json.dumps(kept, indent=1).encode())
    return facts


def machine_number(file: Path = _MACHINE) -> str:
    """Digits by which this machine is told from others; "" where it has no number of its own.

    The number itself is not to be published (machine-id(5)), so it is hashed.
    """
    try:
        return hashlib.sha256(b"bareboat\0" + file.read_bytes().strip()).hexdigest()[:_MACHINE_DIGITS]
    except OSError:
        return ""


def recall_facts(folder: Path, environment: Mapping[str, str]) -> Facts | None:
    """The facts that are kept in `folder`; None where there are none, or where what they follow from has changed."""
    try:
        kept = json.loads((folder / FACTS_FILE).read_bytes())
        if kept["stamp"] != _stamp(folder, kept["parts"], environment):
            return None
        return Facts(**{**kept["facts"], "host": Host(**kept["facts"]["host"])})
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def _stamp(folder: Path, parts: Iterable[str], environment: Mapping[str, str]) -> str:
    """A digest of the kernel, of Podman's own settings, and of the size and time of each file that plays a part."""
    named = [environment.get(name, "") for name in ("CONTAINERS_CONF", "CONTAINERS_STORAGE_CONF")]
    folders = (VENDOR_FOLDER, SYSTEM_FOLDER, user_folder(environment))
    files = [
        folder / "containers.conf",
        *(Path(shutil.which(name) or name) for name in _PROGRAMS),
        Path("/etc/os-release"),
        _MACHINE,
        *(Path(name) for name in (*parts, *named) if name),
        *(place / f"{name}.conf" for place in folders for name in ("containers", "storage")),
        *(path for place in folders for path in sorted(place.glob("*.conf.d/*.conf"))),
    ]
    words = [f"{name}={environment.get(name, '')}" for name in (*_VARIABLES, *_containers(environment))]
    facts = [
        __version__,
        str(os.geteuid()),
        str(os.cpu_count()),
        *os.uname(),
        *words,
        *(f"{path} {_status(path)}" for path in files),
    ]
    return hashlib.sha256("\0".join(facts).encode(errors="surrogateescape")).hexdigest()


def _containers(environment: Mapping[str, str]) -> list[str]:
    return sorted(name for name in environment if name.startswith(("CONTAINERS_", "STORAGE_DRIVER")))


def _status(path: Path) -> str:
    try:
        status = path.stat()
    except OSError:
        return ""
    return f"{status.st_size} {status.st_mtime_ns} {status.st_ctime_ns} {status.st_ino}"
