"""Composes the commands that install missing tools, for the machine's own package manager."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from bareboat.doctor.check import Command
from bareboat.podman_engine.settings import search_path

if TYPE_CHECKING:
    from collections.abc import Iterable

_INSTALL = {
    "apt-get": "apt-get install -y --no-install-recommends",
    "dnf": "dnf install -y",
    "pacman": "pacman -S --needed --noconfirm",
    "brew": "brew install",
}
# The packages of each tool for apt-get, dnf, pacman and brew; None where the package manager has none.
_PACKAGES: dict[str, tuple[str | None, str | None, str | None, str | None]] = {
    "podman": ("podman", "podman", "podman", "podman"),
    "runc": ("runc", "runc", "runc", None),
    "newuidmap": ("uidmap", "shadow-utils", "shadow", None),
    "slirp4netns": ("slirp4netns", "slirp4netns", "slirp4netns", None),
    "pasta": ("passt", "passt", "passt", None),
    "netavark": ("netavark aardvark-dns", "netavark aardvark-dns", "netavark aardvark-dns", None),
    "iptables": ("iptables", "iptables", "iptables", None),
    "nft": ("nftables", "nftables", "nftables", None),
    "setpriv": ("util-linux", "util-linux", "util-linux", None),
    "strace": ("strace", "strace", "strace", None),
    "git": ("git", "git", "git", "git"),
    "mmdebstrap": ("mmdebstrap", "mmdebstrap", "mmdebstrap", None),
    "qemu-img": ("qemu-utils", "qemu-img", "qemu-img", "qemu"),
    "qemu-x86_64-static": ("qemu-user-static", "qemu-user-static-x86", "qemu-user-static", None),
    "debugfs": ("e2fsprogs", "e2fsprogs", "e2fsprogs", "e2fsprogs"),
    "dpkg-deb": ("dpkg", "dpkg", "dpkg", "dpkg"),
    "apt-get": ("apt", "apt", "apt", None),
    "debian keyring": ("debian-archive-keyring", "debian-keyring", "debian-archive-keyring", None),
    "python3": ("python3 python3-venv", "python3.11", "python", "python@3.12"),
}


def install(tools: Iterable[str]) -> Command:
    """The command that installs `tools` on this machine, "" if it has no known package manager that has any of them."""
    path = search_path(os.environ)
    managers = [name for name in _INSTALL if shutil.which(name, path=path)]
    # On Fedora and Arch apt-get may be installed to make bases with: it is not their package manager.
    manager = next((name for name in ("dnf", "pacman", *managers) if name in managers), None)
    return install_with(manager, tools) if manager else Command("")


def install_with(manager: str, tools: Iterable[str]) -> Command:
    """The command by which `manager` installs `tools`, "" if it has none of them."""
    column = tuple(_INSTALL).index(manager)
    packages = [package for tool in tools if (package := _PACKAGES[tool][column])]
    command = f"{_INSTALL[manager]} {' '.join(packages)}" if packages else ""
    return Command(command if manager == "brew" else with_sudo(command))


def with_sudo(command: str) -> str:
    """The command with sudo before it, unless the user is root."""
    return f"sudo {command}" if command and os.geteuid() != 0 else command
