"""`invoke doctor`: what this machine lacks."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from bareboat.doctor.check import can_build, table
from bareboat.doctor.examine import examine
from bareboat.errors import HostError
from bareboat.inputs.load_recipes import load_recipes
from bareboat.matrix.source import one_image_each
from bareboat.podman_engine.settings import podman_environment
from bareboat.system.folders import find_folders
from bareboat.system.screen import find_screen

if TYPE_CHECKING:
    from bareboat.commands.project import Project
    from bareboat.doctor.check import Check
    from bareboat.system.process import Processes

# Of lines that go to no terminal.
_COLUMNS = 120


def examine_host(project: Project, processes: Processes, *, quick: bool) -> tuple[str, int]:
    """The doctor's table; exit code 3 when builds cannot work here."""
    checks = examine_all(project, processes, quick=quick)
    screen = find_screen(sys.stdout)
    return table(checks, screen.columns if screen else _COLUMNS), 0 if can_build(checks) else HostError.exit_code


def examine_all(project: Project, processes: Processes, *, quick: bool) -> tuple[Check, ...]:
    """Every finding about this machine, and about the registries that the recipes name unless it is to be `quick`."""
    folder = find_folders().engine
    folder.mkdir(parents=True, exist_ok=True)
    references = () if quick else one_image_each(load_recipes(project.recipes))
    return examine(processes, podman_environment(folder), folder, quick=quick, references=references)
