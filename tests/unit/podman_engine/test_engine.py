"""What the engine knows before it asks Podman."""

from __future__ import annotations

import signal
import subprocess

import pytest

from bareboat.podman_engine.builds import guarded
from bareboat.podman_engine.engine import PodmanEngine
from bareboat.system.folders import Folders
from bareboat.system.process import Processes
from tests.unit.system.test_process import alive, wait_until


@pytest.mark.parametrize(("service", "remote"), [("", False), ("ssh://user@example.com/run/podman.sock", True)])
def test_an_engine_is_remote_where_the_user_names_its_service(monkeypatch, tmp_path, service, remote):
    monkeypatch.setenv("CONTAINER_HOST", service)
    assert PodmanEngine(Processes(), {}, Folders(cache=tmp_path, passage=tmp_path)).remote is remote


class AnsweringClient:
    """Stands in for podman-py's client, and counts how often /info is asked for."""

    asked = 0

    def __init__(self, **_):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def info(self):
        AnsweringClient.asked += 1
        host = {
            "arch": "amd64",
            "cpus": 2,
            "buildahVersion": "1.28.2",
            "distribution": {"distribution": "debian", "version": "12"},
            "kernel": "6.1.0",
            "ociRuntime": {"version": "runc version 1.1.5\ncommit: 1"},
            "security": {"rootless": True},
        }
        store = {"graphDriverName": "overlay", "graphRoot": "/g", "runRoot": "/run/user/1000/containers"}
        return {"host": host, "store": store, "version": {"Version": "4.3.1"}}


def test_podman_is_asked_once_about_itself(monkeypatch, tmp_path):
    monkeypatch.setenv("CONTAINER_HOST", "ssh://user@example.com/run/podman.sock")
    monkeypatch.setattr("bareboat.podman_engine.api.PodmanClient", AnsweringClient)
    with PodmanEngine(Processes(), {}, Folders(cache=tmp_path, passage=tmp_path)) as engine:
        host = engine.host()
        assert engine.host() == host
    assert (host.name, host.podman, host.runtime) == ("debian-12-amd64-rootless", "4.3.1", "runc version 1.1.5")
    assert AnsweringClient.asked == 1


@pytest.mark.starts_processes("a shell guards a folder")
def test_a_guarded_folder_goes_with_the_command_and_the_commands_answer_stays(tmp_path):
    folder = tmp_path / "it's"
    folder.mkdir()
    done = subprocess.run([*guarded(folder), "sh", "-c", "cat; exit 7"], input=b"in", capture_output=True, check=False)
    assert (done.returncode, done.stdout, folder.exists()) == (7, b"in", False)


@pytest.mark.starts_processes("a shell guards a folder")
def test_a_guarded_folder_goes_when_the_command_is_interrupted(tmp_path):
    folder, started = tmp_path / "copy", tmp_path / "started"
    folder.mkdir()
    command = [*guarded(folder), "sh", "-c", f"echo $$ > {started}.new; mv {started}.new {started}; exec sleep 600"]
    guard = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    wait_until(started.exists)
    guard.send_signal(signal.SIGINT)  # as the kernel does when Bareboat is killed
    assert guard.wait(20) != 0
    assert not folder.exists()
    assert not alive(int(started.read_text(encoding="utf-8")))
