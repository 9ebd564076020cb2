"""The private configuration keeps what the host's files say and fills in what they leave open."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

from bareboat.errors import HostError
from bareboat.podman_engine.containersconf import overlay, read_settings
from bareboat.podman_engine.settings import HostLimits, cgroups, choose_runtime, compose, podman_environment
from bareboat.podman_engine.store import file_system, lacks_driver, prefers_overlay, store

if TYPE_CHECKING:
    from pathlib import Path

HOST = HostLimits(
    files=20000,
    processes=16384,
    raise_limits=False,
    pure_cgroup_v2=False,
    runtimes=("crun", "runc"),
    starting=(),
    netavark=True,
)


def test_an_unconfigured_host_gets_all_that_is_needed() -> None:
    assert compose([], [], HOST) == {
        "containers": {
            "default_ulimits": ["nofile=20000:20000", "nproc=16384:16384"],
            "log_driver": "json-file",
        },
        "engine": {"runtime": "runc"},
        "network": {"network_backend": "netavark"},
    }


def test_what_the_user_set_wins_and_what_the_vendor_set_stays_below() -> None:
    vendor = {
        "containers": {"log_driver": "journald", "default_capabilities": ["CHOWN"]},
        "engine": {"runtime": "crun"},
    }
    admin = {"engine": {"runtime": "youki", "events_logger": "file"}}
    user = {"containers": {"log_driver": "k8s-file", "default_ulimits": ["nofile=512:512"]}}
    settings = compose([vendor], [admin, user], HOST)
    assert settings["containers"] == {
        "log_driver": "k8s-file",
        "default_capabilities": ["CHOWN"],
        "default_ulimits": ["nofile=512:512"],
    }
    assert settings["engine"] == {"runtime": "youki", "events_logger": "file"}


@pytest.mark.parametrize(
    ("version", "raises", "given_limit", "expected"),
    [
        (None, False, "nofile=1024:4096", "nofile=4096:4096"),
        ((4, 3), False, "nofile=1024:1048576", "nofile=20000:20000"),
        ((4, 4), False, "nofile=1024:1048576", "nofile=1024:20000"),
        ((5, 4), True, "nofile=1024:1048576", "nofile=1024:1048576"),
        ((5, 4), False, "RLIMIT_NPROC=99999", "RLIMIT_NPROC=16384:16384"),
        ((4, 3), False, "memlock=64:128", "memlock=128:128"),
        ((4, 3), False, "memlock=-1:-1", "memlock=-1:-1"),
    ],
)
def test_limits_that_do_not_work_are_made_to_work(version, raises, given_limit, expected) -> None:
    host = dataclasses.replace(HOST, raise_limits=raises)
    settings = compose([], [{"containers": {"default_ulimits": [given_limit]}}], host, version=version)
    assert settings["containers"]["default_ulimits"] == [expected]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "runc"),
        ({"pure_cgroup_v2": True}, "crun"),
        ({"starting": ("crun", "runc")}, "crun"),
        ({"pure_cgroup_v2": True, "starting": ("runc",)}, "runc"),
        ({"runtimes": ("crun",)}, "crun"),
        ({"runtimes": ("runc",), "starting": ("crun",)}, "runc"),
        ({"runtimes": ()}, None),
    ],
)
def test_the_runtime_is_the_one_that_starts(changes, expected) -> None:
    assert choose_runtime(dataclasses.replace(HOST, **changes)) == expected


def test_an_appending_list_adds_to_the_one_below_and_loses_its_attribute() -> None:
    below = {"containers": {"env": ["A=1"], "mounts": ["x"]}}
    above = {"containers": {"env": ["B=2", {"append": True}], "mounts": ["y", {"append": False}]}}
    assert overlay(below, above) == {"containers": {"env": ["A=1", "B=2"], "mounts": ["y"]}}
    assert below == {"containers": {"env": ["A=1"], "mounts": ["x"]}}


def test_the_file_is_written_once_and_keeps_the_users_settings(tmp_path: Path) -> None:
    folder = tmp_path / "private"
    mine = tmp_path / "home/.config/containers/containers.conf"
    mine.parent.mkdir(parents=True)
    mine.write_text('[containers]\nlog_driver = "none"\n[engine.runtimes]\nmine = ["/opt/mine"]\n')
    around = {"HOME": str(tmp_path / "home"), "PATH": "/usr/bin"}
    added = podman_environment(folder, environment=around)
    written = folder / "containers.conf"
    assert added["CONTAINERS_CONF"] == str(written)
    assert added["PODMAN_IGNORE_CGROUPSV1_WARNING"] == "1"
    settings = read_settings(written)
    assert settings["containers"]["log_driver"] == "none"
    assert settings["engine"]["runtimes"]["mine"] == ["/opt/mine"]
    before = written.stat()
    assert podman_environment(folder, environment=around) == added
    assert (written.stat().st_mtime_ns, written.stat().st_ino) == (before.st_mtime_ns, before.st_ino)
    assert [path.name for path in folder.iterdir()] == ["containers.conf"]


def test_a_file_named_by_the_user_is_the_only_one_read_but_never_our_own(tmp_path: Path) -> None:
    named = tmp_path / "named.conf"
    named.write_text('[engine]\nhelper_binaries_dir = ["/opt"]\n')
    around = {"HOME": str(tmp_path), "CONTAINERS_CONF": str(named)}
    added = podman_environment(tmp_path / "private", environment=around)
    settings = read_settings(tmp_path / "private/containers.conf")
    assert settings["engine"]["helper_binaries_dir"] == ["/opt"]
    assert "default_capabilities" not in settings["containers"]
    podman_environment(tmp_path / "private", environment={"HOME": str(tmp_path), **added})
    assert "helper_binaries_dir" not in read_settings(tmp_path / "private/containers.conf").get("engine", {})


@pytest.mark.parametrize(("mode", "expected"), [(0o600, 0o600), (0o640, 0o640), (0o644, 0o644), (0o664, 0o644)])
def test_the_file_lets_nobody_read_what_the_users_own_does_not(tmp_path: Path, mode: int, expected: int) -> None:
    named = tmp_path / "named.conf"
    named.write_text('[engine]\nenv = ["https_proxy=http://user:password@proxy.test"]\n')
    named.chmod(mode)
    around = {"HOME": str(tmp_path), "CONTAINERS_CONF": str(named)}
    podman_environment(tmp_path / "private", environment=around)
    written = tmp_path / "private/containers.conf"
    assert written.stat().st_mode & 0o777 == expected
    # One that an older Bareboat left readable is closed, though its text stays.
    written.chmod(0o666)
    podman_environment(tmp_path / "private", environment=around)
    assert written.stat().st_mode & 0o777 == expected


BROKEN = ("[engine\n", f"a = {'[' * 5000}{']' * 5000}\n", f"a = {'9' * 10_000}\n", f"a = 0x{'f' * 10_000}\n")


@pytest.mark.parametrize("text", BROKEN, ids=range(len(BROKEN)))
def test_a_broken_file_is_named(tmp_path: Path, text: str) -> None:
    broken = tmp_path / "broken.conf"
    broken.write_text(text)
    with pytest.raises(HostError, match=r"broken\.conf: "):
        podman_environment(tmp_path / "private", environment={"HOME": str(tmp_path), "CONTAINERS_CONF": str(broken)})


def _ordinary_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)


@pytest.mark.parametrize(
    ("made", "settings", "expected"),
    [
        ((), "", True),
        (("overlay-images",), "", True),
        (("vfs-images",), "", False),
        (("vfs-images", "overlay-images"), "", False),
        (("db.sql",), "", False),
        ((), '[storage]\ndriver = "btrfs"\n', False),
        ((), '[storage]\ndriver = "overlay"\n', True),
    ],
)
def test_overlay_is_named_for_a_fresh_store_or_an_overlay_one(tmp_path, monkeypatch, made, settings, expected) -> None:
    _ordinary_user(monkeypatch)
    if file_system(tmp_path) == "overlay":
        pytest.skip("overlay does not lie on overlay")
    around = {"HOME": str(tmp_path), "CONTAINERS_STORAGE_CONF": str(tmp_path / "storage.conf")}
    (tmp_path / "storage.conf").write_text(settings)
    for name in made:
        (store(around) / name).mkdir(parents=True)
    assert prefers_overlay(around) is expected
    assert not prefers_overlay({**around, "STORAGE_DRIVER": "vfs"})


def test_a_driver_is_to_be_named_only_where_the_user_has_no_storage_conf(tmp_path, monkeypatch) -> None:
    _ordinary_user(monkeypatch)
    if file_system(tmp_path) == "overlay":
        pytest.skip("overlay does not lie on overlay")
    around, own = {"HOME": str(tmp_path)}, tmp_path / ".config/containers/storage.conf"
    monkeypatch.setattr("bareboat.podman_engine.store.SYSTEM_FOLDER", tmp_path / "etc")
    assert lacks_driver(around) == own
    own.parent.mkdir(parents=True)
    own.write_text("# mine\n")
    assert lacks_driver(around) is None
    own.unlink()
    (store(around) / "vfs-images").mkdir(parents=True)
    assert lacks_driver(around) is None


def test_the_store_is_where_the_users_storage_conf_says(tmp_path, monkeypatch) -> None:
    _ordinary_user(monkeypatch)
    around = {"HOME": str(tmp_path), "USER": "anne"}
    assert store(around) == tmp_path / ".local/share/containers/storage"
    assert store({**around, "XDG_DATA_HOME": "/data"}).as_posix() == "/data/containers/storage"
    own = tmp_path / ".config/containers/storage.conf"
    own.parent.mkdir(parents=True)
    own.write_text('[storage]\ngraphroot = "/big/$USER/$UID"\n')
    assert store(around).as_posix() == "/big/anne/1000"


def test_the_file_system_is_that_of_the_nearest_mount(tmp_path: Path) -> None:
    mounts = tmp_path / "mountinfo"
    home = tmp_path.resolve() / "home"
    mounts.write_text(
        f"1 0 8:1 / / rw - ext4 /dev/sda rw\n2 1 0:1 / {home} rw shared:7 - fuse.sshfs far rw\n", encoding="utf-8"
    )
    assert file_system(home / "anne/not-yet", mounts) == "fuse"
    assert file_system(tmp_path, mounts) == "ext4"


def test_cgroups_are_told_by_their_files(tmp_path: Path) -> None:
    assert cgroups(tmp_path) == "v1"
    (tmp_path / "unified").mkdir()
    assert cgroups(tmp_path) == "hybrid"
    (tmp_path / "cgroup.controllers").touch()
    assert cgroups(tmp_path) == "v2"
