"""`bareboat setup`: what is to be done on this machine before rootless builds work, for those who have no checkout."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING, TextIO

from bareboat.commands.doctor import examine_all
from bareboat.commands.plan_inputs import teller
from bareboat.doctor.check import can_build
from bareboat.doctor.script import cure_script
from bareboat.errors import HostError
from bareboat.system.process import become

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bareboat.commands.project import Project
    from bareboat.doctor.check import Check
    from bareboat.system.process import Processes


def set_up(project: Project, processes: Processes, view: TextIO, *, yes: bool) -> tuple[str, int]:
    """The script that mends what the doctor finds; with `yes` a shell runs it in place of this process.

    The exit code is 3 while builds cannot work.
    """
    tell = teller(view)
    tell("examining the machine")
    # Registries are left out: nobody has to do anything where none answers.
    checks = examine_all(project, processes, quick=True)
    # Findings quote programs, and the words of a command line are for everybody to see.
    script = processes.clean(cure_script(checks))
    if yes and script.startswith("{"):
        tell(f"running:\n{script}")
        # Standard input and the terminal are this process's: sudo may ask for a password there.
        become(("sh", "-c", f"{script}{next_step(checks, (sys.executable, '-P', '-m', 'bareboat', 'setup'))}"))
    works = can_build(checks)
    if not script:
        tell("nothing is missing" if works else "no cure is known for what is missing: `invoke doctor` tells of it")
    return script, 0 if works else HostError.exit_code


def next_step(checks: Sequence[Check], again: Sequence[str]) -> str:
    """What the shell does after the script: look again. What Podman lacks can be found only once there is a Podman."""
    command = shlex.join(again)
    unexamined = any(check.name == "podman" and check.status == "bad" for check in checks)
    first = f"if command -v podman >/dev/null; then exec {command} --yes; fi\n" if unexamined else ""
    return f"{first}exec {command}\n"
