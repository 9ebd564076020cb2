"""Folders of Bareboat's own, and those in places where everybody may write."""

from __future__ import annotations

import os

import pytest

from bareboat.errors import HostError
from bareboat.system.folders import find_folders, make_passage, remove
from bareboat.system.process import Processes


def test_two_caches_of_one_user_share_no_folder(monkeypatch, tmp_path):
    found = []
    for name in ("one", "two"):
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / name))
        found.append(find_folders())
        assert find_folders() == found[-1]
    assert found[0].bootstrap != found[1].bootstrap
    assert found[0].bootstrap.parent == found[1].bootstrap.parent


def test_a_passage_can_be_walked_through_and_no_more(tmp_path):
    folder = tmp_path / "passage"
    make_passage(folder)
    assert folder.stat().st_mode & 0o7777 == 0o711
    (folder / "kept").touch()
    folder.chmod(0o777)
    make_passage(folder)
    assert folder.stat().st_mode & 0o7777 == 0o711
    assert (folder / "kept").exists()


@pytest.mark.parametrize("make", [lambda place, to: place.symlink_to(to), lambda place, _: place.write_text("")])
def test_what_is_no_folder_is_refused(tmp_path, make):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    make(tmp_path / "passage", elsewhere)
    with pytest.raises(HostError, match="is no folder of user"):
        make_passage(tmp_path / "passage")
    assert elsewhere.stat().st_mode & 0o7777 == 0o700


def test_somebody_elses_folder_is_refused_and_its_owner_is_named(monkeypatch, tmp_path):
    folder = tmp_path / "passage"
    folder.mkdir(mode=0o755)
    user = os.geteuid()
    monkeypatch.setattr("bareboat.system.folders.os.geteuid", lambda: user + 1)
    with pytest.raises(HostError, match=r"is a folder of user \S+, and root filesystems are to be made there"):
        make_passage(folder)
    assert folder.stat().st_mode & 0o7777 == 0o755


@pytest.mark.starts_processes("what cannot be removed otherwise is removed by rm")
@pytest.mark.skipif(os.geteuid() != 0, reason="root alone needs no namespace")
def test_root_removes_what_is_stubborn_without_podman(monkeypatch, tmp_path):
    folder = tmp_path / "stubborn"
    (folder / "x").mkdir(parents=True)
    monkeypatch.setattr("bareboat.system.folders.shutil.rmtree", lambda *_, **__: None)
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    remove(Processes(), folder)
    assert not folder.exists()
