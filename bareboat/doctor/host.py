"""Checks of the machine that need no Podman: limits, devices, tools, space."""

from __future__ import annotations

import getpass
import os
import platform
import resource
import shlex
import shutil
import sys
from pathlib import Path

from bareboat.doctor.check import Check, Command
from bareboat.doctor.install_commands import install, with_sudo
from bareboat.podman_engine.settings import cgroups, search_path

MOST_IDS = 65536
LEAST_FILES = 1024
LEAST_FREE_BYTES = 8 * 10**9
OLDEST_PYTHON = (3, 11)
_CGROUP_V2 = (
    r"""sed -i 's/^GRUB_CMDLINE_LINUX="/&systemd.unified_cgroup_hierarchy=1 /' /etc/default/grub"""
    " && sudo update-grub && sudo reboot"
)
_PACKAGE_TOOLS = ("mmdebstrap", "setpriv", "qemu-img", "debugfs", "dpkg-deb", "apt-get")
_KEYRINGS = ("/usr/share/keyrings/debian-archive-keyring.gpg", "/usr/share/keyrings/debian-archive-keyring.pgp")


def check_python() -> Check:
    """Whether Python is new enough."""
    finding = f"{sys.version.split()[0]} at {sys.executable}"
    if sys.version_info >= OLDEST_PYTHON:
        return Check(name="python", finding=finding, status="good", cure="")
    wanted = ".".join(map(str, OLDEST_PYTHON))
    finding = f"{finding}; {wanted} or newer is needed"
    return Check(name="python", finding=finding, status="bad", cure=install(["python3"]))


def check_limits() -> Check:
    """The hard limits of open files and processes, which containers inherit."""
    hard = {name: resource.getrlimit(number)[1] for name, number in _limits().items()}
    limits = {name: "unlimited" if most == resource.RLIM_INFINITY else str(most) for name, most in hard.items()}
    text = ", ".join(f"{name} {limit}" for name, limit in limits.items())
    files = hard["nofile"]
    few = files != resource.RLIM_INFINITY and files < LEAST_FILES
    cure = with_sudo(f"prlimit --pid $$ --nofile={LEAST_FILES}:{LEAST_FILES}")
    if few:
        return Check(name="limits", finding=f"{text}: too few open files for a linker", status="warning", cure=cure)
    return Check(name="limits", finding=f"{text}: containers are given these", status="good", cure="")


def check_cgroups() -> Check:
    """Which version of cgroups the machine has: without v2, an ordinary user's containers have no memory limits."""
    kind = cgroups()
    if kind == "v2":
        return Check(name="cgroups", finding="v2", status="good", cure="")
    if os.geteuid() == 0:
        return Check(name="cgroups", finding=f"{kind}; crun may refuse it", status="good", cure="")
    finding = f"{kind}: memory limits of rootless containers are not enforced; crun may refuse it"
    cure = with_sudo(_CGROUP_V2) if Path("/etc/default/grub").is_file() else ""
    boot = cure or "boot the kernel with systemd.unified_cgroup_hierarchy=1"
    return Check(name="cgroups", finding=finding, status="warning", cure=boot)


def check_newuidmap() -> Check:
    """Whether the programs are there that give an ordinary user the ids of /etc/subuid."""
    missing = _missing(("newuidmap", "newgidmap"))
    if missing:
        finding = f"{', '.join(missing)} not found: rootless containers need them"
        return Check(name="newuidmap", finding=finding, status="bad", cure=install(["newuidmap"]))
    return Check(name="newuidmap", finding="found", status="good", cure="")


def check_ids(mapped: int) -> Check:
    """Whether rootless Podman has enough ids, of which there are `mapped`: files in images have owners up to 65535."""
    if mapped >= MOST_IDS:
        return Check(name="subuid", finding=f"{mapped} ids mapped", status="good", cure="")
    finding = f"{mapped} ids mapped of the {MOST_IDS} that images use: their files cannot be given their owners"
    first = first_free_id(*(_text(Path(name)) for name in ("/etc/subuid", "/etc/subgid")))
    last = first + MOST_IDS - 1
    name = shlex.quote(getpass.getuser())
    cure = with_sudo(f"usermod --add-subuids {first}-{last} --add-subgids {first}-{last} {name}")
    return Check(name="subuid", finding=finding, status="bad", cure=Command(f"{cure} && podman system migrate"))


