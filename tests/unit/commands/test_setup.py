"""`bareboat setup` where there is no Podman, and a package manager that only writes down what it is asked for."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.unit.project import ROOT

WRITES_DOWN = '#!/bin/sh\necho "$0 $*" >> "$LOG"\ncat\n'


@pytest.fixture
def machine(tmp_path):
    """Folders of which one is the whole PATH, and the environment."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "sh").symlink_to("/bin/sh")
    (folder / "cat").symlink_to("/bin/cat")
    (folder / "timeout").symlink_to("/usr/bin/timeout")
    for name in ("apt-get", "sudo"):
        (folder / name).write_text(WRITES_DOWN)
        (folder / name).chmod(0o755)
    (tmp_path / "log").touch()
    variables = {"PATH": str(folder), "LOG": str(tmp_path / "log"), "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    return tmp_path, variables


def set_up(machine, *words):
    folder, variables = machine
    command = [sys.executable, "-m", "bareboat", "setup", *words]
    return subprocess.run(
        command, cwd=folder, env=variables, input="left", capture_output=True, text=True, check=False, timeout=60
    )


def asked(machine):
    """What the package manager was asked for, the way to it left out."""
    folder, _ = machine
    lines = (folder / "log").read_text().splitlines()
    return [line.replace(f"{folder}/bin/", "").removeprefix("sudo ") for line in lines]


@pytest.mark.starts_processes("the command becomes another process")
def test_what_is_missing_is_printed_as_a_script_and_nothing_is_done(machine):
    done = set_up(machine)
    assert done.returncode == 3
    first, update, why, install, *_ = done.stdout.splitlines()
    assert (first, why) == ("{", "# podman: not installed")
    root = "" if os.geteuid() == 0 else "sudo "
    assert update == f"{root}apt-get update"
    assert install.startswith(f"{root}apt-get install -y --no-install-recommends podman runc uidmap slirp4netns passt")
    assert asked(machine) == []


@pytest.mark.starts_processes("the command becomes another process")
def test_with_yes_it_is_done_and_the_machine_looked_at_again(machine):
    done = set_up(machine, "--yes")
    update, install, *_ = asked(machine)
    assert (update, "podman" in install) == ("apt-get update", True)
    assert "# podman: not installed\n" in done.stdout, "it is absent still, and that is told"
    assert done.returncode == 3
    assert "Traceback" not in done.stderr
