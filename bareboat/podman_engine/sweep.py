"""Removes what a killed run left in the store: its containers, and images that were written half.

Needs no service, so that it works after everything of a run was stopped.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from bareboat.engine.containers import RUN_LABEL
from bareboat.engine.images import KIND_LABEL
from bareboat.errors import EngineError
from bareboat.podman_engine.unreadable import is_ours, unreadable_image

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bareboat.system.process import Processes

_LISTING = ("podman", "images", "--all", "--quiet", "--no-trunc")


class Sweeper:
    """Sweeps the store; `environment` is added to that of every Podman process.

    `tell` hears of what is amiss in the store and not ours to mend, once.
    """

    def __init__(self, environment: Mapping[str, str], tell: Callable[[str], None]) -> None:
        self._environment = environment
        self._tell = tell
        self._told: set[str] = set()

    def sweep(self, processes: Processes, references: frozenset[str]) -> tuple[str, ...]:
        """Remove containers that a killed run left: its runs, and its builds on our images or on `references`.

        `processes` are not the run's own, which were stopped. Returns the names of what was removed.
        """
        # A listing by label goes past what it cannot read, which would stay and bar everybody's other listings.
        self._list(processes, _LISTING, references)
        own = self._list(processes, (*_LISTING, f"--filter=label={KIND_LABEL}"), references)
        ids = {_bare(line) for line in own.split()}
        removed = []
        listed = processes.run(["podman", "ps", "--all", "--external", "--format=json"], env=self._environment)
        for container in json.loads(listed or "[]"):
            known = container["Image"] in references or _bare(container["ImageID"]) in ids
            if (container["State"] == "storage" and known) or RUN_LABEL in (container["Labels"] or {}):
                processes.run(["podman", "rm", "--force", container["Id"]], env=self._environment)
                removed.append(str(container["Names"][0]))
        return tuple(removed)

    def _list(self, processes: Processes, listing: tuple[str, ...], references: frozenset[str]) -> str:
        """What a listing of images says, those of ours that cannot be read removed; nothing where another bars it."""
        removed: set[str] = set()
        while True:
            try:
                return processes.run(listing, env=self._environment)
            except EngineError as error:
                broken = unreadable_image("\n".join(error.log_tail))
                if broken is None or broken in removed:
                    raise
                if not is_ours(self._images_folder(processes), broken, references):
                    self._tell_once(f"image {broken} cannot be read, and is not Bareboat's to remove: it stays")
                    return ""
                removed.add(broken)
                processes.run(["podman", "rmi", "--force", broken], env=self._environment)

    def _images_folder(self, processes: Processes) -> Path:
        store = "{{.Store.GraphRoot}}/{{.Store.GraphDriverName}}-images"
        return Path(processes.run(["podman", "info", f"--format={store}"], env=self._environment).strip())

    def _tell_once(self, line: str) -> None:
        if line not in self._told:
            self._told.add(line)
            self._tell(line)


def _bare(digest: str) -> str:
    return digest.removeprefix("sha256:")
