"""Unit tests start no process and open no socket, but for those that are marked, each with its reason."""

from __future__ import annotations

import sys
from contextlib import contextmanager

import pytest

# What Python audits (https://docs.python.org/3/library/audit_events.html) when a process or a connection begins.
FORBIDDEN = (
    "subprocess.Popen",
    "os.exec",
    "os.fork",
    "os.forkpty",
    "os.posix_spawn",
    "os.spawn",
    "os.system",
    "pty.spawn",
    "socket.bind",
    "socket.connect",
    "socket.getaddrinfo",
    "socket.sendto",
)


class Guard:
    """An audit hook stays for the life of the process, so there is one, which is told when to object."""

    def __init__(self):
        self.forbids = False
        sys.addaudithook(self._look_at)

    def _look_at(self, event, arguments):
        if self.forbids and event in FORBIDDEN:
            pytest.fail(f"a unit test caused {event} {arguments[:2]}: mark it starts_processes(REASON), or use a fake")

    @contextmanager
    def forbidding(self):
        self.forbids = True
        try:
            yield
        finally:
            self.forbids = False


@pytest.fixture(scope="session")
def guard():
    return Guard()


@pytest.fixture(autouse=True)
def _no_process_and_no_socket(request, guard):
    marker = request.node.get_closest_marker("starts_processes")
    if marker is not None:
        (reason,) = marker.args
        assert reason, "the marker says why the test starts a process"
        yield
    elif any(request.node.get_closest_marker(name) for name in ("podman", "network")):
        yield
    else:
        with guard.forbidding():
            yield
