"""The columns of what the gauge sees: medians that say how sure they are, and nothing where nothing was seen."""

from __future__ import annotations

import random

import pytest

from bareboat.measurements import TimedSubject, load_measurements
from bareboat.measurements._spread import read_runs, summarise
from bareboat.result.gauged import Gauged, GaugedRun
from bareboat.result.measurement import Reading
from bareboat.result.values import Probe

ENDS = Gauged(
    runs=tuple(
        GaugedRun(output=0.001 * one, ended=0.002 * one, peak_bytes=4096 * one, faults=one) for one in (3, 1, 2)
    ),
    idle_runs=(GaugedRun(ended=0.0001),) * 3,
)
SERVES = Gauged(
    runs=(GaugedRun(connected=0.01, answered=0.02, peak_bytes=4096, faults=1),) * 3,
    idle_runs=(GaugedRun(ended=0.0001),) * 3,
    service=True,
)
COLUMNS = ("start_up", "first_output", "time_to_serve", "first_answer", "peak", "page_faults", "nothing")


def readings(gauged, **more):
    modules = {module.COLUMN.name: module for module in load_measurements()}
    subject = TimedSubject(peak_bytes=more.pop("peak_bytes", None), gauged=gauged, **more)
    return {name: modules[name].measure_timed(subject) for name in COLUMNS}


def values(gauged):
    return {name: reading.value for name, reading in readings(gauged).items()}


def test_a_program_that_ends_has_its_own_columns():
    assert values(ENDS) == {
        "start_up": 0.004,
        "first_output": 0.002,
        "time_to_serve": None,
        "first_answer": None,
        "peak": 8192,
        "page_faults": 2,
        "nothing": 0.0001,
    }


def test_memory_that_is_not_counted_is_no_figure():
    tiny = Gauged(runs=(GaugedRun(output=0.001, ended=0.002, peak_bytes=0, faults=6),) * 3, idle_runs=ENDS.idle_runs)
    taken = readings(tiny)
    assert taken["peak"] == Reading(value=None, why="it takes fewer pages than Linux counts")
    assert taken["page_faults"].value == 6


def test_a_service_has_its_own_columns():
    assert values(SERVES) == {
        "start_up": None,
        "first_output": None,
        "time_to_serve": 0.01,
        "first_answer": 0.02,
        "peak": 4096,
        "page_faults": 1,
        "nothing": 0.0001,
    }


def test_why_nothing_was_taken_is_said_in_each():
    busy, nothing = Reading(value=None, why="busy"), Reading(value=None)
    ends, serves = readings(Gauged(why="busy")), readings(Gauged(why="busy", service=True))
    assert [name for name in COLUMNS if ends[name] == nothing] == ["time_to_serve", "first_answer"]
    assert [name for name in COLUMNS if serves[name] == nothing] == ["start_up"]
    assert {*ends.values(), *serves.values()} == {busy, nothing}
    assert set(readings(None).values()) == {nothing}


def test_a_service_without_an_answer_says_so():
    mute = Gauged(runs=(GaugedRun(connected=0.01),) * 3, service=True)
    assert readings(mute)["first_answer"] == Reading(value=None, why="it did not answer GET /")


def test_the_memory_of_a_service_that_is_probed_is_that_of_its_probes():
    asked = (Probe(name="body-1k", passed=True, observed="200"),)
    assert readings(SERVES, probes=asked, peak_bytes=50_000_000)["peak"] == 50_000_000
    assert readings(SERVES, probes=asked)["peak"] is None


def test_what_only_some_runs_show_is_no_figure():
    some = Gauged(runs=(GaugedRun(output=0.1), GaugedRun()))
    assert read_runs(some, lambda run: run.output) == Reading(value=None, why="1 of 2 runs showed it")


def test_a_median_says_between_what_the_runs_lay():
    reading = summarise([float(number) for number in range(1, 102)])
    spread = reading.spread
    assert reading.value == 51
    assert (spread.runs, spread.p10, spread.p90) == (101, 11, 91)
    assert 30 < spread.low < 51 < spread.high < 72


def test_equal_runs_and_a_single_one_lie_nowhere_apart():
    for values_ in ([0.5], [0.5] * 7):
        spread = summarise(values_).spread
        assert {spread.p10, spread.p90, spread.low, spread.high} == {0.5}
        assert spread.runs == len(values_)


def test_the_same_runs_give_the_same_interval_and_counts_stay_counts():
    runs = [1, 5, 2, 9]
    assert summarise(runs) == summarise(runs)
    assert isinstance(summarise(runs).value, int)


@pytest.mark.parametrize("count", [10, 50])
def test_the_interval_holds_the_true_median_about_19_times_of_20(count):
    chance = random.Random(1)
    held = 0
    for _ in range(100):
        spread = summarise([chance.lognormvariate(0, 1) for _ in range(count)]).spread
        held += spread.low <= 1 <= spread.high
    assert 88 <= held <= 100
