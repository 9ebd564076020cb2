"""Which cell is meant, where it is named and where it is not."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest

from bareboat.commands.one_cell import CellOptions, choose_cell, make_one_cell
from bareboat.commands.project import Project
from bareboat.errors import SelectionError
from bareboat.result.values import Failed
from bareboat.system.process import Processes
from tests.unit.project import HELLO, ROOT
from tests.unit.report.test_recommend import result


def test_of_the_samples_a_cell_must_be_named():
    with pytest.raises(SelectionError, match="which cell\\? Say SAMPLE@RECIPE, such as hello-world@scratch-musl"):
        make_one_cell(Project(root=ROOT), CellOptions(), Processes(), io.StringIO())


def test_of_a_crate_the_recipe_will_do_and_without_it_the_best_that_was_measured_is_taken():
    told, failed = [], Failed(stage="run", reason="it lacks a folder")
    last = (result("debian", 9000), result("scratch-musl", 10), result("alpine", 1, failed))
    sample = replace(HELLO, name="app")
    assert choose_cell("alpine", [sample], last, told.append) == "app@alpine"
    assert choose_cell("app@debian", [sample], last, told.append) == "app@debian"
    assert told == []
    assert choose_cell("", [sample], last, told.append) == "app@scratch-musl"
    assert told == ["app@scratch-musl: the best of the 3 that were measured"]


def test_where_nothing_was_measured_it_says_how_to_find_out():
    with pytest.raises(SelectionError, match=r"which base for hello-world\? .*`invoke build-matrix` finds the best"):
        choose_cell("", [HELLO], (), lambda _: None)
