"""Makes a whole Debian system by mmdebstrap, from packages that APT verifies against a signed index."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from bareboat.bootstrap.apt import (
    SOURCE,
    apt_environment,
    debian_sources,
    host_apt,
    parse_pins,
)
from bareboat.bootstrap.host import telling_network_faults, unshare_prefix
from bareboat.bootstrap.rootfs import RootFilesystem
from bareboat.bootstrap.tar import Folder, RegularFile, rewrite_tar
from bareboat.errors import RecipeError

if TYPE_CHECKING:
    from pathlib import Path

    from bareboat.bootstrap.tar import TreeEntry
    from bareboat.inputs.base import Debian
    from bareboat.system.process import Processes

# https://github.com/debuerreotype/debuerreotype/blob/master/scripts/.slimify-excludes
_SLIM = (
    "path-exclude=/usr/share/doc/*",
    "path-include=/usr/share/doc/*/copyright",
    "path-exclude=/usr/share/info/*",
    "path-exclude=/usr/share/linda/*",
    "path-exclude=/usr/share/lintian/overrides/*",
    "path-exclude=/usr/share/locale/*",
    "path-include=/usr/share/locale/locale.alias",
    "path-exclude=/usr/share/man/*",
    "path-include=/usr/share/man/man[1-9]",
)
# In bookworm init-system-helpers would otherwise pull in usrmerge, which depends on all of perl: 50 MB.
_BOOKWORM = ("--include=usr-is-merged", "--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr")
# This must run before mmdebstrap deletes APT's lists, which have the checksum of each package's exact version.
_RECORD_PACKAGES = (
    "dpkg-query --admindir=\"$1/var/lib/dpkg\" --show --showformat '${binary:Package}=${Version}\\n'"
    ' | APT_CONFIG="$MMDEBSTRAP_APT_CONFIG" xargs apt-cache show >"$1/bareboat-packages"'
)
# What would make another image on another host or with another version of mmdebstrap, which takes other steps.
_LEFT_OUT = re.compile(
    # mmdebstrap copies the host's name, name servers, proxies, mirror and passwords for it into these.
    r"etc/hostname|etc/resolv\.conf|etc/apt/sources\.list|etc/apt/apt\.conf\.d/99mmdebstrap"
    # The state before the last step, and where debconf's questions were unpacked.
    r"|var/lib/dpkg/[^/]+-old|var/cache/debconf/([^/]+-old|tmp\.ci(/.*)?)"
    # Which packages nobody asked for. Without it APT never offers to remove one.
    r"|var/lib/apt/extended_states"
)
_RUN_SCRIPT = (
    'chmod 755 "$1/bareboat-script"'
    ' && unshare --net chroot "$1" env -i PATH=/usr/sbin:/usr/bin HOME=/root LC_ALL=C.UTF-8 SOURCE_DATE_EPOCH=0'
    ' /bareboat-script && rm "$1/bareboat-script"'
)


def make_debian(bootstrap: Debian, *, folder: Path, recipes: Path, processes: Processes, log: Path) -> RootFilesystem:
    """Install the suite's packages into `folder`/rootfs.tar; the smallest system takes 15 s and 80 MB.

    Raises RecipeError when the script is not in `recipes`, HostError when the mirror does not answer, EngineError when
    mmdebstrap fails.
    """
    tar, packages = folder / "rootfs.tar", folder / "packages"
    script = _find_script(bootstrap, recipes)
    host = host_apt(bootstrap.suite, folder, processes)
    command = (
        *unshare_prefix(),
        "mmdebstrap",
        "--mode=root",
        *system_options(bootstrap),
        *host.options,
        *_hooks(script, packages),
        bootstrap.suite,
        str(tar),
        *host.mirrors,
    )
    with telling_network_faults(SOURCE):
        processes.run(command, env=apt_environment(folder), stdin=host.stdin, log=log)
    rewrite_tar(tar, drop=_LEFT_OUT, put=_laid_upon(bootstrap.suite))
    return RootFilesystem(tar=tar, packages=parse_pins(packages.read_text(encoding="utf-8")))


def system_options(bootstrap: Debian) -> tuple[str, ...]:
    """The options of mmdebstrap that follow from the recipe alone; device nodes are left out of the tar."""
    return (
        f"--variant={bootstrap.variant}",
        "--format=tar",
        "--skip=output/dev",
        *(_BOOKWORM if bootstrap.suite == "bookworm" else ()),
        *(f"--include={package}" for package in bootstrap.packages),
        *(f"--dpkgopt={rule}" for rule in (_SLIM if bootstrap.slim else ())),
    )


def _laid_upon(suite: str) -> dict[str, TreeEntry]:
    return {
        # The engine mounts /dev; in a read-only container it cannot make the folder for it.
        "dev": Folder(),
        "etc/apt/sources.list.d/debian.sources": RegularFile(content=debian_sources(suite).encode()),
    }


def _find_script(bootstrap: Debian, recipes: Path) -> Path | None:
    if bootstrap.script is None:
        return None
    script = recipes / bootstrap.script
    if not script.is_file():
        raise RecipeError(f"{recipes}: base.bootstrap.script: there is no file {bootstrap.script}")
    return script


def _hooks(script: Path | None, packages: Path) -> tuple[str, ...]:
    hooks = [
        _RECORD_PACKAGES,
        f"download /bareboat-packages {shlex.quote(str(packages))}",
        'rm "$1/bareboat-packages"',
    ]
    if script is not None:
        hooks += [f"upload {shlex.quote(str(script.resolve()))} /bareboat-script", _RUN_SCRIPT]
    return tuple(f"--customize-hook={hook}" for hook in hooks)
