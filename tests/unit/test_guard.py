"""A unit test that is not marked starts no process and opens no connection."""

from __future__ import annotations

import os
import socket
import subprocess

import pytest

from bareboat.system.process import Processes


def connect():
    with socket.socket(socket.AF_UNIX) as unconnected:
        unconnected.connect("/nowhere")


@pytest.mark.parametrize(
    ("act", "event"),
    [
        (lambda: subprocess.run(["true"], check=True), "subprocess.Popen"),
        (lambda: Processes().run(["true"]), "subprocess.Popen"),
        (os.fork, "os.fork"),
        (lambda: socket.create_connection(("127.0.0.1", 1)), "socket.getaddrinfo"),
        (connect, "socket.connect"),
    ],
)
def test_an_unmarked_test_fails(act, event):
    with pytest.raises(pytest.fail.Exception, match=f"a unit test caused {event}"):
        act()


@pytest.mark.starts_processes("the marker is what is tested")
def test_a_marked_test_may():
    assert Processes().run(["echo", "yes"]) == "yes\n"
