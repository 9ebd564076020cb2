"""How containers end whose time is over, also where both come to pass at once; and which network they have."""

from __future__ import annotations

from functools import partial

import pytest
import requests
from podman.errors import APIError

from bareboat.engine.containers import OUTSIDE, Start
from bareboat.errors import HostError, RefusedError
from bareboat.podman_engine.containers import run, start, watch


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


class Refusing:
    """A container that Podman does not start."""

    def __init__(self, words):
        self.words, self.removed = words, False

    def start(self):
        raise APIError("500 Server Error", explanation=self.words)

    def remove(self, **_):
        self.removed = True


class Client:
    """Has one container, and keeps what was asked of it."""

    def __init__(self, container):
        self.containers, self.container, self.asked = self, container, {}

    def create(self, image, command, **asked):
        self.asked = {"image": image, "command": command, **asked}
        return self.container


NETAVARK = 'netavark: code: 3, msg: iptables: "Operation not permitted"'
SLIRP = "checking slirp4netns binary /x/slirp4netns: fork/exec: no such file or directory"


@pytest.mark.parametrize("words", [NETAVARK, SLIRP, "could not find pasta, the network namespace can't be configured"])
def test_where_a_machine_gives_no_network_no_program_is_guilty(words):
    for start_one in (start, partial(run, timeout_seconds=1.0, writable=False)):
        container = Refusing(words)
        with pytest.raises(HostError, match=r"no network; `invoke doctor` finds out why\n") as caught:
            start_one(Client(container), "0123abcd", Start(image="x", network=OUTSIDE))
        assert words in str(caught.value)
        assert container.removed


def test_what_is_refused_for_another_reason_is_refused():
    for words, network in (("exec: no such file or directory", OUTSIDE), (NETAVARK, "none")):
        wanted = Start(image="x", network=network)
        with pytest.raises(RefusedError, match=words):
            start(Client(Refusing(words)), "0123abcd", wanted)
        report = run(Client(Refusing(words)), "0123abcd", wanted, 1.0, writable=False)
        assert (report.exit_code, report.refused) == (None, words)


def test_the_hosts_proxies_are_for_what_has_a_network_alone():
    for network, asked in (
        ("none", {"network_mode": "none"}),
        (OUTSIDE, {"network_mode": "default", "use_config_proxy": True}),
    ):
        client = Client(Refusing("no"))
        run(client, "0123abcd", Start(image="x", network=network), 1.0, writable=False)
        assert {
            name: client.asked[name] for name in ("network_mode", "use_config_proxy") if name in client.asked
        } == asked
