"""How many figures of a second run lie within the first's intervals."""

from __future__ import annotations

import importlib
import json
import math
import sys
from dataclasses import replace

import pytest

from bareboat.errors import SelectionError
from bareboat.result.measurement import Measurement, Spread
from bareboat.result.store import save
from tests.unit.bench.conftest import BENCH
from tests.unit.report.example_results import SCRATCH
from tests.unit.report.test_compare import SIZE, START

SPREAD = Spread(runs=20, p10=0.8, p90=1.2, low=0.9, high=1.1)


@pytest.fixture
def bench(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCH))
    yield importlib.import_module("repeatability")
    for name in ("repeatability", "machine"):
        sys.modules.pop(name, None)


def keep(folder, seconds, *, size=1000, spread=SPREAD):
    """A result for each of the seconds that a program took to start."""
    for number, value in enumerate(seconds):
        start = Measurement(column=START, value=value, spread=spread)
        taken = (start, Measurement(column=SIZE, value=size))
        save(replace(SCRATCH, cell=f"cell-{number}@x", measurements=taken, published_bytes=None), folder / "here")
    return folder


@pytest.fixture
def page(bench, tmp_path):
    """What the command prints of a second run of four cells, and its exit code."""

    def page(seconds, *words, **more):
        folders = keep(tmp_path / "a", [1.0] * len(seconds)), keep(tmp_path / "b", seconds, **more)
        return bench.hold_together(bench.read_words([*map(str, folders), *words]), None)

    return page


def test_each_interval_includes_its_ends_and_the_medians_is_the_narrower(page):
    text, code = page([0.8, 0.9, 1.1, 1.2])
    assert code == 0
    assert "**100.0%** of 4 timed figures lie within the first's runs, as is demanded." in text
    assert "| Start-up | 4 | 100.0% | 50.0% | 15.0% |" in text
    assert "Outside" not in text


def test_what_lies_outside_is_told_and_too_much_of_it_is_an_error(page):
    text, code = page([1.0] * 18 + [0.79, 1.3])
    assert code == 1
    assert "**90.0%** of 20 timed figures lie within the first's runs, **and at least 95% are demanded**." in text
    assert "| **all** | 20 | 90.0% | 90.0% | 0.0% |" in text
    assert "| here/cell-19@x | Start-up | 1 s | 800 ms | 1.2 s | 1.3 s |" in text
    assert "here/cell-17@x" not in text


def test_exactly_what_is_demanded_is_enough(page):
    assert page([1.0] * 19 + [2.0])[1] == 0


def test_figures_without_an_interval_stand_apart(page):
    text, _ = page([1.0, 1.0], size=1010)
    _, _, below = text.partition("## Figures without an interval")
    assert "| Size | 2 | 0 | 1.0% |" in below
    assert "Start-up" not in below


def test_a_single_reading_of_the_second_run_is_held_to_nothing(page):
    text, code = page([1.0, 9.0], spread=None)
    assert code == 1
    assert "No figure has an interval in both runs." in text
    assert "| Start-up | 2 | 1 | 800.0% |" in text


def test_folders_that_have_nothing_in_common_are_told(bench, tmp_path):
    with pytest.raises(SelectionError, match="no figure of one cell and host in common"):
        bench.find_pairs(keep(tmp_path / "a", [1.0]), tmp_path / "none")


def test_the_figures_are_kept_for_other_programs_too(bench, page, tmp_path, monkeypatch):
    monkeypatch.setattr(bench, "RESULT", tmp_path / "kept.md")
    text, _ = page([1.0, 1.15], "--write")
    assert (tmp_path / "kept.md").read_text() == text
    kept = json.loads((tmp_path / "kept.json").read_text())
    assert kept["share"] == 1.0
    start = [figure for figure in kept["figures"] if figure["column"] == "start"]
    assert [(one["second"], one["within_runs"], one["within_median"]) for one in start] == [
        (1.0, True, True),
        (1.15, True, False),
    ]
    assert kept["facts"] == ["trixie, kernel 6.12.0, Podman 5.4.2, crun 1.21"]


def test_words_after_two_dashes_are_build_matrixs(bench):
    options = bench.read_words(["--write", "--", "--recipe", "scratch-*"])
    assert (options.folders, options.write, options.words) == ([], True, ["--recipe", "scratch-*"])
    with pytest.raises(SystemExit):
        bench.read_words(["one"])


def test_the_share_of_the_medians_interval_that_chance_alone_gives_is_the_one_that_is_told(bench):
    assert round(math.erf(1.96 / math.sqrt(2) / math.sqrt(2)) * 100) == 83
    assert "that is 83 %" in bench.HEAD
