"""The words of Podman's command: how what the user sits before is confined, and whose folders it is told to use."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from bareboat.engine.containers import Start, Work
from bareboat.inputs.limits import Limits
from bareboat.podman_engine.client import Attached, Client, attached_arguments, work_arguments
from bareboat.system.folders import Folders
from bareboat.system.process import Processes

ANSWERS = {signal.SIGINT: (signal.SIGINT, 0)}
START = Start(image="sha256:1", command=("--port", "8 0"), limits=Limits(memory_mb=100, processes=7))


def words_of(start=START, **more):
    return attached_arguments(Attached(start=start, answers=ANSWERS, **more), "0123abcd", "bareboat-0123abcd-1")


def test_what_the_user_sits_before_is_confined_as_it_was_verified():
    words = words_of()
    assert words[0] == "run"
    assert words[-3:] == ["sha256:1", "--port", "8 0"]
    assert {
        "--read-only",
        "--read-only-tmpfs=false",
        "--cap-drop=all",
        "--security-opt=no-new-privileges",
        "--memory=100000000b",
        "--pids-limit=7",
        "--network=none",
        "--http-proxy=false",
        "--pull=never",
        "--name=bareboat-0123abcd-1",
        "--label=io.bareboat.run=0123abcd",
        "--interactive",
    } <= set(words)
    assert not [word for word in words if word.startswith(("--publish", "--tmpfs", "--tty", "--user", "--privileged"))]


def test_tmp_is_in_memory_where_the_image_has_one_and_nothing_is_read_only_where_it_may_write():
    tmp = Start(image="sha256:1", tmp=True)
    assert [word for word in words_of(tmp) if "tmp" in word] == [
        "--read-only-tmpfs=false",
        "--tmpfs=/tmp:rw,nosuid,nodev,mode=1777",
    ]
    assert not [word for word in words_of(writable=True) if "read-only" in word]


@pytest.mark.parametrize(
    ("more", "network", "proxy"),
    [
        ({}, ["--network=none"], ["--http-proxy=false"]),
        # What is asked only has no need of the proxy, whose address may hold a password.
        ({"publish": ("127.0.0.1:8080:80",)}, [], ["--http-proxy=false"]),
        ({"network": True}, [], []),
        ({"network": True, "publish": ("127.0.0.1:8080:80",)}, [], []),
    ],
)
def test_there_is_a_network_only_for_what_is_published_or_asks_for_one(more, network, proxy):
    words = words_of(**more)
    assert [word for word in words if word.startswith("--network")] == network
    assert [word for word in words if word.startswith("--http-proxy")] == proxy
    assert [word for word in words if word.startswith("--publish")] == [
        f"--publish={port}" for port in more.get("publish", ())
    ]


def test_a_terminal_and_an_input_are_passed_on_where_there_are_some():
    assert {"--tty", "--interactive"} <= set(words_of(terminal=True))
    assert not {"--tty", "--interactive"} & set(words_of(stdin=False))


@pytest.mark.parametrize("network", [True, False])
def test_work_has_a_network_only_where_it_fetches(network):
    work = Work(image="sha256:1", command=("cargo", "fetch"), mounts={"/src": Path("/here")}, network=network)
    words = work_arguments(work, "0123abcd")
    assert ("--network=none" in words) is not network
    assert {"--volume=/here:/src:ro", "--entrypoint=cargo", "--cap-drop=all"} <= set(words)
    assert words[-2:] == ["sha256:1", "fetch"]


class Recording(Processes):
    """Processes that are noted, and not started."""

    def __init__(self):
        super().__init__()
        self.started = []

    def run(self, argv, *, env=None, **_):
        self.started.append((list(argv), dict(env)))
        return ""


@pytest.fixture
def folders(tmp_path):
    made = Folders(cache=tmp_path / "cache", passage=tmp_path / "passage", run="0123abcd")
    made.own.mkdir(parents=True)
    return made


def test_a_push_is_told_nothing_that_leads_away_from_the_users_credentials(folders, tmp_path, monkeypatch):
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    processes = Recording()
    client = Client(
        processes=processes,
        environment={"CONTAINERS_CONF": "/x"},
        folders=folders,
        remote=False,
        run_root="/tmp/run-1000",
    )
    (folders.own / "digest").write_text("sha256:abc", encoding="ascii")
    assert client.push("sha256:1", "ghcr.io/me/app:1", tmp_path / "log") == "sha256:abc"
    client.run(["info"])
    (pushed, environment), (asked, others) = processes.started
    assert pushed == ["podman", "push", f"--digestfile={folders.own}/digest", "sha256:1", "docker://ghcr.io/me/app:1"]
    assert environment == {"CONTAINERS_CONF": "/x"}
    # What else Podman does has its temporary files in the run's folder, with its run root where the user's is.
    assert asked == ["podman", "--runroot=/tmp/run-1000", "info"]
    assert others == {"CONTAINERS_CONF": "/x", "TMPDIR": str(folders.own)}
