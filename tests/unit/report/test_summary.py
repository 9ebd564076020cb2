"""A run ends with a few lines that say what it came to and where more is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bareboat.report import Next, recommend, summarise
from bareboat.result.measurement import Column, Measurement
from bareboat.result.store import hosts, load_all
from bareboat.result.values import Failed
from tests.unit.project import ROOT
from tests.unit.report.example_results import ALL, BROKEN, DEBIAN, SCRATCH, SLIM, result

MORE = Next(
    explain=lambda result: f"invoke explain {result.cell}", results="/state/results", report="`invoke report` has all."
)
START_UP = Column(name="start_up", heading="Start-up", unit="seconds", order=5)


def test_a_run_is_told_in_a_few_lines():
    assert summarise(ALL, MORE, 80).splitlines() == [
        "5 cells: 3 passed, 1 failed, 1 skipped.",
        "Smallest: scratch-musl (402 kB).",
        "hello-world@distroless-static failed at run: exit 127 | it said ...",
        "    invoke explain hello-world@distroless-static",
        "Results: /state/results",
        "`invoke report` has all.",
    ]


def test_what_fails_as_expected_is_counted_and_not_complained_of():
    known = replace(BROKEN, outcome=Failed(stage="run", reason="x", detail="", expected="it lacks a loader"))
    said = summarise((SCRATCH, known), MORE, 80)
    assert said.startswith("2 cells: 1 passed, 1 failed as expected.\n")
    assert "explain" not in said


def test_the_quickest_is_told_where_start_up_was_measured():
    quick = [
        replace(one, measurements=(*one.measurements, Measurement(column=START_UP, value=seconds)))
        for one, seconds in ((DEBIAN, 0.003), (SCRATCH, 0.0012), (SLIM, None))
    ]
    assert "Quickest to start: scratch-musl (1.2 ms)." in summarise(quick, MORE, 80)
    assert "Quickest" not in summarise(ALL, MORE, 80)


def test_several_samples_are_named_and_many_are_counted():
    several = [result("alpine", sample=f"sample-{number}", size=1000 * number) for number in range(1, 7)]
    (line,) = [line for line in summarise(several, MORE, 110).splitlines() if line.startswith("Smallest")]
    assert line.startswith("Smallest: sample-1 on alpine (1 kB); sample-2 on alpine (2 kB); ")
    assert line.endswith("(3 kB); 3 more samples.")
    (line,) = [line for line in summarise(several, MORE, 200).splitlines() if line.startswith("Smallest")]
    assert line.endswith("; sample-6 on alpine (6 kB).")


def test_of_many_failures_the_first_are_told_and_the_others_counted():
    failed = [replace(BROKEN, cell=f"hello-world@base-{number}") for number in range(9)]
    said = summarise(failed, MORE, 80)
    assert said.count("invoke explain") == 5
    assert "and 4 more failed\n" in said


def test_the_recommendation_of_an_own_program_is_the_answer():
    advice = recommend(ALL, {"scratch-musl": "Nothing but the program"})
    said = summarise(ALL, MORE, 60, advice).splitlines()
    assert said[1].startswith("Take scratch-musl (402 kB), the smallest of the 3 bases")
    assert not [line for line in said if line.startswith("Smallest")]
    assert "    invoke explain hello-world@distroless-static" in said
    assert " ".join(" ".join(said).split()).count("exit 127") == 1


@pytest.mark.parametrize("room", [40, 80, 100, 140, 200])
@pytest.mark.parametrize("host", hosts(ROOT / "results"))
def test_committed_results_are_told_in_the_width_of_a_terminal(host, room):
    results = load_all(ROOT / "results" / host)
    lines = summarise(results, MORE, room).splitlines()
    assert all(len(line) <= room for line in lines if not line.startswith("    invoke "))
    assert len(lines) <= 5 or room < 80
