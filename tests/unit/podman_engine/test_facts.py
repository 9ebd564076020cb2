"""What Podman said of itself is known until anything that it follows from changes."""

from __future__ import annotations

import os

import pytest

from bareboat.podman_engine import facts
from bareboat.podman_engine.facts import FACTS_FILE, keep_facts, machine_number, read_facts, recall_facts


@pytest.fixture
def info(tmp_path):
    """What Podman would say of a host whose runtime and monitor are files of the test."""
    parts = {name: tmp_path / name for name in ("runc", "conmon")}
    for path in parts.values():
        path.write_text("a program", encoding="utf-8")
    return {
        "host": {
            "arch": "amd64",
            "buildahVersion": "1.28.2",
            "distribution": {"distribution": "debian", "version": "12"},
            "kernel": "6.1.0",
            "ociRuntime": {"path": str(parts["runc"]), "version": "runc version 1.1.5\ncommit: 1"},
            "cpus": 8,
            "conmon": {"path": str(parts["conmon"])},
            "security": {"rootless": True},
        },
        "store": {"graphDriverName": "overlay", "graphRoot": "/graph", "runRoot": "/run/x"},
        "version": {"Version": "4.3.1"},
    }


@pytest.fixture
def environment(tmp_path):
    return {"HOME": str(tmp_path / "home"), "PATH": os.environ["PATH"]}


def test_facts_are_read_from_what_podman_says(info):
    found = read_facts(info)
    assert (found.host.name, found.host.runtime) == ("debian-12-amd64-rootless", "runc version 1.1.5")
    assert found.host.cores == 8
    assert (found.run_root, str(found.images_file)) == ("/run/x", "/graph/overlay-images/images.json")


def test_what_is_kept_is_known_again(tmp_path, info, environment):
    assert recall_facts(tmp_path, environment) is None
    assert (
        keep_facts(tmp_path, info, environment)
        == read_facts(info, machine_number())
        == recall_facts(tmp_path, environment)
    )


@pytest.mark.parametrize(
    "changed",
    [
        "runc",
        "conmon",
        "containers.conf",
        "home/.config/containers/storage.conf",
        "home/.config/containers/a.conf.d/b.conf",
    ],
)
def test_another_runtime_or_setting_makes_podman_be_asked_again(tmp_path, info, environment, changed):
    keep_facts(tmp_path, info, environment)
    path = tmp_path / changed
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("another", encoding="utf-8")
    assert recall_facts(tmp_path, environment) is None


@pytest.mark.parametrize(
    "changes",
    [{"HOME": "/elsewhere"}, {"CONTAINERS_STORAGE_CONF": "/x"}, {"STORAGE_DRIVER": "vfs"}, {"CONTAINERS_CONF": "/x"}],
)
def test_another_environment_makes_podman_be_asked_again(tmp_path, info, environment, changes):
    keep_facts(tmp_path, info, environment)
    assert recall_facts(tmp_path, {**environment, **changes}) is None
    assert recall_facts(tmp_path, {**environment, "OTHER": "x"}) == read_facts(info, machine_number())


def test_another_kernel_makes_podman_be_asked_again(monkeypatch, tmp_path, info, environment):
    keep_facts(tmp_path, info, environment)
    monkeypatch.setattr(facts.os, "uname", lambda: os.uname_result(("Linux", "host", "6.2.0", "#1", "x86_64")))
    assert recall_facts(tmp_path, environment) is None


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "{}", '{"stamp": 1, "parts": []}', '{"stamp": "", "parts": [1]}', "null", "[" * 100_000],
    ids=range(8),
)
def test_a_damaged_file_makes_podman_be_asked_again(tmp_path, environment, text):
    (tmp_path / FACTS_FILE).write_text(text, encoding="utf-8")
    assert recall_facts(tmp_path, environment) is None


def test_a_machine_has_digits_of_its_own_that_do_not_tell_its_number(tmp_path):
    number = "0123456789abcdef" * 2
    one, other = (tmp_path / name for name in ("one", "other"))
    one.write_text(f"{number}\n", encoding="ascii")
    other.write_text(f"{number[::-1]}\n", encoding="ascii")
    digits = machine_number(one)
    assert len(digits) == 8
    assert digits not in number
    assert digits != machine_number(other)
    assert machine_number(tmp_path / "absent") == ""
