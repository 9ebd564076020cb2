"""What a service must do, and what it did: what was expected and what was seen are told of each way to fall short."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bareboat.check.serving import find_fault, is_ready, path_to_ask
from bareboat.inputs.expectation import Serving
from bareboat.result.values import Ran

DID = Ran(running=True, ports=(80, 9090), answers=("HTTP 200", "HTTP 404"), stop_seconds=0.1, exit_code=0)
HEALTH = Serving(port=80, ready="/healthz")


@pytest.mark.parametrize("serving", [Serving(), Serving(port=80), HEALTH, Serving(port=9090, ready="")])
@pytest.mark.parametrize("code", [0, 1, 143])
def test_what_did_what_it_must_has_no_fault(serving, code):
    assert find_fault(serving, replace(DID, exit_code=code), 10.0) == ""


@pytest.mark.parametrize("status", [200, 204, 301, 399])
def test_every_good_status_will_do(status):
    assert find_fault(HEALTH, replace(DID, ports=(80,), answers=(f"HTTP {status}",)), 10.0) == ""


@pytest.mark.parametrize(
    ("serving", "ran", "fault"),
    [
        (Serving(), Ran(exit_code=3), "it was to run on, and ended with exit code 3"),
        (
            Serving(),
            Ran(exit_code=0, ports=(80,), answers=("HTTP 200",)),
            "it was to run on, and ended with exit code 0",
        ),
        (Serving(), Ran(running=True), "it was to listen on a port within 10 s, and listens on none"),
        (Serving(port=80), Ran(running=True), "it was to listen on port 80 within 10 s, and listens on none"),
        (Serving(port=81), DID, "it was to listen on port 81 within 10 s, and listens on 80, 9090"),
        (
            Serving(port=53, ready=""),
            replace(DID, ports=(), answers=(), udp_ports=(5353,)),
            "it was to listen on port 53 within 10 s, and listens on 5353/udp",
        ),
        (
            Serving(port=53),
            replace(DID, ports=(), answers=(), udp_ports=(53,)),
            'it was to answer / with a status below 400, and is on UDP alone: `ready = ""` asks nothing',
        ),
        (
            HEALTH,
            replace(DID, answers=("HTTP 503", "HTTP 200")),
            "it was to answer /healthz with a status below 400, and 80 answered HTTP 503",
        ),
        (
            Serving(),
            replace(DID, answers=("no HTTP", "")),
            "it was to answer / with a status below 400, and 80 answered no HTTP and 9090 answered nothing",
        ),
        (
            Serving(stop_seconds=0.5),
            replace(DID, stop_seconds=None),
            "it was to end within 0.5 s of SIGTERM, and did not",
        ),
    ],
)
def test_each_fault_names_what_was_expected_and_what_was_seen(serving, ran, fault):
    assert find_fault(serving, ran, 10.0) == fault


def test_a_service_of_udp_alone_is_one():
    dns = replace(DID, ports=(), answers=(), udp_ports=(53,))
    assert [find_fault(Serving(port=port, ready=""), dns, 10.0) for port in (None, 53)] == ["", ""]


@pytest.mark.parametrize(
    ("serving", "paths"),
    [
        (None, ["/", "/"]),
        (Serving(), ["/", "/"]),
        (Serving(ready=""), ["/", "/"]),
        (Serving(ready="/healthz"), ["/healthz", "/healthz"]),
        (HEALTH, ["/healthz", "/"]),
    ],
)
def test_what_is_asked_is_what_says_that_it_is_ready_and_of_other_ports_their_first_page(serving, paths):
    assert [path_to_ask(serving, port) for port in (80, 9090)] == paths


def test_of_a_named_port_only_its_own_answer_tells():
    assert not is_ready(HEALTH, (80, 9090), ("HTTP 500", "HTTP 200"))
    assert is_ready(Serving(), (80, 9090), ("HTTP 500", "HTTP 200"))
    assert is_ready(Serving(port=80, ready=""), (80,), ("no HTTP",))
