"""The judgement of a run, on runs as values."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import pytest

from bareboat.check import runs
from bareboat.check.as_it_stands import Nowhere
from bareboat.check.runs import not_started
from bareboat.check.sockets import Sockets
from bareboat.engine.containers import RunReport
from bareboat.engine.fake import FakeEngine, Script
from bareboat.engine.images import Build
from bareboat.inputs.expectation import AS_IT_STANDS, Expectation, Served, Serving
from bareboat.inputs.limits import Limits
from bareboat.result.values import Ran

HELLO = Expectation(stdout="Hello\n")
LIMITS = Limits(memory_mb=256, processes=32)
judge_run, verify = partial(runs.judge_run, limits=LIMITS), partial(runs.verify, limits=LIMITS, inside=Nowhere())
NAMES = ("localhost/first:x", "localhost/second:x")


def ran(stdout=b"Hello\n", exit_code=0, stderr=b""):
    return RunReport(exit_code=exit_code, stdout=stdout, stderr=stderr)


def test_what_was_expected_passes():
    assert judge_run(ran(), HELLO) is None
    assert judge_run(ran(stdout=b"anything"), Expectation()) is None
    assert judge_run(ran(exit_code=3), Expectation(exit_code=3)) is None


@pytest.mark.parametrize(
    ("report", "reason", "detail"),
    [
        (ran(exit_code=None, stderr=b"waiting"), "did not end within 10 s", "waiting"),
        (ran(exit_code=101, stderr=b"panicked"), "exit code 101, not 0", "panicked"),
        (ran(stdout=b"Hello"), "its output differs", "+'Hello'"),
        (ran(stdout=b"\xff\n"), "its output differs", r"+'\\xff\n'"),
        (ran(stdout=b""), "its output differs", r"-'Hello\n'"),
    ],
)
def test_what_differs_is_told(report, reason, detail):
    failed = judge_run(report, HELLO)
    assert failed is not None
    assert (failed.stage, failed.reason) == ("run", reason)
    assert detail in failed.detail


@pytest.mark.parametrize(
    ("stderr", "reason"),
    [
        (b"thread 'main' panicked at src/main.rs:1:1:\nno more beans\n", None),
        (
            b"thread 'main' panicked at src/main.rs:1:1:\nno more bean\n",
            "its standard error does not have 'no more beans'",
        ),
        (b"", "its standard error does not have 'no more beans'"),
    ],
)
def test_what_must_be_in_the_standard_error_is_looked_for_there(stderr, reason):
    failed = judge_run(ran(exit_code=101, stderr=stderr), Expectation(exit_code=101, stderr_has="no more beans"))
    assert (failed.reason if failed else None) == reason
    if failed:
        assert failed.detail == stderr.decode()


def test_a_missing_last_newline_shows_in_the_difference():
    failed = judge_run(ran(stdout=b"Hello"), HELLO)
    assert failed is not None
    assert failed.detail.splitlines() == ["--- expected", "+++ actual", "@@ -1 +1 @@", r"-'Hello\n'", "+'Hello'"]


def test_a_long_output_is_cut_at_its_telling_end():
    failed = judge_run(ran(exit_code=1, stderr=b"x" * 9000 + b"the end"), HELLO)
    assert failed is not None
    assert failed.detail.endswith("the end")
    assert len(failed.detail) == 4000


@pytest.fixture
def engine(tmp_path):
    engine = FakeEngine(folder=tmp_path, script=lambda _image, _command: Script(stdout=b"Hello\n"))
    for name in NAMES:
        engine.build(Build(containerfile="", context=tmp_path, tag=name, labels={"of": name}), tmp_path / "log")
    return engine


def test_an_image_is_run_once_and_judged(engine):
    first, second = (engine.image(name).id for name in NAMES)
    verdict = verify(engine, first, (HELLO,))
    assert (verdict.failure, verdict.started) == (None, True)
    assert verify(engine, second, (Expectation(exit_code=1),)).failure is not None
    assert engine.ran == [first, second]


def test_every_expectation_is_a_run_until_one_fails(engine):
    wrong = Expectation(name="wrong", exit_code=1)
    verdict = verify(engine, NAMES[0], (HELLO, wrong, HELLO))
    assert verdict.failure.reason.startswith("run 'wrong': exit code 0")
    assert len(engine.ran) == 2


@pytest.mark.parametrize(
    ("exit_code", "stderr", "starts"),
    [
        (127, b"/a: error while loading shared libraries: libx.so: cannot open shared object file\n", False),
        (1, b"/a: /lib/libc.so.6: version `GLIBC_2.38' not found (required by /a)\n", False),
        (127, b"Error loading shared library libgcc_s.so.1: No such file or directory (needed by /a)\n", False),
        (127, b"Error relocating /a: strlcpy: symbol not found\n", False),
        (1, b"exec /a: no such file or directory\n", False),
        (0, b"error while loading shared libraries: said by a program that talks of loaders\n", True),
        (1, b"some other error\n", True),
        (None, b"", True),
    ],
)
def test_a_loader_that_gives_up_is_known_by_its_words(exit_code, stderr, starts):
    said = not_started(RunReport(exit_code=exit_code, stdout=b"", stderr=stderr))
    assert (said == "") == starts
    assert said in stderr.decode()


def test_what_the_runtime_refuses_did_not_start():
    report = RunReport(exit_code=None, stdout=b"", stderr=b"", refused="exec: no such file")
    assert not_started(report) == "exec: no such file"
    assert judge_run(report, HELLO).reason == "it did not start"


STD = b"""thread 'main' panicked at src/main.rs:3:24:
failed to spawn thread: Os { code: 11, kind: WouldBlock, message: "Resource temporarily unavailable" }
"""
TOKIO = b"thread 'main' panicked: OS can't spawn worker thread: Resource temporarily unavailable (os error 11)\n"
RAYON = b'ThreadPoolBuildError { kind: IOError(Os { code: 11, kind: WouldBlock, message: "x" }) }\n'
RUNC = "runc: runtime: failed to create new OS thread (have 2 already; errno=11)"
MEMORY, PROCESSES = "killed for memory at 256 MB", "could not make a thread or process: 32 is the limit"


@pytest.mark.parametrize(
    ("report", "reason"),
    [
        (RunReport(exit_code=137, stdout=b"", stderr=b"", out_of_memory=True), MEMORY),
        (RunReport(exit_code=None, stdout=b"", stderr=b"", refused="container init was OOM-killed"), MEMORY),
        (ran(exit_code=101, stderr=STD), PROCESSES),
        (ran(exit_code=101, stderr=TOKIO), PROCESSES),
        (ran(exit_code=101, stderr=RAYON), PROCESSES),
        (ran(exit_code=2, stderr=b"/bin/sh: 1: Cannot fork: Resource temporarily unavailable\n"), PROCESSES),
        (RunReport(exit_code=None, stdout=b"", stderr=b"", refused=RUNC), PROCESSES),
        (ran(exit_code=None, stderr=TOKIO), PROCESSES),
        (ran(stdout=b"", stderr=STD), PROCESSES),
        (ran(exit_code=137), "killed by SIGKILL, most likely for memory at 256 MB"),
        # The same words of a socket that would block.
        (ran(exit_code=1, stderr=b"read: Resource temporarily unavailable (os error 11)\n"), "exit code 1, not 0"),
    ],
)
def test_the_limit_that_was_hit_is_the_reason(report, reason):
    assert judge_run(report, HELLO).reason == reason
    assert judge_run(report, replace(HELLO, name="x")).reason == f"run 'x': {reason}"


def test_a_run_that_copes_with_a_limit_passes():
    assert judge_run(ran(stderr=TOKIO), HELLO) is None


def test_what_came_to_a_limit_is_not_said_not_to_have_started(engine):
    for script in (Script(memory_mb=257), Script(refused=RUNC), Script(processes=33, stdout=b"Hello\n")):
        engine.script = lambda _image, _command, script=script: script
        verdict = verify(engine, NAMES[0], (HELLO,))
        assert (verdict.started, verdict.said) == (True, "")
        assert verdict.failure.reason == (MEMORY if script.memory_mb else PROCESSES)


PANIC = b"""
thread 'main' (1) panicked at src/main.rs:3:24:
no config
note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace
"""
USAGE = b"""error: the following required arguments were not provided:
  <FILE>

