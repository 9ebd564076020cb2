"""What is open in a network namespace, as the kernel tells it: rows as Linux writes them."""

from __future__ import annotations

import contextlib
import os
import socket

import pytest

from bareboat.check.sockets import Sockets, Watched, parse_sockets, read_sockets

HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
REST = "00000000:00000000 00:00000000 00000000     0        0 635 1 00000000dc84f400 100 0 0 10 0"
ANY, LOOPBACK = "00000000", "0100007F"
MAPPED = "0000000000000000FFFF00000100007F"
ANY6, LOOPBACK6 = "0" * 32, "00000000000000000000000001000000"


def table(*rows):
    return HEAD + "".join(f"{number:5}: {row} {REST}\n" for number, row in enumerate(rows))


def parse(**tables):
    return parse_sockets(lambda name: tables.get(name, HEAD))


@pytest.mark.parametrize(
    ("tables", "seen"),
    [
        ({}, Sockets()),
        ({"tcp": f"{ANY}:1F90 {ANY}:0000 0A", "tcp6": f"{ANY6}:0050 {ANY6}:0000 0A"}, Sockets(listening=(80, 8080))),
        ({"tcp": f"{ANY}:1F90 {ANY}:0000 0A", "tcp6": f"{ANY6}:1F90 {ANY6}:0000 0A"}, Sockets(listening=(8080,))),
        (
            {"tcp": f"{LOOPBACK}:1F90 {ANY}:0000 0A", "tcp6": f"{LOOPBACK6}:0050 {ANY6}:0000 0A"},
            Sockets(listening=(80, 8080), local=(80, 8080)),
        ),
        ({"tcp6": f"{MAPPED}:0050 {ANY6}:0000 0A"}, Sockets(listening=(80,), local=(80,))),
        # On loopback and elsewhere.
        ({"tcp": f"{LOOPBACK}:0050 {ANY}:0000 0A", "tcp6": f"{ANY6}:0050 {ANY6}:0000 0A"}, Sockets(listening=(80,))),
        ({"tcp": f"7F00000A:0050 {ANY}:0000 0A"}, Sockets(listening=(80,))),
        # A connection that stands, and one that was closed.
        ({"tcp": f"{LOOPBACK}:1F90 {LOOPBACK}:D908 01"}, Sockets()),
        ({"tcp": f"{LOOPBACK}:D908 {LOOPBACK}:1F90 06"}, Sockets()),
        ({"tcp": "0100A8C0:D908 0200A8C0:1538 02"}, Sockets(asks=True)),
        ({"udp": f"{ANY}:0035 {ANY}:0000 07", "udp6": f"{ANY6}:14E9 {ANY6}:0000 07"}, Sockets(bound=(53, 5353))),
        # musl asks from a port that everybody may send to, glibc from one that is connected.
        ({"udp": f"{ANY}:D908 {ANY}:0000 07"}, Sockets(bound=(0xD908,))),
        ({"udp": f"{LOOPBACK}:D908 {LOOPBACK}:0035 01"}, Sockets(asks=True)),
        ({"udp6": f"{LOOPBACK6}:D908 {LOOPBACK6}:0035 01"}, Sockets(asks=True)),
        # Connected to something else; and made, but not bound.
        ({"udp": f"{LOOPBACK}:D908 {LOOPBACK}:1FBD 01"}, Sockets()),
        ({"udp": f"{ANY}:0000 {ANY}:0000 07"}, Sockets()),
    ],
)
def test_each_state_of_the_kernels_means_one_thing(tables, seen):
    assert parse(**{name: table(row) for name, row in tables.items()}) == seen


def test_of_a_process_that_has_ended_nothing_is_seen():
    assert parse_sockets(lambda _: "") == read_sockets(2**22 + 1) == Sockets()


def test_a_port_is_had_whichever_way():
    sockets = Sockets(listening=(80,), bound=(53,))
    assert [sockets.has(port) for port in (80, 53, 81)] == [True, True, False]


