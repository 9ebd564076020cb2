"""Where the results of a run are kept, and what is refused before it begins."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from bareboat.commands.build import MatrixOptions, build_matrix, results_folder
from bareboat.commands.project import Project
from bareboat.errors import InputError
from bareboat.system.process import Processes
from tests.unit.project import ROOT


def test_a_crate_of_the_users_own_is_no_part_of_the_projects_results(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert results_folder(MatrixOptions()) is None
    mine = results_folder(MatrixOptions(crate=Path("mine")))
    assert mine is not None
    assert mine.parent == tmp_path / "bareboat" / "results"
    assert results_folder(MatrixOptions(crate=Path("mine"), results=Path("here"))) == Path("here")


def test_a_network_is_for_a_crate_of_ones_own():
    with pytest.raises(InputError, match=r"^--network is for a crate of your own"):
        build_matrix(Project(root=ROOT), MatrixOptions(network=True), Processes(), io.StringIO())
