"""Removes what a killed run left in the store: its containers, and images that were written half.

Needs no service, so that it works after everything of a run was stopped.
"""

from __future__ import annotations

import contextlib
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bareboat.engine.containers import RUN_LABEL
from bareboat.errors import EngineError
from bareboat.podman_engine.names import container_prefix, end_monitors
from bareboat.podman_engine.unreadable import is_ours, unreadable_image

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bareboat.system.process import Processes

_PAUSES_SECONDS = (0.1, 0.3, 1.0)
_LISTING = ("podman", "images", "--all", "--quiet", "--no-trunc")


class Sweeper:
    """Sweeps the store; `environment` is added to that of every Podman process.

    `tell` hears of what is amiss in the store and not ours to mend, once.
    """

    def __init__(self, environment: Mapping[str, str], tell: Callable[[str], None]) -> None:
        self._environment = environment
        self._tell = tell
        self._told: set[str] = set()

    def sweep(self, processes: Processes, run: str) -> tuple[str, ...]:
        """Remove the containers of the run of these digits, and nobody else's; returns their names.

        `processes` are not the run's own, which were stopped.
        """
        removed: dict[str, None] = {}
        for pause in (*_PAUSES_SECONDS, None):
            end_monitors(run)
            try:
                left = self._containers_of(processes, run)
                for number, name in left.items():
                    processes.run(["podman", "rm", "--force", "--ignore", "--time=0", number], env=self._environment)
                    removed[name] = None
                if not left:
                    break
            except EngineError:
                # What a container that has just ended tidies up itself is in the way for a moment.
                if pause is None:
                    raise
            time.sleep(pause or 0.0)
        return tuple(removed)

    def _containers_of(self, processes: Processes, run: str) -> dict[str, str]:
        """The names of a run's containers by id."""
        listed = processes.run(["podman", "ps", "--all", "--external", "--format=json"], env=self._environment)
        found = [container for container in json.loads(listed or "[]") if _is_of(container, run)]
        return {str(container["Id"]): str(container["Names"][0]) for container in found}

    def sweep_images(self, processes: Processes, references: frozenset[str]) -> None:
        """Remove images that nobody can read, and those that have lost their name to others.

        The former where they are ours or among `references`, the latter, by their id, only where they are among those.
        """
        self._sweep_unreadable(processes, references)
        listed = processes.run([*_LISTING, "--filter=dangling=true"], env=self._environment).split()
        for image_id in references.intersection(listed):
            with contextlib.suppress(EngineError):  # a container uses it
                processes.run(["podman", "rmi", image_id], env=self._environment)

    def _sweep_unreadable(self, processes: Processes, references: frozenset[str]) -> None:
        # A listing by label goes past what it cannot read, which would stay and bar everybody's other listings.
        removed: set[str] = set()
        while True:
            try:
                processes.run(_LISTING, env=self._environment)
            except EngineError as error:
                broken = unreadable_image("\n".join(error.log_tail))
                if broken is None or broken in removed:
                    raise
                if not is_ours(self._images_folder(processes), broken, references):
                    self._tell_once(f"image {broken} cannot be read, and is not Bareboat's to remove: it stays")
                    return
                removed.add(broken)
                processes.run(["podman", "rmi", "--force", broken], env=self._environment)
            else:
                return

    def _images_folder(self, processes: Processes) -> Path:
        store = "{{.Store.GraphRoot}}/{{.Store.GraphDriverName}}-images"
        return Path(processes.run(["podman", "info", f"--format={store}"], env=self._environment).strip())

    def _tell_once(self, line: str) -> None:
        if line not in self._told:
            self._told.add(line)
            self._tell(line)


def _is_of(container: Mapping[str, Any], run: str) -> bool:
    # After a kill at its making a container may be known to the store alone, which keeps names and no labels.
    named = any(name.startswith(container_prefix(run)) for name in container["Names"] or ())
    return named or (container["Labels"] or {}).get(RUN_LABEL) == run