def watch(*moments):
    watched = Watched()
    for moment, sockets in enumerate(moments):
        watched.note(sockets, float(moment))
    return watched


def test_a_server_stays_at_its_port():
    server, asking = Sockets(bound=(5353,)), Sockets(bound=(5353, 40000))
    watched = watch(Sockets(), server, server, asking)
    assert watched.servers(since=1.0) == (5353,)
    assert watched.servers(since=0.5) == ()


def test_a_port_that_was_left_is_bound_since_it_was_taken_again():
    assert watch(Sockets(bound=(53,)), Sockets(), Sockets(bound=(53,))).servers(since=1.0) == ()


FIRST, SECOND = Sockets(bound=(40000,)), Sockets(bound=(50000,))


@pytest.mark.parametrize(
    ("moments", "waits"),
    [
        ((Sockets(),) * 6, False),
        # A socket to send from, as of what sends figures to somebody: at once, or later, or two.
        ((FIRST,) * 6, False),
        ((Sockets(), Sockets(), Sockets(), FIRST, FIRST, FIRST), False),
        ((FIRST, FIRST, FIRST, *(Sockets(bound=(40000, 50000)),) * 3), False),
        # As musl asks and asks again, at once or after a pause.
        ((FIRST, FIRST, FIRST, SECOND, SECOND, SECOND), True),
        ((FIRST, FIRST, FIRST, Sockets(), SECOND, SECOND), True),
        ((FIRST, FIRST, SECOND, SECOND, SECOND, Sockets()), True),
        # It has its answer at once, or asks no more.
        ((FIRST, SECOND, FIRST, SECOND, FIRST, SECOND), False),
        ((FIRST, FIRST, SECOND, SECOND, Sockets(), Sockets()), False),
        ((FIRST, FIRST, FIRST, Sockets(), Sockets(), Sockets()), False),
        # hickory takes ports below those of Linux's choice, which is not seen.
        ((*(Sockets(bound=(2000,)),) * 3, *(Sockets(bound=(3000,)),) * 3), False),
        ((*(Sockets(),) * 5, Sockets(asks=True)), True),
        ((*(Sockets(),) * 4, Sockets(asks=True), Sockets()), True),
        ((Sockets(), Sockets(asks=True), *(Sockets(),) * 4), False),
    ],
)
def test_who_waits_has_asked_not_long_ago(moments, waits):
    assert watch(*moments).waits(since=4.0) == waits


def test_the_first_moment_of_listening_is_kept():
    watched = watch(Sockets(), Sockets(listening=(1,)), Sockets(listening=(1, 2)), Sockets())
    assert (watched.listened_at, watched.now) == (1.0, Sockets())


@contextlib.contextmanager
def open_socket(kind, host):
    """A socket of this process at a free port of the loopback, bound; and the port."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, kind) as server:
        try:
            server.bind((host, 0))
        except OSError:
            pytest.skip(f"this machine has no {host}")
        yield server, server.getsockname()[1]


opens = pytest.mark.starts_processes("a socket of this process is what is looked for")


@opens
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_the_tcp_ports_are_those_that_are_listened_on(host):
    with open_socket(socket.SOCK_STREAM, host) as (server, port), open_socket(socket.SOCK_STREAM, host) as (_, silent):
        server.listen()
        seen = read_sockets(os.getpid())
        assert port in seen.listening
        assert port in seen.local
        assert silent not in seen.listening
        with socket.create_connection((host, port)) as client:
            assert client.getsockname()[1] not in read_sockets(os.getpid()).listening
        server.close()
        assert port not in read_sockets(os.getpid()).listening


@opens
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_the_udp_ports_are_those_that_are_connected_to_nobody(host):
    with open_socket(socket.SOCK_DGRAM, host) as (server, port):
        assert port in read_sockets(os.getpid()).bound
        server.connect((host, 9))
        assert port not in read_sockets(os.getpid()).bound
        server.connect((host, 53))
        assert read_sockets(os.getpid()).asks
