"""Makes bases and toolchains from distribution packages, where no registry is reachable or wanted.

The same packages give the same bytes, on every host and for every user.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from bareboat.bootstrap.alpine import make_alpine
from bareboat.bootstrap.debian import make_debian
from bareboat.bootstrap.distroless import make_distroless
from bareboat.bootstrap.host import remove_scratch
from bareboat.bootstrap.rootfs import RootFilesystem
from bareboat.inputs.base import Alpine, Debian, Distroless

if TYPE_CHECKING:
    from pathlib import Path

    from bareboat.system.process import Processes

__all__ = ["RootFilesystem", "make_root_filesystem", "remove_scratch"]


def make_root_filesystem(
    bootstrap: Debian | Distroless | Alpine, *, folder: Path, recipes: Path, processes: Processes, log: Path
) -> RootFilesystem:
    """Make the root filesystem `folder`/rootfs.tar, byte for byte the same whenever the packages are the same.

    `folder` is empty and of mode 0711, below folders that everyone may enter: in a user namespace other ids than the
    caller's work in it. Nothing is written outside it but `log`; `remove_scratch` removes it, whatever was left there.
    `recipes` is the folder of the recipe, where its script lies.
    Raises HostError when a tool is absent or the network is down, BareboatError when a package is not what its
    checksum says, RecipeError when the recipe names what is not there, EngineError when a command fails.
    """
    match bootstrap:
        case Debian():
            return make_debian(bootstrap, folder=folder, recipes=recipes, processes=processes, log=log)
        case Distroless():
            return make_distroless(bootstrap, folder=folder, processes=processes, log=log)
        case Alpine():
            return make_alpine(bootstrap, folder=folder, processes=processes, log=log)
        case _:
            assert_never(bootstrap)
