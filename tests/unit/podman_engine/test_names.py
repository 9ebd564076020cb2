"""Monitors of containers that nobody knows any more are ended, ours and no others."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from bareboat.podman_engine.names import container_name, end_monitors
from tests.unit.system.test_process import alive, wait_until

pytestmark = pytest.mark.starts_processes("a process is found by its name and command line, and killed")


@pytest.fixture
def monitor(tmp_path):
    """Starts a process of conmon's name with a child that it watches; gives both."""
    program = tmp_path / "conmon"
    program.write_text('#!/bin/sh\nsleep 600 &\necho $! >"$3"\nwait\n', encoding="utf-8")
    program.chmod(0o755)
    started = []

    def start(name):
        child = tmp_path / f"child-{len(started)}"
        started.append(subprocess.Popen([program, "-n", name, child]))
        wait_until(lambda: child.exists() and child.read_text(encoding="ascii").strip())
        watched = int(child.read_text(encoding="ascii"))
        # A shell's child has the shell's name until it has become another program.
        wait_until(lambda: Path(f"/proc/{watched}/comm").read_text(encoding="ascii") == "sleep\n")
        return started[-1], watched

    yield start
    for process in started:
        process.kill()
        process.wait()


def test_a_monitor_of_ours_and_what_it_watches_end(monitor):
    process, watched = monitor(container_name("0a1b2c3d"))
    assert end_monitors("0a1b2c3d") == 1
    # The script may see its child's end, and end itself, before it is killed.
    assert process.wait(10) in {-9, 0}
    wait_until(lambda: not alive(watched))
    assert end_monitors("0a1b2c3d") == 0


def test_a_monitor_of_somebody_else_stays(monitor):
    process, watched = monitor(container_name("0a1b2c3e"))
    assert end_monitors("0a1b2c3d") == 0
    assert process.poll() is None
    assert alive(watched)
    end_monitors("0a1b2c3e")
