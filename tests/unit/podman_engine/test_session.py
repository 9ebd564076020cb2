"""The folders and the lock of a run."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bareboat.make.fetch_secrets import fetch_secrets
from bareboat.podman_engine.session import _sweep, _wipe, session_lock
from bareboat.system.folders import Folders, find_folders, remove
from bareboat.system.process import Processes

ROOT = Path(__file__).parents[3]
HOLD = """
import sys
from pathlib import Path
from bareboat.podman_engine.session import session_lock
with session_lock(Path(sys.argv[1]), print):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_folders_follow_the_users_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folders = find_folders()
    assert folders.cache == tmp_path / "bareboat"
    assert {folder.parent for folder in (folders.engine, folders.programs, folders.roots, folders.logs)} == {
        folders.cache
    }


@pytest.mark.starts_processes("the lock is held against another process")
def test_a_second_run_waits_and_says_for_whom(tmp_path):
    path, said = tmp_path / "lock", []
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout.readline() == "held\n"

    def tell(text):
        said.append(text)
        holder.stdin.close()  # the first run ends once the second has said that it waits

    with session_lock(path, tell):
        assert holder.wait() == 0
    holder.stdout.close()
    assert said == [f"another run (process {holder.pid}) uses this image store; waiting for it to end"]
    with session_lock(path, said.append):
        assert len(said) == 1


def test_folders_are_the_users_own_where_no_cache_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    monkeypatch.setenv("HOME", str(tmp_path))
    folders = find_folders()
    assert folders.cache == tmp_path / ".cache" / "bareboat"
    assert folders.bootstrap.name.startswith(f"bareboat-{os.geteuid()}-")
    assert not folders.bootstrap.is_relative_to(tmp_path), "a private home is closed to mmdebstrap's user"


@pytest.mark.starts_processes("the lock is held against another process")
def test_a_killed_run_holds_no_lock(tmp_path):
    path, said = tmp_path / "lock", []
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout.readline() == "held\n"
    assert path.read_text() == str(holder.pid)
    holder.kill()
    holder.communicate()
    with session_lock(path, said.append):
        assert path.read_text() == str(os.getpid())
    assert said == []


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
    def sweep(self, *_):
        return ()


def test_what_a_killed_run_wrote_half_is_swept_out_of_the_caches(tmp_path):
    folders = Folders(cache=tmp_path, bootstrap=tmp_path / "bootstrap")
    kept = [folders.programs / "key" / "program", folders.roots / "key.json", folders.roots / "copied" / "x.tar"]
    kept += [folders.images / "key", folders.results / "host" / "x.json", folders.pace]
    left = [path.with_name(f".{path.name}.tmp-0badc0de") for path in kept]
    for path in (*kept, *left, folders.engine / "containers.conf", tmp_path / "unfinished"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert _sweep(NothingToSweep(), folders) == 0
    assert sorted(path for path in tmp_path.rglob("*") if path.is_file()) == sorted(
        [*kept, folders.engine / "containers.conf"]
    )


def test_what_makes_the_next_compile_short_outlives_the_run(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folders = replace(find_folders(), bootstrap=tmp_path / "bootstrap")
    # As Buildah 1.28 and 1.39 call it, and what both leave behind.
    kept, left = {"buildah-cache", "buildah-cache-1000", "containers.conf"}, {"buildah1234", "podman.sock", "ignore-1"}
    for name in kept | left:
        (folders.engine / name).mkdir(parents=True)
    folders.scratch.mkdir()
    _wipe(Processes(), folders)
    assert {path.name for path in folders.engine.iterdir()} == kept
    assert not folders.scratch.exists()
