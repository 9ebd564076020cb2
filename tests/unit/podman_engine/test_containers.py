"""A container whose time is over has either ended or is killed, also where both come to pass at once."""

from __future__ import annotations

import pytest
import requests
from podman.errors import APIError

from bareboat.podman_engine.containers import watch


class Container:
    """Outlives its time; `ended` is whether it has ended by itself when it is to be killed, and then with 7."""

    def __init__(self, *, ended):
        self.ended = ended
        self.killed = False
        self.attrs = {"State": {"Running": True}}
        self.waits = 0

    def wait(self, **_):
        self.waits += 1
        if self.waits > 1:
            return 7
        raise APIError("timed out") from requests.ReadTimeout()

    def kill(self):
        if self.ended:
            raise APIError("can only kill running containers: container state improper")
        self.killed = True

    def reload(self):
        self.attrs = {"State": {"Running": not self.ended, "OOMKilled": False}}

    def logs(self, **streams):
        return [b"out"] if streams["stdout"] else [b"err"]


def test_one_that_runs_is_killed():
    container = Container(ended=False)
    report = watch(container, 1.0)
    assert (report.exit_code, report.stdout, report.stderr) == (None, b"out", b"err")
    assert container.killed


def test_one_that_has_just_ended_has_its_exit_code():
    report = watch(Container(ended=True), 1.0)
    assert (report.exit_code, report.stdout, report.stderr) == (7, b"out", b"err")


def test_one_that_runs_and_cannot_be_killed_is_an_error():
    container = Container(ended=True)
    container.reload = lambda: None
    with pytest.raises(APIError, match="can only kill"):
        watch(container, 1.0)
