"""Makes bases and toolchains from distribution packages, for when no registry is reachable or wanted.

The same packages give the same bytes on every host and for every user. Others use `make_root_filesystem`, which returns
a `RootFilesystem`, and `remove_scratch`, which removes the folder that it worked in.
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

    from bareboat.inputs.base import RootBootstrap
    from bareboat.system.process import Processes

__all__ = ["RootFilesystem", "make_root_filesystem", "remove_scratch"]


def make_root_filesystem(
    bootstrap: RootBootstrap, *, folder: Path, recipes: Path, processes: Processes, log: Path
) -> RootFilesystem:
    """Make the root filesystem `folder`/rootfs.tar, byte for byte the same whenever the packages are the same.

    `folder` must be empty and of mode 0711, below folders that everyone may enter, because other user ids than the
    caller's work in it. Nothing but `log` is written outside it; afterwards `remove_scratch` removes it. `recipes` is
    the recipe's folder, where its script is.
    Raises HostError when a tool is absent or the network is down, BareboatError when a package has another checksum,
    RecipeError when the recipe names a file or package that does not exist, EngineError when a command fails.
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