def first_free_id(*files: str) -> int:
    """The first id above every range in the texts (lines `name:first:count`, see subuid(5)), at least 100000."""
    ends = [100_000]
    for line in "\n".join(files).splitlines():
        fields = line.strip().split(":")
        if len(fields) == 3 and fields[1].isdecimal() and fields[2].isdecimal():  # noqa: PLR2004 -- subuid(5)'s fields
            ends.append(int(fields[1]) + int(fields[2]))
    return max(ends)


def check_tun(device: Path = Path("/dev/net/tun")) -> Check:
    """Whether the device can be used by which a rootless container reaches the network."""
    name = str(device)
    if not device.exists():
        finding = "absent: rootless builds have no network"
        return Check(name=name, finding=finding, status="bad", cure=Command(with_sudo("modprobe tun")))
    if not os.access(device, os.R_OK | os.W_OK):
        finding = "not yours to read and write: rootless builds have no network"
        return Check(name=name, finding=finding, status="bad", cure=Command(with_sudo(f"chmod 0666 {device}")))
    return Check(name=name, finding="readable and writable", status="good", cure="")


def check_tools() -> Check:
    """Whether the tools are there without which Bareboat works, but not as well."""
    uses = {"git": "tells which commit a result is of"}
    if platform.machine() == "x86_64":
        uses["qemu-x86_64-static"] = "tells which CPU level a program needs"
    missing = _missing(tuple(uses))
    if not missing:
        return Check(name="tools", finding=", ".join(uses), status="good", cure="")
    finding = "missing: " + ", ".join(f"{name} ({uses[name]})" for name in missing)
    return Check(name="tools", finding=finding, status="warning", cure=install(missing))


def check_package_tools(*, needed: bool) -> Check:
    """Whether the tools are there that make bases from packages, which are `needed` if no registry answers."""
    missing = list(_missing(_PACKAGE_TOOLS))
    if not any(Path(name).is_file() for name in _KEYRINGS):
        missing.append("debian keyring")
    if not missing:
        return Check(name="package tools", finding=", ".join(_PACKAGE_TOOLS), status="good", cure="")
    finding = f"missing: {', '.join(missing)}; bases cannot be made from packages"
    return Check(name="package tools", finding=finding, status="bad" if needed else "warning", cure=install(missing))


def check_space(store: Path) -> Check:
    """Whether there is enough space for images, in GB of 10^9 bytes."""
    place = next(folder for folder in (store, *store.parents) if folder.exists())
    free = shutil.disk_usage(place).free
    finding = f"{free / 10**9:.1f} GB free at {store}"
    if free >= LEAST_FREE_BYTES:
        return Check(name="space", finding=finding, status="good", cure="")
    least = LEAST_FREE_BYTES // 10**9
    cure = "podman system prune"
    return Check(name="space", finding=f"{finding}; the whole matrix needs {least} GB", status="warning", cure=cure)


def check_cache_mounts(buildah: tuple[int, int], folder: Path = Path("/var/tmp/buildah-cache")) -> Check | None:  # noqa: S108 -- Buildah's choice
    """Whether another user owns the folder in which Buildah before 1.30 keeps all users' cache mounts; None if not."""
    if buildah >= (1, 30) or not folder.exists() or os.geteuid() in {0, folder.stat().st_uid}:
        return None
    finding = f"{folder} is another user's: a plain `podman build` with cache mounts fails (Bareboat's own do not)"
    cure = 'mkdir -p "$HOME/.cache/buildah" && export TMPDIR="$HOME/.cache/buildah"'
    return Check(name="cache mounts", finding=finding, status="warning", cure=cure)


def _limits() -> dict[str, int]:
    return {"nofile": resource.RLIMIT_NOFILE, "nproc": resource.RLIMIT_NPROC}


def _missing(tools: tuple[str, ...]) -> tuple[str, ...]:
    path = search_path(os.environ)
    return tuple(name for name in tools if shutil.which(name, path=path) is None)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
