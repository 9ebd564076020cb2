"""What `invoke run` makes of its words, and of what the program did when it was verified."""

from __future__ import annotations

import io
import signal
import socket

import pytest

from bareboat.commands.project import Project
from bareboat.commands.start import Port, RunOptions, answers_of, check_free, choose_ports, parse_port, run_cell
from bareboat.errors import BareboatError, InputError
from bareboat.result.values import Ran
from bareboat.system.process import Processes
from tests.unit.project import ROOT

HEEDS = Ran(running=True, ports=(80, 8080, 9000), answers=("HTTP 200", "no HTTP", ""), stop_seconds=0.1)
DEAF = Ran(running=True, ports=(8080,), answers=("HTTP 404",))


@pytest.mark.parametrize(
    ("word", "port", "spelt"),
    [
        ("8080", Port(port=8080, here=8080), "127.0.0.1:8080:8080"),
        ("18080:80", Port(port=80, here=18080), "127.0.0.1:18080:80"),
        ("0.0.0.0:18080:80", Port(port=80, here=18080, address="0.0.0.0"), "0.0.0.0:18080:80"),
        ("[::1]:18080:80", Port(port=80, here=18080, address="[::1]"), "[::1]:18080:80"),
    ],
)
def test_a_port_is_reached_from_this_machine_alone_unless_an_address_is_said(word, port, spelt):
    assert (parse_port(word), str(parse_port(word))) == (port, spelt)


@pytest.mark.parametrize(
    "word", ["http", "0", "65536", "8080:", ":80", "1:2:3:4", "--privileged", "80/udp", "-1", "٨٠"]
)
def test_what_is_no_port_is_told_with_what_is_one(word):
    with pytest.raises(InputError, match=r"--publish .*: it takes a port of the program, 8080, or one of yours"):
        parse_port(word)


def test_a_wrong_port_is_told_before_anything_is_built():
    options = RunOptions(cell="hello-world@scratch-musl", publish=("http",))
    with pytest.raises(InputError):
        run_cell(Project(root=ROOT), options, Processes(), io.StringIO())


def test_a_service_is_reached_by_its_own_ports_or_higher_ones_where_those_are_not_the_users():
    ports = choose_ports((), HEEDS, 1024)
    assert [(port.port, port.here) for port in ports] == [(80, 8080), (8080, 8080), (9000, 9000)]
    assert [port.url for port in ports] == ["http://127.0.0.1:8080/", "127.0.0.1:8080", "127.0.0.1:9000"]
    assert [port.here for port in choose_ports((), HEEDS, 0)] == [80, 8080, 9000]


def test_ports_that_are_asked_for_take_the_place_of_its_own_and_a_program_has_none_of_itself():
    asked = (Port(port=80, here=18080), Port(port=7, here=7))
    ports = choose_ports(asked, HEEDS, 1024)
    assert ports == asked
    assert [port.url for port in ports] == ["http://127.0.0.1:18080/", "127.0.0.1:7"]
    assert choose_ports(asked, None, 1024) == asked
    assert choose_ports((), None, 1024) == ()


def test_ctrl_c_stops_a_service_and_is_a_programs_own_affair_otherwise():
    number, term, hang_up = signal.SIGINT, signal.SIGTERM, signal.SIGHUP
    assert answers_of(None) == {number: (number, 0), term: (term, 10), hang_up: (hang_up, 10)}
    assert answers_of(HEEDS) == {number: (term, 10), term: (term, 10), hang_up: (term, 10)}
    assert answers_of(DEAF) == {number: (number, 1), term: (term, 1), hang_up: (hang_up, 1)}


@pytest.mark.starts_processes("a port is taken")
def test_a_port_that_somebody_has_is_told_with_the_words_that_take_another():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        number = taken.getsockname()[1]
        with pytest.raises(BareboatError, match=rf"port {number} of this machine: .*in use; --publish [0-9]+:80 "):
            check_free([Port(port=80, here=number)])
    check_free([Port(port=80, here=number)])
