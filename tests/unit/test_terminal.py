"""What a program or a build writes reaches no terminal as it is: an OSC 52 sequence would fill the clipboard."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import get_args

import pytest

from bareboat import console
from bareboat.check.runs import judge_run
from bareboat.closure import Closure, Missing, Needed
from bareboat.closure.owners import read_owners
from bareboat.commands.listing import list_closure, list_manifest
from bareboat.commands.plan_inputs import teller
from bareboat.engine.containers import RunReport
from bareboat.errors import BareboatError, EngineError
from bareboat.inputs.expectation import Expectation
from bareboat.inputs.limits import LIMITS
from bareboat.matrix.live import LiveProgress
from bareboat.matrix.plain import PlainProgress
from bareboat.report import Format, render
from bareboat.result.values import Failed, ManifestRow, Passed, Preflight, Probe, Skipped
from bareboat.system.printable import Exact
from tests.unit.result.test_store import RESULT

OSC = "\x1b]52;c;ZWNobyBoYWNrZWQ=\x07"
NAUGHTY = f"before{OSC}after"
STATUS = f"Package: p{OSC}\nVersion: 1\nStatus: install ok installed\n".encode()


def shown(capsys, answer):
    """What a terminal gets of a command's answer, or of the error that it ends with."""

    def act(_processes):
        if isinstance(answer, BareboatError):
            raise answer
        return answer

    console.run(act)
    return "".join(capsys.readouterr())


def is_tame(text):
    return "before" in text and not {"\x1b", "\x07", "\x9b"} & set(text)


def failed(reason=NAUGHTY, detail=NAUGHTY):
    return replace(RESULT, outcome=Failed(stage="run", reason=reason, detail=detail))


def test_scratch(capsys):
    row = ManifestRow(
        path=f"/{NAUGHTY}",
        kind="file",
        size_bytes=1,
        mode="0644",
        source="toolchain",
        package=OSC,
        version=OSC,
        why=OSC,
    )
    text = list_manifest(replace(RESULT, manifest=(row,)))
    assert is_tame(text)
    assert len(text.splitlines()) == len(list_manifest(replace(RESULT, manifest=(replace(row, why="x"),))).splitlines())
    assert is_tame(shown(capsys, text))


def test_scratch_of_an_image_that_failed():
    view = io.StringIO()
    teller(view)(failed().outcome.detail)
    assert is_tame(view.getvalue())


def test_closure(capsys):
    path = f"/{NAUGHTY}"
    node = Needed(
        name=path, path=path, real_path="/real", needed_by="", way="program", size_bytes=1, required=True, note=OSC
    )
    lacks = Missing(
        name=NAUGHTY, needed_by=path, way="needed", searched=(), versions=(), found="", required=True, note=OSC
    )
    owners = read_owners({"/var/lib/dpkg/status": STATUS, f"/var/lib/dpkg/info/p{OSC}.list": b"/real\n"})
    text = list_closure(Closure(program=path, files=(node,), missing=(lacks,)), owners, ())
    assert is_tame(text)
    assert is_tame(shown(capsys, text))


def test_the_last_lines_of_a_build_that_failed(capsys):
    error = EngineError(f"podman build {NAUGHTY}", 1, ["before", f"error: {NAUGHTY}", "\x9b31m"])
    text = shown(capsys, error)
    assert is_tame(text)
    assert len(text.splitlines()) == 4


@pytest.mark.parametrize("view", ["plain", "live"])
def test_the_progress_of_a_run(view):
    stream = io.StringIO()
    progress = PlainProgress(stream, 1) if view == "plain" else LiveProgress(stream, 1)
    with progress:
        progress.started(NAUGHTY)
        progress.note(NAUGHTY)
        progress.finished(NAUGHTY, "failed", 1.0, f"http://user:word@proxy {NAUGHTY}")
    assert is_tame(stream.getvalue())
    assert "http://***@proxy" in stream.getvalue()


@pytest.mark.parametrize("format_", get_args(Format))
@pytest.mark.parametrize(
    "outcome",
    [
        Failed(stage="run", reason=NAUGHTY, detail=f"one\n\t{NAUGHTY}"),
        Failed(stage="compile", reason=NAUGHTY, detail=NAUGHTY, expected=NAUGHTY),
        Skipped(reason=NAUGHTY),
        Passed(),
    ],
    ids=lambda outcome: outcome.kind,
)
def test_a_report_in_every_format(capsys, format_, outcome):
    result = replace(
        RESULT,
        recipe=NAUGHTY,
        sample=NAUGHTY,
        outcome=outcome,
        preflight=Preflight(predicted=True, why=NAUGHTY, observed=False, said=NAUGHTY),
        probes=(Probe(name=OSC, passed=True, observed=OSC),),
    )
    text = render([result], format_)
    assert is_tame(text)
    assert is_tame(shown(capsys, text))
    if format_ == "json":
        json.loads(text)


@pytest.mark.parametrize(
    "report",
    [
        RunReport(exit_code=0, stdout=NAUGHTY.encode(), stderr=b""),
        RunReport(exit_code=1, stdout=b"", stderr=NAUGHTY.encode()),
        RunReport(exit_code=None, stdout=b"", stderr=b"", refused=NAUGHTY),
    ],
    ids=["output", "exit code", "refused"],
)
def test_the_detail_of_a_run_that_failed(capsys, report):
    failure = judge_run(report, Expectation(stdout=""), LIMITS)
    assert is_tame(render([replace(RESULT, outcome=failure)], "text"))
    assert is_tame(shown(capsys, f"{failure.reason}\n{failure.detail}"))


def test_an_answer_keeps_its_lines_and_tabs_and_loses_its_secrets(capsys, monkeypatch):
    monkeypatch.setenv("CARGO_REGISTRY_TOKEN", "a-secret-token")
    assert shown(capsys, "a\tb\n  http://u:p@host\na-secret-token\n") == "a\tb\n  http://***@host\n***\n"
    assert shown(capsys, BareboatError("a-secret-token")) == "error: ***\n"
    # A Containerfile is read by an engine: it stays what builds the image.
    assert shown(capsys, Exact("ENV X=http://u:p@host\n")) == "ENV X=http://u:p@host\n"
