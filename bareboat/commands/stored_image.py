"""An image of the engine's store, whoever made it, as one that can be read."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, TextIO

from bareboat.archive import open_image
from bareboat.commands.plan_inputs import teller
from bareboat.errors import SelectionError
from bareboat.make.load import scratch_archive
from bareboat.podman_engine.session import session
from bareboat.system.folders import find_folders

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bareboat.archive import Image
    from bareboat.system.process import Processes


@contextlib.contextmanager
def open_stored(name: str, processes: Processes, view: TextIO, *, hint: str = "") -> Iterator[Image]:
    """The image of a name or id, for as long as the block runs. Raises SelectionError where the store has none.

    `hint` says what else may have been meant.
    """
    with session(processes, find_folders(), teller(view)) as running, scratch_archive(running.folders.scratch) as file:
        stored = running.engine.image(name)
        if stored is None:
            raise SelectionError(
                f"there is no image {name}{hint}\n"
                "  `podman images` lists those of the store; a cell is SAMPLE@RECIPE, an archive oci-archive:FILE"
            )
        running.engine.save(stored.id, file)
        yield open_image(file)
