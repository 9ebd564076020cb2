"""Which works are chosen, and how ways take turns."""

from __future__ import annotations

import importlib

import pytest

from bareboat.errors import BareboatError, SelectionError


@pytest.fixture
def choose(beside):
    beside("works")
    return importlib.import_module("side_by_side").choose_works


def test_without_a_pattern_what_is_slow_is_left_out(choose):
    names = [work.name for work in choose([])]
    assert "cold" in names
    assert not [name for name in names if name.endswith("webserver")]


def test_patterns_choose_what_is_slow_too(choose):
    assert [work.name for work in choose(["*webserver"])] == ["one-line-webserver", "cold-webserver"]


def test_a_pattern_that_matches_nothing_is_told_with_what_there_is(choose):
    with pytest.raises(SelectionError, match="no work matches 'clod'; there are: cold, "):
        choose(["clod"])


def test_each_round_begins_with_the_next_way_and_a_way_that_fails_is_out(beside):
    works, figures = beside("works"), beside("figures")
    played, told = [], []

    def play(name):
        def one(number):
            played.append((number, name))
            if name == "b" and number == 1:
                raise BareboatError("no more\nat all")
            return figures.Taken(seconds=1.0)

        return one

    bench = works.Bench(place=None, ways=(), rounds=3, tell=told.append)
    turns = [works.Turn(name, play(name)) for name in "abc"]
    work = works.Work(name="w", title="W", note="", measure=lambda *_: None)
    rows = works.take_turns(bench, work, turns)
    assert played == [(0, "a"), (0, "b"), (0, "c"), (1, "b"), (1, "c"), (1, "a"), (2, "c"), (2, "a")]
    assert [len(row.taken) for row in rows] == [3, 0, 3]
    assert rows[1].absent == "failed: no more"
    assert "w: b: no more\nat all" in told
