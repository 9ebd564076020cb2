"""What was seen of a program's opens, and each way in which nothing, or not all, was seen."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest

from bareboat.archive import Entry, ImageConfig, open_image, write_image
from bareboat.check.trace import trace_runs
from bareboat.engine.containers import RunReport
from bareboat.engine.fake import FakeEngine, Script
from bareboat.engine.tracer import Tracer, tracing_obstacle
from bareboat.inputs.expectation import Expectation, Served, Serving
from bareboat.matrix.progress import make_progress
from bareboat.matrix.run import run_matrix
from tests.unit.elf_builder import MUSL, build_elf
from tests.unit.matrix.test_run import RUST, book_of, plan_of
from tests.unit.project import job_context

REFUSED = b"/.bareboat-trace/strace: ptrace(PTRACE_TRACEME, ...): Operation not permitted\n"
STARTED = 'execve("/hello-world", [], 0x0 /* 0 vars */) = 0\n'


class Traced(FakeEngine):
    """Its traces come to what a test says: the report, and strace's log."""

    report = RunReport(exit_code=0, stdout=b"Hello, world!\n", stderr=b"")
    log = STARTED

    def trace(self, start, timeout_seconds, tracer, logs):
        del start, timeout_seconds, tracer
        if self.log:
            (logs / "log.1").write_text(self.log, encoding="ascii")
        return self.report


@pytest.fixture
def engine(tmp_path):
    (tmp_path / "store").mkdir()
    program = build_elf(signs=MUSL, interpreter=None, flags_1=0x08000001)
    said = Script(stdout=b"Hello, world!\n")
    return Traced(
        folder=tmp_path / "store", program=program, program_path="hello-world", script=lambda _image, _command: said
    )


@pytest.fixture
def context(engine, tmp_path):
    context = job_context(engine, tmp_path, untraced="")
    context.tracers.get(context.folders.engine / "tracer", lambda: Tracer(tools=tmp_path, loader=""))
    return context


@pytest.fixture
def image(engine, tmp_path):
    archive = tmp_path / "image.tar"
    write_image([Entry(path="hello-world", content=b"")], ImageConfig(), reference="localhost/x:x", to=archive)
    engine.load(archive)
    return open_image(archive)


def cell_of(**expected):
    (cell,) = plan_of(book_of("scratch-musl"), expectations=(Expectation(**expected),)).cells
    return cell


def test_what_was_traced_to_its_end_was_seen(context, image):
    trace = trace_runs(context, cell_of(stdout="Hello, world!\n"), image)
    assert (trace.unseen, [access.path for access in trace.opened]) == ("", ["/hello-world"])


@pytest.mark.parametrize(
    ("report", "log", "unseen"),
    [
        ({"exit_code": None, "refused": "seccomp"}, "", "the runtime refuses strace, and --force tries again: seccomp"),
        (
            {"exit_code": 1, "stderr": REFUSED},
            "",
            f"strace was refused, and --force tries again: {REFUSED.decode().strip()}",
        ),
        ({"exit_code": 1}, "", "strace was refused, and --force tries again: it has no log of the start"),
        ({"exit_code": 137, "flooded": True}, STARTED, "its trace grew beyond all measure"),
        ({"exit_code": None}, STARTED, "under strace it did not end within 10 s"),
        ({"exit_code": 7}, STARTED, "under strace it ran otherwise: exit code 7, not 0"),
    ],
)
def test_what_was_refused_or_cut_off_was_not_observed(context, image, report, log, unseen):
    context.engine.report, context.engine.log = RunReport(**{"stdout": b"", "stderr": b"", **report}), log
    assert trace_runs(context, cell_of(), image).unseen == unseen


def test_a_run_that_is_to_write_ends_otherwise_under_strace(context, image, engine):
    engine.report = RunReport(exit_code=7, stdout=b"", stderr=b"")
    assert trace_runs(context, cell_of(writable=True), image).unseen == ""


def test_each_obstacle_is_said(tmp_path):
    strace, scope = tmp_path / "strace", tmp_path / "scope"
    here = {"PATH": str(tmp_path)}
    assert tracing_obstacle(here, scope).startswith("strace is not installed")
    strace.touch(mode=0o755)
    assert tracing_obstacle(here, scope) == ""
    for number, said in (("1", False), ("2", True), ("3", True)):
        scope.write_text(f"{number}\n", encoding="ascii")
        assert (f"ptrace_scope is {number}" in tracing_obstacle(here, scope)) == said
    assert "another machine" in tracing_obstacle({**here, "CONTAINER_HOST": "ssh://x"}, scope)


def run(context):
    plan = plan_of(book_of("scratch-musl"))
    return run_matrix(context, plan, make_progress(io.StringIO(), len(plan.jobs)), 2)


def test_the_result_says_why_it_was_not_observed_and_strace_makes_it_be_measured_again(context, engine, image):
    engine.tag(image.id, RUST)
    without = run(replace(context, untraced="strace is not installed")).results[0]
    assert without.unobserved == "strace is not installed"
    ran = len(engine.ran)
    assert run(replace(context, untraced="strace is not installed")).results[0] == without
    assert len(engine.ran) == ran, "it stands"
    installed = run(context).results[0]
    assert installed.unobserved == ""
    assert installed.key != without.key
    assert len(engine.ran) == ran + 1


def test_what_runs_on_as_it_stands_was_seen_for_a_while(context, image, engine, monkeypatch):
    asked = []
    monkeypatch.setattr(engine, "report", RunReport(exit_code=None, stdout=b"", stderr=b""))
    trace = engine.trace
    monkeypatch.setattr(engine, "trace", lambda start, *rest: asked.append(rest[0]) or trace(start, *rest))
    seen = trace_runs(context, cell_of(exit_code=None), image)
    assert (seen.unseen, asked) == ("it ran on after the 5 s that were seen", [5.0])
    assert [access.path for access in seen.opened] == ["/hello-world"]
    assert trace_runs(context, cell_of(exit_code=None, timeout_seconds=2.0), image).unseen.startswith(
        "it ran on after the 2 s"
    )
    assert trace_runs(context, cell_of(), image).unseen == "under strace it did not end within 10 s"


def test_what_ends_as_it_stands_was_seen_whatever_its_code(context, image, engine, monkeypatch):
    monkeypatch.setattr(engine, "report", RunReport(exit_code=2, stdout=b"", stderr=b"Usage: app FILE\n"))
    assert trace_runs(context, cell_of(exit_code=None), image).unseen == ""
    assert trace_runs(context, cell_of(), image).unseen != ""


def test_a_service_is_traced_as_it_is_run(context, image, engine, monkeypatch):
    starts = []
    trace = engine.trace
    monkeypatch.setattr(engine, "trace", lambda start, *rest: starts.append(start) or trace(start, *rest))
    serving = Serving(environment={"PORT": "80"}, arguments=("serve",), network=True)
    run = Served(serving=serving, arguments=serving.arguments, network=True)
    cell = cell_of()
    trace_runs(context, replace(cell, sample=replace(cell.sample, expectations=(run, Expectation()))), image)
    assert [(start.command, dict(start.environment), start.network) for start in starts] == [
        (("/hello-world", "serve"), {"PORT": "80"}, "outside"),
        (("/hello-world",), {}, "none"),
    ]
