"""The judgement of a run, on runs as values."""

from __future__ import annotations

import pytest

from bareboat.engine import RunReport
from bareboat.sample import Expectation
from bareboat.verify import judge

HELLO = Expectation(stdout="Hello\n")


def ran(stdout=b"Hello\n", exit_code=0, stderr=b""):
    return RunReport(exit_code=exit_code, stdout=stdout, stderr=stderr)


def test_what_was_expected_passes():
    assert judge(ran(), HELLO) is None
    assert judge(ran(stdout=b"anything"), Expectation()) is None
    assert judge(ran(exit_code=3), Expectation(exit_code=3)) is None


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
    failed = judge(report, HELLO)
    assert failed is not None
    assert (failed.stage, failed.reason) == ("run", reason)
    assert detail in failed.detail
