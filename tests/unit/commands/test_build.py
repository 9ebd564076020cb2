"""Where the results of a run are kept."""

from __future__ import annotations

from pathlib import Path

from bareboat.commands.build import MatrixOptions, results_folder


def test_a_crate_of_the_users_own_is_no_part_of_the_projects_results(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert results_folder(MatrixOptions()) is None
    mine = results_folder(MatrixOptions(crate=Path("mine")))
    assert mine is not None
    assert mine.parent == tmp_path / "bareboat" / "results"
    assert results_folder(MatrixOptions(crate=Path("mine"), results=Path("here"))) == Path("here")
