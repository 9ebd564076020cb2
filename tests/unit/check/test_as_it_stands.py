"""A program as it stands: whether it ends, listens or runs on, what answers on its ports, and how it heeds SIGTERM."""

from __future__ import annotations

import contextlib
import http.server
import os
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field, replace

import pytest

from bareboat.check import as_it_stands, ask_port, sockets
from bareboat.check.as_it_stands import Namespaces, Nowhere, run_as_it_stands
from bareboat.check.sockets import Sockets
from bareboat.engine.containers import Start
from bareboat.engine.fake import FakeEngine, Script
from bareboat.engine.images import Build
from bareboat.errors import BareboatError, EngineError
from bareboat.inputs.expectation import Serving
from bareboat.result.values import Ran
from bareboat.system.process import Processes

NAME = "localhost/standing:x"
SERVES = Script(exit_code=None, stdout=b"out", stderr=b"err", on_signal={"SIGTERM": 0})


@dataclass
class Seen:
    """Sees these TCP ports or sockets, one row at each look and the last for ever, and gets these answers."""

    rows: list[tuple[int, ...] | Sockets]
    answers: dict[int, str] = field(default_factory=dict)
    asked: list[tuple[int, int]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    looked: list[int] = field(default_factory=list)

    def sockets(self, process):
        self.looked.append(process)
        row = self.rows.pop(0) if len(self.rows) > 1 else self.rows[0]
        return row if isinstance(row, Sockets) else Sockets(listening=row)

    def ask(self, process, port, path="/"):
        self.asked.append((process, port))
        self.paths.append(path)
        answer = self.answers.get(port, "")
        return answer if isinstance(answer, str) else answer.pop(0)

    def peak_bytes(self, process):
        self.looked.append(process)
        return 4096


@pytest.fixture
def engine(tmp_path):
    engine = FakeEngine(folder=tmp_path)
    engine.build(Build(containerfile="", context=tmp_path, tag=NAME, labels={}), tmp_path / "log")
    return engine


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr(as_it_stands, "_LOOKED_SECONDS", 0.001)
    monkeypatch.setattr(as_it_stands, "_MORE_PORTS_SECONDS", 0.001)


@pytest.fixture
def stand(engine):
    """Runs a program that does as a script says."""

    def stand(script, inside, seconds=10.0, serving=None):
        engine.script = lambda _image, _command: script
        try:
            return run_as_it_stands(engine, Start(image=NAME), seconds, inside, serving)
        finally:
            assert engine.containers == (), "no container stays"

    return stand


@pytest.mark.parametrize("code", [0, 2, 3])
def test_what_ends_by_itself_shows_its_code_and_is_told_nothing(stand, engine, code):
    inside = Seen([(8080,)])
    report, ran = stand(Script(exit_code=code, stdout=b"out", stderr=b"err"), inside)
    assert (report.exit_code, report.stdout, report.stderr) == (code, b"out", b"err")
    assert ran == Ran(exit_code=code, said="err")
    assert (engine.signals, inside.looked, inside.asked) == ([], [], [])


@pytest.mark.parametrize(
    ("stderr", "said"),
    [
        (b"", ""),
        (b"starting\nERROR: no FILE\nsee --help\n\n", "ERROR: no FILE"),
        (b"one\n  two \n\n", "two"),
        (b"\xff" + b"x" * 999, "\ufffd" + "x" * 299),
    ],
)
def test_the_line_that_tells_most_is_kept(stand, stderr, said):
    _, ran = stand(Script(exit_code=1, stderr=stderr), Seen([()]))
    assert ran.said == said


def test_what_is_refused_is_a_report_too(stand):
    report, ran = stand(Script(refused="exec: no such file"), Seen([()]))
    assert (report.refused, report.exit_code) == ("exec: no such file", None)
    assert ran == Ran()


def test_another_fault_of_the_engine_is_none_of_the_programs(engine):
    with pytest.raises(BareboatError, match="there is no image nowhere"):
        run_as_it_stands(engine, Start(image="nowhere"), 1.0, Nowhere())


@pytest.mark.parametrize("code", [0, 1, 101, 143])
def test_what_listens_is_asked_and_told_to_end_and_its_code_is_no_fault(stand, engine, code):
    inside = Seen([(), (80,), (80, 443)], {80: "HTTP 200", 443: "no HTTP"})
    report, ran = stand(Script(exit_code=None, stderr=b"err", on_signal={"SIGTERM": code}), inside)
    assert (report.exit_code, report.stderr) == (None, b"err")
    assert (ran.running, ran.ports, ran.answers, ran.exit_code) == (True, (80, 443), ("HTTP 200", "no HTTP"), code)
    assert ran.listen_seconds is not None
    assert 0 <= ran.stop_seconds < as_it_stands.STOP_SECONDS
    assert [name for _, name in engine.signals] == ["SIGTERM"]
    (process,) = set(inside.looked)
    assert inside.asked == [(process, 80), (process, 443)]


def test_what_listens_and_heeds_nothing_is_killed(stand):
    report, ran = stand(Script(exit_code=None), Seen([(80,)], {80: "HTTP 404"}))
    assert (report.exit_code, ran.exit_code, ran.stop_seconds) == (None, None, None)
    assert (ran.running, ran.ports, ran.answers) == (True, (80,), ("HTTP 404",))


def test_a_port_that_cannot_be_asked_is_told_all_the_same(stand):
    _, ran = stand(SERVES, Seen([(80,)]))
    assert (ran.ports, ran.answers) == ((80,), ("",))


def test_ports_that_are_seen_no_more_were_listened_on(stand):
    _, ran = stand(SERVES, Seen([(80,), ()]))
    assert ran.ports == (80,)


@pytest.mark.parametrize("inside", [Nowhere(), Seen([()])], ids=["elsewhere", "here"])
def test_what_runs_on_without_listening_is_told_to_end_when_its_time_is_over(stand, engine, inside):
    report, ran = stand(SERVES, inside, seconds=0.05)
    assert (report.exit_code, report.stdout) == (None, b"out")
    assert (ran.running, ran.ports, ran.answers, ran.listen_seconds, ran.exit_code) == (True, (), (), None, 0)
    assert [name for _, name in engine.signals] == ["SIGTERM"]


def test_a_port_of_udp_that_stays_is_a_servers_where_none_of_tcp_is_there(stand, monkeypatch):
    monkeypatch.setattr(as_it_stands, "_BOUND_SOON", 1.0)
    udp = Sockets(bound=(53, 40000))
    _, ran = stand(SERVES, Seen([udp]), seconds=0.05)
    assert (ran.running, ran.ports, ran.answers, ran.udp_ports, ran.waits) == (True, (), (), (53,), False)
    assert ran.listen_seconds is not None
    _, ran = stand(SERVES, Seen([udp, replace(udp, listening=(80,))], {80: "HTTP 200"}))
    assert (ran.ports, ran.udp_ports) == ((80,), ())


FIRST, SECOND = Sockets(bound=(40000,)), Sockets(bound=(50000,))


@pytest.mark.parametrize(
    "rows", [[Sockets(asks=True)], [FIRST, FIRST, SECOND, SECOND]], ids=["one that is called", "musl's name server"]
)
def test_what_asks_others_when_its_time_is_over_waits(stand, rows, monkeypatch):
    monkeypatch.setattr(sockets, "_LONG_SECONDS", 0.0)
    _, ran = stand(SERVES, Seen(rows), seconds=0.05)
    assert (ran.running, ran.ports, ran.udp_ports, ran.listen_seconds, ran.waits) == (True, (), (), None, True)


def test_the_port_that_is_named_is_waited_for(stand):
    inside = Seen([(9090,), (9090,), (80, 9090)], {80: "HTTP 200", 9090: "HTTP 404"})
    _, ran = stand(SERVES, inside, serving=Serving(port=80, ready="/healthz"))
    assert (ran.ports, ran.answers) == ((80, 9090), ("HTTP 200", "HTTP 404"))
    assert inside.paths == ["/healthz", "/"]
    _, ran = stand(SERVES, Seen([(9090,)]), seconds=0.05, serving=Serving(port=80))
    assert (ran.ports, ran.udp_ports) == ((9090,), ())


def test_the_port_that_is_named_may_be_one_of_udp_wherever_it_is(stand):
    _, ran = stand(SERVES, Seen([Sockets(bound=(53, 51820))]), serving=Serving(port=51820, ready=""))
    assert (ran.udp_ports, ran.waits) == ((51820,), False)


def test_a_port_of_udp_waits_a_moment_for_the_one_of_tcp(stand):
    inside = Seen([Sockets(bound=(443,)), Sockets(bound=(443,), listening=(443,))], {443: "HTTP 200"})
    _, ran = stand(SERVES, inside, serving=Serving(port=443))
    assert (ran.ports, ran.udp_ports, ran.answers) == ((443,), (), ("HTTP 200",))


def test_a_service_is_asked_again_until_it_is_ready(stand, monkeypatch):
    monkeypatch.setattr(as_it_stands, "_ASKED_SECONDS", 0.001)
    inside = Seen([(80,)], {80: ["", "HTTP 503", "HTTP 200", "HTTP 500"]})
    _, ran = stand(SERVES, inside, serving=Serving())
    assert (ran.answers, len(inside.asked)) == (("HTTP 200",), 3)
    _, ran = stand(SERVES, Seen([(80,)], {80: "HTTP 503"}), seconds=0.01, serving=Serving())
    assert ran.answers == ("HTTP 503",)


def test_a_service_that_is_to_be_ready_for_nothing_is_asked_once(stand):
    inside = Seen([(80,)], {80: "no HTTP"})
    _, ran = stand(SERVES, inside, serving=Serving(ready=""))
    assert (ran.answers, inside.paths) == (("no HTTP",), ["/"])


def test_a_service_has_its_own_time_to_end(stand, engine, monkeypatch):
    given = []
    finish = engine.finish
    monkeypatch.setattr(
        engine, "finish", lambda container, seconds: given.append(seconds) or finish(container, seconds)
    )
    stand(SERVES, Seen([(80,)], {80: "HTTP 200"}), serving=Serving(stop_seconds=7.5))
    stand(SERVES, Seen([(80,)]))
    assert given == [7.5, as_it_stands.STOP_SECONDS]


def test_a_service_that_ends_while_it_is_asked_is_asked_no_more(stand, engine):
    script = Script(exit_code=None, on_signal={"SIGABRT": 134})
    report, ran = stand(script, Ends(engine, "ask", "SIGABRT"), seconds=60.0, serving=Serving())
    assert (report.exit_code, ran.running, ran.exit_code) == (134, False, 134)


@dataclass
class Ends:
    """Looks into a container which ends with a signal at a moment: when its sockets are looked at, or when it is asked.

    It listens only where it ends when it is asked.
    """

    engine: FakeEngine
    moment: str
    signal: str

    def _end(self):
        (container,) = self.engine.containers
        self.engine.signal(container, self.signal)

    def sockets(self, process):
        del process
        if self.moment == "sockets":
            self._end()
        return Sockets() if self.moment == "sockets" else Sockets(listening=(80,))

    def ask(self, process, port, path="/"):
        del process, port, path
        self._end()
        return ""


def test_what_ends_while_it_is_watched_ended_by_itself(stand, engine):
    report, ran = stand(Script(exit_code=None, on_signal={"SIGABRT": 134}), Ends(engine, "sockets", "SIGABRT"))
    assert (report.exit_code, ran) == (134, Ran(exit_code=134))
    assert "SIGTERM" not in {name for _, name in engine.signals}


def test_what_ends_by_itself_after_it_listened_is_judged_by_how_it_ended(stand, engine):
    report, ran = stand(Script(exit_code=None, on_signal={"SIGABRT": 134}), Ends(engine, "ask", "SIGABRT"))
    assert report.exit_code == 134
    assert (ran.running, ran.ports, ran.exit_code, ran.stop_seconds) == (False, (80,), 134, None)


@pytest.mark.parametrize("method", ["sockets", "ask"])
@pytest.mark.parametrize("error", [BareboatError("lost"), KeyboardInterrupt()], ids=["fault", "Ctrl-C"])
def test_the_container_is_discarded_whatever_happens(engine, monkeypatch, method, error):
    def fail(*_):
        raise error

    inside = Seen([(80,)])
    monkeypatch.setattr(inside, method, fail)
    engine.script = lambda _image, _command: SERVES
    with pytest.raises(type(error)):
        run_as_it_stands(engine, Start(image=NAME), 10.0, inside)
    assert len(engine.started) == 1
    assert engine.containers == ()


@contextlib.contextmanager
def bound(host="127.0.0.1", *, listening=True):
    """A socket at a free port of the loopback, which takes connections and says nothing; and the port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as server:
        try:
            server.bind((host, 0))
        except OSError:
            pytest.skip(f"this machine has no {host}")
        if listening:
            server.listen()
        yield server, server.getsockname()[1]


class Pages(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response({"/": 200, "/healthz": 204}.get(self.path, 500))
        self.end_headers()

    def log_message(self, *_):
        pass


class Pages6(http.server.HTTPServer):
    address_family = socket.AF_INET6


@contextlib.contextmanager
def serving(host="127.0.0.1", pages=Pages):
    """A web server of this process on the loopback; its port."""
    try:
        server = (Pages6 if ":" in host else http.server.HTTPServer)((host, 0), pages)
    except OSError:
        pytest.skip(f"this machine has no {host}")
    with server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


@contextlib.contextmanager
def saying(words):
    """Something that answers a connection with these words; its port."""
    with bound() as (server, port):

        def answer():
            connection, _ = server.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(words)

        thread = threading.Thread(target=answer)
        thread.start()
        yield port
        thread.join()


asks = pytest.mark.starts_processes("a socket of this process is asked")


@asks
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_web_server_is_asked_for_its_first_page(host):
    with serving(host) as port:
        assert ask_port.ask(port) == "HTTP 200"


@asks
def test_the_status_is_told_whatever_it_is():
    class Busy(Pages):
        def do_GET(self):
            self.send_error(503)

    with serving(pages=Busy) as port:
        assert ask_port.ask(port) == "HTTP 503"


@asks
@pytest.mark.parametrize(
    "words", [b"", b"SSH-2.0-x\r\n", b"\x15\x03\x01\x00\x02\x02\x46", b"HTTP/1.1 what\r\n\r\n", b"HTTP/1.1 200"]
)
def test_what_answers_otherwise_is_no_http(words):
    expected = "HTTP 200" if words == b"HTTP/1.1 200" else "no HTTP"
    with saying(words) as port:
        assert ask_port.ask(port) == expected


@asks
def test_what_says_nothing_is_waited_for_and_is_no_http(monkeypatch):
    monkeypatch.setattr(ask_port, "SECONDS", 0.05)
    with bound() as (_, port):
        begin = time.monotonic()
        assert ask_port.ask(port) == "no HTTP"
        assert time.monotonic() - begin < 5


@asks
def test_what_takes_no_connection_answers_nothing():
    with bound(listening=False) as (_, port):
        assert ask_port.ask(port) == ""


@pytest.mark.starts_processes("the question is a program of its own")
@pytest.mark.parametrize("user", [0, 1000])
def test_the_question_is_asked_in_the_namespace_by_python_alone(monkeypatch, user):
    said = []

    class Entering(Processes):
        """Enters nothing, for which it would need rights, and asks here."""

        def run(self, argv, **_):
            said.append(list(argv))
            command = argv[argv.index("--") + 1 :]
            return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout

    monkeypatch.setattr(os, "geteuid", lambda: user)
    inside = Namespaces(processes=Entering())
    with serving() as port:
        assert inside.ask(77, port) == "HTTP 200"
        assert inside.ask(77, port, "/healthz") == "HTTP 204"
    with bound(listening=False) as (_, port):
        assert inside.ask(77, port) == ""
    entering = ["nsenter", "--target=77", *([] if user == 0 else ["--user", "--preserve-credentials"]), "--net"]
    assert [words[: words.index("--")] for words in said] == [entering] * 3
    assert {words[words.index("--") + 1] for words in said} == {sys.executable}


def test_a_namespace_that_lets_nobody_in_answers_nothing():
    class Refusing(Processes):
        def run(self, argv, **_):
            raise EngineError(argv[0], 1, ["nsenter: reassociate to namespace failed: Operation not permitted"])

    assert Namespaces(processes=Refusing()).ask(77, 80) == ""


def test_elsewhere_nothing_is_seen():
    assert (Nowhere().sockets(os.getpid()), Nowhere().ask(os.getpid(), 80)) == (Sockets(), "")


def test_the_memory_of_a_process_of_this_machine_is_seen():
    assert 2**20 < Namespaces(processes=Processes()).peak_bytes(os.getpid()) < 2**40
    assert Namespaces(processes=Processes()).peak_bytes(2**22 + 1) is None
    assert Nowhere().peak_bytes(os.getpid()) is None


def test_of_many_ports_the_first_few_are_asked(stand):
    inside = Seen([tuple(range(1, 21))], answers=dict.fromkeys(range(1, 21), "HTTP 200"))
    _, ran = stand(Script(exit_code=None, on_signal={"SIGTERM": 0}), inside)
    assert ran.ports == tuple(range(1, 21))
    assert ran.answers == ("HTTP 200",) * 8 + ("",) * 12


def test_of_many_ports_the_services_own_is_asked_wherever_it_stands(stand):
    inside = Seen([tuple(range(1, 21))], answers=dict.fromkeys(range(1, 21), "HTTP 200"))
    _, ran = stand(SERVES, inside, serving=Serving(port=20))
    assert ran.answers == ("HTTP 200",) * 8 + ("",) * 11 + ("HTTP 200",)
