"""The folders and the lock of a run."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest

from bareboat.errors import StoppedError
from bareboat.make.fetch_secrets import fetch_secrets
from bareboat.podman_engine.runs import has_dead_runs, hold_gate
from bareboat.podman_engine.session import sweep_dead
from bareboat.system.folders import Folders, find_folders, remove
from bareboat.system.process import Processes

ROOT = Path(__file__).parents[3]
HOLD = """
import sys
from pathlib import Path
from bareboat.podman_engine.runs import hold_gate
from bareboat.system.folders import Folders
from bareboat.system.process import Processes
folders = Folders(cache=Path(sys.argv[1]), passage=Path(sys.argv[1], "made"))
with hold_gate(folders, Processes(), print) as gate, gate.begin() as own:
    print(own.run, flush=True)
    sys.stdin.read()
    own.scratch.rmdir()
    own.own.rmdir()
"""


@pytest.fixture
def folders(tmp_path):
    return Folders(cache=tmp_path / "cache", passage=tmp_path / "made")


@pytest.fixture
def other(folders):
    """A run of another process, which holds the gate; it ends when its standard input is closed."""
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD, folders.cache],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with child:
        yield child
        child.kill()


def test_folders_follow_the_users_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folders = find_folders()
    assert folders.cache == tmp_path / "bareboat"
    assert {folder.parent for folder in (folders.engine, folders.programs, folders.roots, folders.logs)} == {
        folders.cache
    }


@pytest.mark.starts_processes("the gate is held against another process")
def test_who_would_be_alone_waits_and_says_for_whom(folders, other):
    assert other.stdout.readline()
    said = []

    def tell(text):
        said.append(text)
        other.stdin.close()  # the first run ends once the second has said that it waits

    with hold_gate(folders, Processes(), tell, alone=True) as gate:
        assert other.wait() == 0
        assert gate.living == gate.dead == ()
    assert said == [f"waiting for another run to end: process {other.pid}"]


def test_runs_go_on_side_by_side_and_leave_nothing(folders):
    with contextlib.ExitStack() as runs:
        for number in range(3):
            with hold_gate(folders, Processes(), print) as gate:
                assert (len(gate.living), gate.dead) == (number, ())
                own = runs.enter_context(gate.begin())
                runs.callback(shutil.rmtree, own.own)
        assert not has_dead_runs(folders)
    assert list(folders.runs.iterdir()) == []


def test_who_has_waited_while_all_was_removed_finds_folders_that_are_new(folders):
    waiting, done = threading.Event(), []

    def second():
        with hold_gate(folders, Processes(), lambda _: waiting.set()):
            done.append(folders.runs.is_dir())

    with hold_gate(folders, Processes(), print):
        thread = threading.Thread(target=second)
        thread.start()
        assert waiting.wait(10)
        shutil.rmtree(folders.cache)
    thread.join(10)
    assert done == [True]


def test_who_waits_can_be_stopped(folders):
    stopped = Processes()
    with hold_gate(folders, Processes(), print), pytest.raises(StoppedError):  # noqa: SIM117
        with hold_gate(folders, stopped, lambda _: stopped.stop()):
            pass


def test_folders_are_the_users_own_where_no_cache_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    monkeypatch.setenv("HOME", str(tmp_path))
    folders = find_folders()
    assert folders.cache == tmp_path / ".cache" / "bareboat"
    assert folders.passage.name.startswith(f"bareboat-{os.geteuid()}-")
    assert not folders.bootstrap.is_relative_to(tmp_path), "a private home is closed to mmdebstrap's user"


@pytest.mark.starts_processes("a run is killed")
def test_a_killed_run_is_known_to_be_dead(folders, other):
    digits = other.stdout.readline().strip()
    assert not has_dead_runs(folders)
    other.kill()
    other.wait()
    assert has_dead_runs(folders)
    with hold_gate(folders, Processes(), print) as gate:
        assert (gate.living, [run.run for run in gate.dead]) == ((), [digits])
        gate.forget(gate.dead[0])
    assert not has_dead_runs(folders)


def test_remove_takes_files_folders_and_what_is_not_there(tmp_path):
    folder, file, absent = tmp_path / "a", tmp_path / "b", tmp_path / "c"
    (folder / "deep").mkdir(parents=True)
    file.touch()
    remove(Processes(), folder, file, absent)
    assert list(tmp_path.iterdir()) == []


def test_remove_takes_a_link_and_leaves_what_it_points_to(tmp_path):
    kept, link, dangling = tmp_path / "kept", tmp_path / "link", tmp_path / "dangling"
    (kept / "deep").mkdir(parents=True)
    link.symlink_to(kept)
    dangling.symlink_to(tmp_path / "nowhere")
    remove(Processes(), link, dangling)
    assert list(tmp_path.iterdir()) == [kept]
    assert (kept / "deep").is_dir()


def test_only_the_hosts_files_that_exist_are_mounted(tmp_path):
    bundle, cargo = tmp_path / "ca.crt", tmp_path / "cargo"
    cargo.mkdir()
    bundle.touch()
    found = fetch_secrets({"SSL_CERT_FILE": str(bundle), "CARGO_HOME": str(cargo)})
    assert found == {"bareboat-ca-bundle": bundle}
    (cargo / "config.toml").touch()
    found = fetch_secrets({"CARGO_HTTP_CAINFO": str(bundle), "CARGO_HOME": str(cargo)})
    assert found == {"bareboat-ca-bundle": bundle, "bareboat-cargo-config": cargo / "config.toml"}


class NothingToSweep:
    """Stands in for the sweeper of the store."""

    swept: ClassVar[list[object]] = []

    def __init__(self, *_):
        pass

    def sweep(self, _, run):
        self.swept.append(run)
        return ()

    def sweep_images(self, _, references):
        self.swept.append(references)


def test_what_a_killed_run_wrote_half_is_swept_out_of_the_caches(monkeypatch, folders):
    monkeypatch.setattr("bareboat.podman_engine.session.Sweeper", NothingToSweep)
    kept = [folders.programs / "key" / "program", folders.roots / "copied" / "x.tar", folders.cache / "pace.json"]
    kept += [folders.images / "key", folders.results / "host" / "x.json"]
    left = [path.with_name(f".{path.name}.tmp-0badc0de") for path in kept]
    dead = replace(folders, run="0a1b2c3d")
    for path in (*kept, *left, dead.scratch / "x.tar", dead.bootstrap / "x", folders.runs / "0a1b2c3d.lock"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (dead.own / "claim").write_text("example.com/x:1\nexample.com/y:1", encoding="utf-8")
    said = []
    with hold_gate(folders, Processes(), print) as gate:
        sweep_dead(gate, {}, said.append)
    assert sorted(path for path in folders.cache.rglob("*") if path.is_file()) == sorted([*kept, folders.lock])
    assert not dead.bootstrap.exists()
    assert NothingToSweep.swept == [frozenset({"example.com/x:1", "example.com/y:1"}), "0a1b2c3d"]
    assert said == ["the last run was cut short; removed what it left: 0 containers, its temporary files"]
