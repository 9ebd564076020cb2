"""The judgement of a run, on runs as values."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest

from bareboat.check import runs
from bareboat.check.runs import not_started
from bareboat.engine.containers import RunReport
from bareboat.engine.fake import FakeEngine, Script
from bareboat.engine.images import Build
from bareboat.inputs.limits import Limits
from bareboat.inputs.sample import Expectation

HELLO = Expectation(stdout="Hello\n")
LIMITS = Limits(memory_mb=256, processes=32)
judge_run, verify = partial(runs.judge_run, limits=LIMITS), partial(runs.verify, limits=LIMITS)
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
