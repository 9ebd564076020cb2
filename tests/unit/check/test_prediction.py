"""The pre-flight's words: what is missing, who needs it, and the copy that brings it aboard."""

from __future__ import annotations

import tomli

from bareboat.check.prediction import compare, judge_cell, refuse
from bareboat.check.runs import Verdict
from bareboat.closure import Closure, Missing
from bareboat.closure.owners import read_owners
from bareboat.result.values import Failed
from tests.unit.make.test_copies import CELL, STATUS

OWNERS = read_owners(
    {
        "var/lib/dpkg/status": STATUS,
        "var/lib/dpkg/info/libc6:amd64.list": b"/.\n/usr/lib/x86_64-linux-gnu/libc.so.6\n/usr/lib32/libc.so.6\n"
        b"/usr/lib64/ld-linux-x86-64.so.2\n",
    }
)
SEARCHED = ("/lib/x86_64-linux-gnu/", "/usr/lib/x86_64-linux-gnu/")


def missing(name, way="needed", **fields):
    known = {"needed_by": "/hello-world", "searched": SEARCHED, "versions": (), "found": "", "required": True}
    return Missing(**{**known, "name": name, "way": way, **fields})


def closure(*absent):
    return Closure(program="/hello-world", files=(), missing=absent)


def test_a_missing_library_is_told_with_its_package_and_the_copy():
    failed = refuse(CELL, closure(missing("libc.so.6")), OWNERS)
    assert (failed.stage, failed.reason) == ("preflight", "libc.so.6 is not in the image; /hello-world needs it")
    lines = [line.strip() for line in failed.detail.splitlines()]
    assert lines[1] == "package libc6 2.41-12 has it; add to scratch-glibc-dynamic.toml:"
    # Of two files of that name, the one in a folder that the loader searches.
    assert tomli.loads("\n".join(lines[3:]))["copy"] == [
        {
            "from": "toolchain",
            "path": "/usr/lib/x86_64-linux-gnu/libc.so.6",
            "to": "/usr/lib/x86_64-linux-gnu/libc.so.6",
            "why": "/hello-world needs it",
        }
    ]


def test_an_interpreter_goes_where_the_program_names_it():
    absent = missing("/lib64/ld-linux-x86-64.so.2", "interpreter", searched=())
    lines = [line.strip() for line in refuse(CELL, closure(absent), OWNERS).detail.splitlines()]
    assert 'to = "/lib64/ld-linux-x86-64.so.2"' in lines
    assert 'path = "/usr/lib64/ld-linux-x86-64.so.2"' in lines


def test_what_no_package_has_is_said_to_be_in_none():
    failed = refuse(CELL, closure(missing("libnowhere.so.1")), OWNERS)
    assert "no package of toolchain 'gnu' has libnowhere.so.1" in failed.detail


def test_a_missing_version_is_told_with_what_to_do():
    absent = missing("libc.so.6", versions=("GLIBC_2.38",), found="/lib/libc.so.6")
    failed = refuse(CELL, closure(absent), OWNERS)
    assert failed.reason == "/lib/libc.so.6 has no GLIBC_2.38; /hello-world needs it"
    assert "a base at least as new as the toolchain" in failed.detail


def test_what_is_not_required_is_no_reason():
    verdict = Verdict(failure=None, started=True, said="")
    preflight = compare(closure(missing("libnss_myhostname.so.2", required=False)), verdict)
    assert (preflight.predicted, preflight.why, preflight.observed) == (True, "", True)


def test_a_cell_without_an_expectation_fails_as_it_fails():
    failure = Failed(stage="run", reason="exit code 1, not 0")
    preflight = compare(closure(), Verdict(failure=failure, started=True, said=""))
    assert judge_cell(CELL, preflight, failure) == failure
    assert judge_cell(CELL, preflight, None) is None


def test_a_start_that_was_predicted_and_did_not_come_is_told_with_the_loaders_words():
    verdict = Verdict(failure=Failed(stage="run", reason="x"), started=False, said="cannot open libx.so")
    failed = judge_cell(CELL, compare(closure(), verdict), verdict.failure)
    assert failed.reason == "the prediction was wrong: it does not start: cannot open libx.so"
