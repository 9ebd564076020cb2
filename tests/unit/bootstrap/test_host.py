"""Missing tools and an unreachable network are reported; a command becomes root in a namespace."""

from __future__ import annotations

import os

import pytest

from bareboat.bootstrap import host
from bareboat.bootstrap.host import find_tool, telling_network_faults, unshare_prefix
from bareboat.errors import EngineError, HostError


def test_a_tool_is_found_outside_of_path(tmp_path, monkeypatch):
    tool = tmp_path / "debugfs"
    tool.write_text("#!/bin/sh\n", encoding="utf-8")
    tool.chmod(0o755)
    monkeypatch.setattr(host, "TOOL_PATH", f"/nowhere{os.pathsep}{tmp_path}")
    assert find_tool("debugfs") == str(tool)
    with pytest.raises(HostError, match=r"qemu-img is not installed; `invoke setup`"):
        find_tool("qemu-img")


@pytest.mark.parametrize(
    "line",
    [
        "  Temporary failure resolving 'mirror.test'",
        "E: Failed to fetch http://mirror.test/InRelease  Could not connect to mirror.test:80 (::1). - connect (111)",
        "WARNING: Retrying after connection broken by 'NewConnectionError(...): [Errno 101] Network is unreachable'",
    ],
)
def test_a_network_that_is_down_is_called_that_and_the_line_is_shown(tmp_path, line):
    log = tmp_path / "log"
    log.write_text(f"I: begins\n{line}\n" + "I: more\n" * 30, encoding="utf-8")
    with pytest.raises(HostError, match="the network is unreachable: no answer from the mirror") as caught:
        fail(EngineError("mmdebstrap", 25, ["E: mmdebstrap failed"], log))
    assert line.strip() in str(caught.value)
    assert "http_proxy" in str(caught.value)


@pytest.mark.parametrize("kept", [True, False])
def test_another_failure_stays_what_it_is(tmp_path, kept):
    log = tmp_path / "log"
    if kept:
        log.write_text("E: Unable to locate package nothing\n", encoding="utf-8")
    error = EngineError("mmdebstrap", 25, ["E: Unable to locate package nothing"], log)
    with pytest.raises(EngineError) as caught:
        fail(error)
    assert caught.value is error


@pytest.mark.parametrize(("user", "mapped"), [(0, False), (1000, True)])
def test_only_an_ordinary_user_needs_subordinate_ids(monkeypatch, user, mapped):
    monkeypatch.setattr(os, "geteuid", lambda: user)
    words = unshare_prefix()
    assert ("--map-auto" in words) is mapped
    assert words[:2] == ("setpriv", "--pdeathsig=KILL")
    assert "--kill-child" in words


def fail(error):
    with telling_network_faults("the mirror"):
        raise error