Usage: app <FILE>

For more information, try '--help'.
"""
LOOKUP = b"Error: failed to lookup address information: Temporary failure in name resolution\n"
GIVES = "--network gives it one, and so does `network = true` in [package.metadata.bareboat]"
LOADER = b"/a: error while loading shared libraries: libx.so: cannot open shared object file\n"


@pytest.mark.parametrize(
    "report",
    [
        ran(),
        ran(exit_code=None, stderr=LOOKUP + PANIC),
        ran(exit_code=2, stderr=USAGE),
        ran(exit_code=1, stderr=b"Error: no such profile\n"),
        ran(exit_code=3),
        ran(exit_code=101),
        ran(stdout=b"anything", stderr=LOOKUP),
    ],
    ids=["well", "runs on", "usage", "its own error", "its own code", "101 in silence", "copes without a network"],
)
def test_of_what_is_as_it_stands_any_end_of_its_own_will_do(report):
    assert judge_run(report, AS_IT_STANDS) is None


@pytest.mark.parametrize(
    ("report", "reason"),
    [
        (ran(exit_code=139), "SIGSEGV ended it"),
        (ran(exit_code=134, stderr=b"fatal runtime error: stack overflow\n"), "SIGABRT ended it"),
        (ran(exit_code=132), "SIGILL ended it"),
        (ran(exit_code=101, stderr=PANIC), "it panicked at src/main.rs:3:24: no config"),
        (ran(exit_code=134, stderr=PANIC), "it panicked at src/main.rs:3:24: no config"),
        (ran(exit_code=1, stderr=LOOKUP), f"it lacks a network: runs have none but loopback; {GIVES}"),
        (
            ran(exit_code=1, stderr=b"Error: Read-only file system (os error 30)\n"),
            "it lacks a place to write to: but for /tmp, its root file system is read-only",
        ),
        (
            ran(exit_code=101, stderr=PANIC.replace(b"no config", b"no CA certificates found")),
            "it lacks the certificates of authorities; provision 'certs' brings it aboard",
        ),
        (ran(exit_code=127, stderr=LOADER), "it did not start"),
        (RunReport(exit_code=None, stdout=b"", stderr=b"", refused="exec: no such file"), "it did not start"),
        (ran(exit_code=137), "killed by SIGKILL, most likely for memory at 256 MB"),
        (RunReport(exit_code=137, stdout=b"", stderr=b"", out_of_memory=True), MEMORY),
        (ran(exit_code=101, stderr=STD), PROCESSES),
    ],
)
def test_what_is_as_it_stands_fails_by_a_fault_of_its_own_alone(report, reason):
    failed = judge_run(report, AS_IT_STANDS)
    assert (failed.stage, failed.reason) == ("run", reason)
    assert judge_run(report, replace(AS_IT_STANDS, name="x")).reason == f"run 'x': {reason}"


def test_the_detail_of_a_fault_is_what_the_program_said():
    assert judge_run(ran(exit_code=1, stderr=LOOKUP), AS_IT_STANDS).detail == LOOKUP.decode()
    assert judge_run(ran(exit_code=127, stderr=LOADER), AS_IT_STANDS).detail == LOADER.decode().strip()


def test_a_run_of_which_nothing_is_expected_shows_what_the_program_did(engine):
    assert verify(engine, NAMES[0], (HELLO,)).ran is None
    assert verify(engine, NAMES[0], (AS_IT_STANDS, HELLO)).ran == Ran(exit_code=0)
    engine.script = lambda _image, _command: Script(exit_code=None, on_signal={"SIGTERM": 0})
    shown = verify(engine, NAMES[0], (replace(AS_IT_STANDS, timeout_seconds=0.01),))
    assert (shown.failure, shown.started, shown.ran.running, shown.ran.exit_code) == (None, True, True, 0)
    assert engine.signals[0][1] == "SIGTERM"


def test_a_run_of_which_nothing_is_expected_has_its_arguments_and_its_limits(engine):
    run = replace(AS_IT_STANDS, arguments=("--once",))
    verify(engine, NAMES[0], (run,))
    verify(engine, NAMES[0], (run,), has=lambda path: path == "/tmp")
    plain, spacious = engine.started.values()
    assert (plain.command, plain.limits, plain.tmp) == (("--once",), LIMITS, False)
    assert spacious == replace(plain, tmp=True)


def test_what_did_not_start_did_nothing_that_could_be_shown(engine):
    for script in (Script(exit_code=127, stderr=LOADER), Script(refused="exec: no such file")):
        engine.script = lambda _image, _command, script=script: script
        verdict = verify(engine, NAMES[0], (AS_IT_STANDS,))
        assert (verdict.failure.reason, verdict.started, verdict.ran) == ("it did not start", False, None)
    engine.script = lambda _image, _command: Script(exit_code=139)
    verdict = verify(engine, NAMES[0], (AS_IT_STANDS,))
    assert (verdict.failure.reason, verdict.started, verdict.ran) == ("SIGSEGV ended it", True, Ran(exit_code=139))


def test_what_the_image_has_is_no_reason_and_a_crash_outranks_words():
    said = b'cannot read "/tmp/input.csv": No such file or directory (os error 2)\n'
    assert judge_run(ran(exit_code=1, stderr=said), AS_IT_STANDS).reason.startswith("it lacks a folder")
    assert judge_run(ran(exit_code=1, stderr=said), AS_IT_STANDS, has=lambda path: path == "/tmp") is None
    assert judge_run(ran(exit_code=139, stderr=said), AS_IT_STANDS).reason == "SIGSEGV ended it"
    assert judge_run(ran(exit_code=134, stderr=said), AS_IT_STANDS).reason.startswith("it lacks a folder")


def test_a_run_has_a_network_where_it_says_so_and_else_none(engine, monkeypatch):
    networks = []
    run = engine.run
    monkeypatch.setattr(engine, "run", lambda *words, **more: networks.append(more["network"]) or run(*words, **more))
    for network in (False, True):
        verify(engine, NAMES[0], (replace(AS_IT_STANDS, network=network), replace(HELLO, network=network)))
    assert [start.network for start in engine.started.values()] == networks == ["none", "outside"]


def test_with_a_network_it_is_no_reason_that_runs_have_none():
    failed = judge_run(ran(exit_code=1, stderr=LOOKUP), replace(AS_IT_STANDS, network=True))
    assert failed.reason == "its run had a network, and it did not reach there what it asked for"
    waiting = Ran(running=True, waits=True)
    assert judge_run(ran(exit_code=None), replace(AS_IT_STANDS, network=True), ran=waiting) is None


WAITING = f"it waits for a network: runs have none but loopback; {GIVES}"


@pytest.mark.parametrize(
    ("shown", "stderr", "reason"),
    [
        (Ran(running=True, waits=True), b"", WAITING),
        (Ran(running=True), b"retrying: Network is unreachable (os error 101)\n", WAITING),
        (Ran(running=True), b"started\n", None),
        (Ran(running=True, ports=(80,), answers=("",)), LOOKUP, None),
        (Ran(running=True, udp_ports=(53,)), LOOKUP, None),
        (Ran(exit_code=0), LOOKUP, None),
    ],
)
def test_what_runs_on_and_listens_nowhere_may_wait_for_a_network(shown, stderr, reason):
    failed = judge_run(ran(exit_code=None, stderr=stderr), AS_IT_STANDS, ran=shown)
    assert (failed and failed.reason) == reason


@dataclass
class Sees:
    """Looks into a container that listens on a port and answers."""

    port: int
    answer: str

    def sockets(self, process):
        del process
        return Sockets(listening=(self.port,))

    def ask(self, process, port, path="/"):
        del process, port, path
        return self.answer

    def peak_bytes(self, process):
        del process


SERVICE = Served(
    arguments=("--serve",),
    serving=Serving(port=80, ready="/healthz", environment={"TOKEN": "x"}, arguments=("--serve",)),
    timeout_seconds=0.01,
)
HEEDS = Script(exit_code=None, on_signal={"SIGTERM": 1}, stderr=b"hm\n")


@pytest.mark.parametrize(
    ("script", "inside", "reason"),
    [
        (HEEDS, Sees(80, "HTTP 204"), None),
        (HEEDS, Sees(81, "HTTP 204"), "it was to listen on port 80 within 0.01 s, and listens on 81"),
        (HEEDS, Sees(80, "no HTTP"), "it was to answer /healthz with a status below 400, and 80 answered no HTTP"),
        (Script(exit_code=None), Sees(80, "HTTP 204"), "it was to end within 3 s of SIGTERM, and did not"),
        (Script(exit_code=0), Sees(80, "HTTP 204"), "it was to run on, and ended with exit code 0"),
        # What it says itself goes before.
        (
            Script(exit_code=1, stderr=LOOKUP),
            Sees(80, "HTTP 204"),
            f"it lacks a network: runs have none but loopback; {GIVES}",
        ),
        (Script(exit_code=127, stderr=LOADER), Sees(80, ""), "it did not start"),
        # Of what is elsewhere nothing is seen.
        (HEEDS, Nowhere(), None),
    ],
)
def test_a_service_is_held_to_what_its_crate_says(engine, script, inside, reason):
    engine.script = lambda _image, _command: script
    verdict = runs.verify(engine, NAMES[0], (SERVICE,), LIMITS, inside)
    assert (verdict.failure and verdict.failure.reason) == reason
    (start,) = engine.started.values()
    assert (start.command, dict(start.environment)) == (("--serve",), {"TOKEN": "x"})
    without = runs.verify(engine, NAMES[0], (replace(AS_IT_STANDS, timeout_seconds=0.01),), LIMITS, Sees(81, ""))
    assert without.failure is None or script.exit_code
