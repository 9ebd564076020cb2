"""The removal of all that was built."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from bareboat.commands.plan_inputs import teller
from bareboat.podman_engine.runs import hold_gate
from bareboat.podman_engine.session import begin_session
from bareboat.report.figures import size_text
from bareboat.system.files import bytes_below
from bareboat.system.folders import find_folders, remove

if TYPE_CHECKING:
    from bareboat.podman_engine.engine import PodmanEngine
    from bareboat.podman_engine.own_images import OwnImages
    from bareboat.system.process import Processes


def clean(processes: Processes, view: TextIO, *, dry_run: bool) -> str:
    """Remove Bareboat's containers, images and caches, and nothing of the user's; a line for each kind.

    It waits for runs that are under way, and none begins before it has ended. A dry run only says what would go.
    """
    folders = find_folders()
    with hold_gate(folders, processes, teller(view), alone=True) as gate:
        with begin_session(gate, processes, teller(view)) as running:
            own = running.engine.own_images()
            lines = _tell_images(running.engine, own)
            if not dry_run:
                running.engine.remove_own(own)
        lines.append(f"{folders.cache} ({size_text(bytes_below(folders.cache))})")
        if not dry_run:
            remove(processes, folders.cache)
    done = "would be removed" if dry_run else "removed"
    return "\n".join([*(f"{done}: {line}" for line in lines), *(f"left: {line}" for line in own.left)])


def _tell_images(engine: PodmanEngine, own: OwnImages) -> list[str]:
    size = engine.bytes_of(own.ids)
    lines = [f"{len(own.ids)} images{f' ({size_text(size)})' if size is not None else ''}"]
    if own.names:
        lines.append(f"{len(own.names)} names of images that you have named, too: {', '.join(own.names)}")
    return lines
