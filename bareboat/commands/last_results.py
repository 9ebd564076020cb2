"""What was measured last: on this machine where it has results, else on the one that measured last."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from bareboat.commands.plan_inputs import kept_results
from bareboat.podman_engine.facts import recall_facts
from bareboat.result.store import hosts, load_all
from bareboat.system.folders import find_folders

if TYPE_CHECKING:
    from pathlib import Path

    from bareboat.commands.project import Project
    from bareboat.result.values import Result


def last_results(project: Project, crate: Path | None, folder: Path | None = None) -> tuple[Result, ...]:
    """The results of one host: of a crate of the user's own, or of the project's samples; empty where there are none.

    `folder` has them, a folder a host, where build-matrix was told to keep them elsewhere. Of samples that no run here
    has measured, what is published is told.
    """
    places = [folder] if folder else [kept_results(project, crate), *([] if crate else [project.results])]
    kept = next((place for place in places if hosts(place)), places[0])
    facts = recall_facts(find_folders().engine, os.environ)
    found = {host: load_all(kept / host) for host in hosts(kept)}
    if facts and facts.host.name in found:
        return found[facts.host.name]
    return max(found.values(), key=_measured_at, default=())


def last_result(project: Project, crate: Path | None, cell: str) -> Result | None:
    """The one of them that is the cell's, `SAMPLE@RECIPE`; None where there is none."""
    return next((result for result in last_results(project, crate) if result.cell == cell), None)


def all_results(project: Project) -> tuple[Result, ...]:
    """Every result that is published of the project's samples, which tells what provisions weigh."""
    return tuple(result for host in hosts(project.results) for result in load_all(project.results / host))


def _measured_at(results: tuple[Result, ...]) -> str:
    return max((result.provenance.measured_at for result in results if result.provenance), default="")
