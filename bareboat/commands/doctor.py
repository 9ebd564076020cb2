"""`invoke doctor`: what this machine lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bareboat.doctor.check import can_build, table
from bareboat.doctor.examine import examine
from bareboat.errors import HostError
from bareboat.inputs.load_recipes import load_recipes
from bareboat.matrix.source import one_image_each
from bareboat.podman_engine.settings import podman_environment
from bareboat.system.folders import find_folders

if TYPE_CHECKING:
    from bareboat.commands.project import Project
    from bareboat.system.process import Processes


def examine_host(project: Project, processes: Processes, *, quick: bool) -> tuple[str, int]:
    """The doctor's table; exit code 3 when builds cannot work here."""
    folder = find_folders().engine
    folder.mkdir(parents=True, exist_ok=True)
    references = () if quick else one_image_each(load_recipes(project.recipes))
    checks = examine(processes, podman_environment(folder), folder, quick=quick, references=references)
    return table(checks), 0 if can_build(checks) else HostError.exit_code
