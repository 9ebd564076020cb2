"""What a run on real Podman shows and leaves: outputs apart, arguments, nothing of a run that was killed."""

from __future__ import annotations

import os
import platform
import secrets
import struct
from pathlib import Path

import pytest

from bareboat.archive import Entry, ImageConfig, write_image
from bareboat.engine.containers import RUN_LABEL, Start
from bareboat.podman_engine.session import session
from bareboat.system.files import make_open_folder
from bareboat.system.folders import find_folders, remove
from bareboat.system.process import Processes
from tests.engine_contract import FOREVER, load, program

pytestmark = pytest.mark.podman

# write(1, "out\n", 4); write(2, "err\n", 4); exit(argc), and below it the two words.
SPEAK = bytes.fromhex(
    "b801000000 bf01000000 488d3529000000 ba04000000 0f05"
    "b801000000 bf02000000 488d3515000000 ba04000000 0f05"
    "8b3c24 b83c000000 0f05"
)


LINE = b"a" * 4095 + b"\n"
# write(1, line, 4096), again and again.
FLOOD = bytes.fromhex("b801000000 bf01000000 488d3509000000 ba00100000 0f05 ebe6")


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
    argv = ["podman", "ps", "--all", "--quiet", f"--filter=label={RUN_LABEL}={os.getpid()}"]
    return Processes().run(argv, env=running.environment).split()


def speaking():
    """A program that says a word on each output and ends with the number of its arguments, itself counted."""
    return with_code(SPEAK + b"out\nerr\n")


def flooding():
    """A program that writes lines until it is killed."""
    return with_code(FLOOD + LINE)


def with_code(code):
    head = bytearray(program()[:120])
    head[96:112] = struct.pack("<QQ", 120 + len(code), 120 + len(code))
    return bytes(head) + code


@pytest.mark.skipif(platform.machine() != "x86_64", reason="a program of x86_64")
@pytest.mark.parametrize("arguments", [(), ("one", "two words")])
def test_outputs_are_apart_and_arguments_arrive(engine, name, tmp_path, arguments):
    report = engine.run(load(engine, name, speaking(), tmp_path), arguments, 60.0)
    assert (report.exit_code, report.stdout, report.stderr) == (1 + len(arguments), b"out\n", b"err\n")


@pytest.mark.parametrize("code", [None, FOREVER], ids=["ends", "does-not-end"])
def test_a_run_leaves_no_container(running, engine, name, tmp_path, code):
    report = engine.run(load(engine, name, program(code), tmp_path), (), 60.0 if code is None else 0.5)
    assert report.exit_code == (0 if code is None else None)
    assert containers(running) == []


def test_what_cannot_be_started_is_told_and_leaves_no_container(running, engine, name, tmp_path):
    config, archive = ImageConfig(entrypoint=("/absent",)), tmp_path / "image.tar"
    written = write_image([Entry(path="program", content=b"")], config, reference=name, to=archive)
    engine.load(archive)
    report = engine.run(written.image_id, (), 60.0)
    assert report.exit_code is None
    assert "/absent" in report.refused
    assert containers(running) == []


@pytest.mark.skipif(platform.machine() != "x86_64", reason="a program of x86_64")
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
