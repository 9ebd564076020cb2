"""What a run on real Podman leaves: no container, no full disk, a folder written to only where that was asked for."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest

from bareboat.engine.containers import RUN_LABEL, Start
from bareboat.errors import BareboatError
from bareboat.podman_engine.session import session
from bareboat.system.files import make_open_folder
from bareboat.system.folders import find_folders, remove
from bareboat.system.process import Processes
from tests.engine_contract import load
from tests.programs import FOREVER, LINE, flooding, program

pytestmark = pytest.mark.podman


@pytest.fixture(scope="module")
def running():
    with session(Processes(), find_folders(), print) as running:
        yield running


@pytest.fixture
def engine(running):
    return running.engine


@pytest.fixture
def name(engine):
    name = f"localhost/bareboat/contract-{secrets.token_hex(6)}:x"
    yield name
    engine.remove(name)


def containers(running):
    argv = ["podman", "ps", "--all", "--quiet", f"--filter=label={RUN_LABEL}={running.folders.run}"]
    return Processes().run(argv, env=running.environment).split()


@pytest.mark.parametrize("code", [None, FOREVER], ids=["ends", "does-not-end"])
def test_a_run_leaves_no_container(running, engine, name, tmp_path, code):
    report = engine.run(load(engine, name, program(code), tmp_path), (), 60.0 if code is None else 0.5)
    assert report.exit_code == (0 if code is None else None)
    assert containers(running) == []


def test_what_cannot_be_started_is_told_and_leaves_no_container(running, engine, name, tmp_path):
    image = load(engine, name, program(), tmp_path, entrypoint="/absent")
    assert "/absent" in engine.run(image, (), 60.0).refused
    with pytest.raises(BareboatError, match="/absent"):
        engine.start(Start(image=image))
    assert containers(running) == []


def test_a_program_that_writes_without_end_fills_no_disk(engine, name, tmp_path):
    report = engine.run(load(engine, name, flooding(), tmp_path), (), 2.0)
    assert report.exit_code is None
    assert 0 < len(report.stdout) <= 16 * 2**20
    assert set(report.stdout[-5000:]) == set(LINE), "more than a line of it, wherever it was cut"


def loopback_of(process):
    return Path(f"/proc/{process}/ns/net").readlink()


def test_containers_may_share_a_loopback_and_a_folder_and_are_told_to_end(running, engine, name, tmp_path):
    image = load(engine, name, program(FOREVER), tmp_path)
    shared = running.folders.scratch / "shared" / "folder"
    make_open_folder(shared)
    started = []
    try:
        started.append(engine.start(Start(image=image, mounts={"/shared": shared}, writable="/shared")))
        started.append(engine.start(Start(image=image, mounts={"/shared": shared}, network=started[0])))
        started.append(engine.start(Start(image=image)))
        first, second, alone = [engine.process_of(container) for container in started]
        assert loopback_of(first) == loopback_of(second) != loopback_of(alone)
        mounts = [Path(f"/proc/{process}/mounts").read_text(encoding="utf-8") for process in (first, second)]
        (writable,), (read_only,) = [[line for line in text.splitlines() if " /shared " in line] for text in mounts]
        assert (" rw," in writable, " ro," in read_only) == (True, True)
        engine.signal(started[0], "SIGKILL")
        assert engine.finish(started[0], 30.0).exit_code == 137
        assert engine.process_of(started[0]) is None
        engine.signal(started[0], "SIGTERM")
        assert engine.finish(started[1], 0.2).exit_code is None, "killed when its time was over"
    finally:
        for container in started:
            engine.discard(container)
        remove(Processes(), shared)
    engine.discard(started[0])
    assert containers(running) == []
