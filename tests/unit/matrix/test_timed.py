"""What is timed of a cell, on the fake engine: the result has the gauge's figures, or why there are none."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import pytest

from bareboat.check.gauge import PLACE
from bareboat.engine.fake import FakeEngine, Script
from bareboat.engine.images import Build
from bareboat.inputs.recipe import RecipeBook
from bareboat.matrix.changes import Today, find_changes
from bareboat.matrix.progress import make_progress
from bareboat.matrix.run import run_matrix
from bareboat.result.store import load_all
from tests.unit.check.test_gauge import RUN
from tests.unit.elf_builder import MUSL, build_elf
from tests.unit.project import BOOK, HELLO, ROOT, job_context, plan_of

PROGRAM = build_elf(signs=MUSL, interpreter=None, flags_1=0x08000001)
RUST = "docker.io/library/rust:1-alpine"
SCRATCH = BOOK.recipe("scratch-musl")
GAUGE = replace(HELLO, name="gauge", crate="gauge")
ANSWER = {
    "user": 65532,
    "capabilities": 0,
    "read_only": True,
    "processors": {"all_ticks": 0, "idle_ticks": 0, "own_microseconds": 0},
    "runs": [RUN] * 3,
    "idle_runs": [RUN] * 3,
}


@pytest.fixture
def engine(tmp_path):
    def act(_image, command):
        gauged = command[:1] == (PLACE,)
        return Script(stdout=json.dumps(ANSWER).encode() if gauged else b"Hello, world!\n")

    (tmp_path / "store").mkdir()
    engine = FakeEngine(folder=tmp_path / "store", script=act, program=PROGRAM, program_path="hello-world")
    engine.build(Build(containerfile="FROM scratch\n", context=ROOT, tag=RUST, labels={"of": RUST}), tmp_path / "log")
    return engine


def run(context, gauge=GAUGE):
    book = RecipeBook(recipes=(SCRATCH,), toolchains=BOOK.toolchains)
    plan = plan_of(book=book, source="registry", gauge=gauge)
    done = run_matrix(context, plan, make_progress(io.StringIO(), len(plan.jobs)), 2)
    assert {result.outcome.kind for result in done.results} == {"passed"}
    (result,) = load_all(context.results)
    return result, {one.column.name: one for one in result.measurements}


def test_the_gauges_figures_are_the_cells(engine, tmp_path):
    result, taken = run(job_context(engine, tmp_path))
    assert (taken["start_up"].value, taken["start_up"].spread.runs) == (0.002, 3)
    assert (taken["peak"].value, taken["page_faults"].value) == (300 * 1024, 21)
    assert taken["time_to_serve"].why == ""
    made = result.provenance.made
    assert len(made.gauge) == len(made.gauge_sha256) == 64


def test_a_busy_machine_is_said_in_the_result_and_fails_nothing(engine, tmp_path):
    _, taken = run(job_context(engine, tmp_path, await_quiet=lambda: "the machine was busy"))
    assert (taken["start_up"].value, taken["start_up"].why) == (None, "the machine was busy")
    assert not engine.started


def test_without_a_gauge_there_are_no_figures_and_no_reason(engine, tmp_path):
    result, taken = run(job_context(engine, tmp_path), gauge=None)
    assert (taken["start_up"].value, taken["start_up"].why) == (None, "")
    assert result.provenance.made.gauge == ""


def test_another_gauge_is_a_change_of_the_result(engine, tmp_path):
    context = job_context(engine, tmp_path)
    result, _ = run(context)
    today = Today(
        book=RecipeBook(recipes=(SCRATCH,), toolchains=BOOK.toolchains),
        samples=(HELLO,),
        harbor=None,
        gauge=GAUGE,
        lock=context.lock.with_digest(RUST, result.provenance.toolchain.digest),
        recipes=context.recipes,
    )
    assert find_changes(result, today) == ()
    changed = find_changes(result, replace(today, gauge=replace(GAUGE, digest="other")))
    assert changed == ("program gauge musl static in musl: its sources, its flags or its toolchain",)
