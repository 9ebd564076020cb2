"""The removal of all that was built."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from bareboat.commands.plan_inputs import teller
from bareboat.podman_engine.session import session
from bareboat.system.folders import find_folders, remove

if TYPE_CHECKING:
    from bareboat.system.process import Processes


def clean(processes: Processes, view: TextIO) -> str:
    """Remove Bareboat's containers, images and caches; nothing else."""
    folders = find_folders()
    with session(processes, folders, teller(view)) as running:
        removed = (*running.sweeper.sweep(processes, frozenset()), *running.engine.clean())
    remove(processes, folders.cache, folders.bootstrap)
    return "\n".join([*(f"removed {name}" for name in removed), f"removed {folders.cache}"])
