"""What git has of a cell, commit by commit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bareboat.commands.history import cell_history
from bareboat.commands.project import Project
from bareboat.result.store import load, save
from bareboat.result.values import Failed
from bareboat.system.process import Processes
from tests.unit.commands.test_commit import WHO

pytestmark = pytest.mark.starts_processes("git is asked")
RESULTS = Path(__file__).parents[3] / "results" / "debian-12-amd64-rootless"
CELL = "hello-world@scratch-musl"
FIRST = load(RESULTS / f"{CELL}.json")


@pytest.fixture
def git(tmp_path):
    def git(*words, when="2026-01-01T00:00:00+00:00"):
        dates = {"GIT_COMMITTER_DATE": when, "GIT_AUTHOR_DATE": when}
        return Processes().run(["git", "-C", str(tmp_path), *WHO, *words], env=dates).strip()

    git("init", "-q", "-b", "main")
    return git


def keep(folder, size, **changes):
    taken = tuple(replace(one, value=size) if one.column.name == "size" else one for one in FIRST.measurements)
    save(replace(FIRST, measurements=taken, **changes), folder / "results" / "here")


def commit(git, when):
    git("add", "-A")
    git("commit", "-qm", "x", when=when)
    return git("rev-parse", "HEAD")


def history(folder):
    return cell_history(Project(root=folder), Processes())


def test_each_commit_that_changed_a_cell_is_a_point_the_oldest_first(git, tmp_path):
    keep(tmp_path, 1000)
    first = commit(git, "2026-01-01T00:00:00+00:00")
    (tmp_path / "code.py").write_text("a")
    commit(git, "2026-01-02T00:00:00+00:00")
    keep(tmp_path, 2000, outcome=Failed(stage="run", reason="no"))
    keep(tmp_path, 5, cell="hello-world@alpine")
    last = commit(git, "2026-01-03T00:00:00+02:00")
    found = history(tmp_path)
    points = found["here"][CELL]
    assert [(point.commit, point.date, point.outcome) for point in points] == [
        (first, "2026-01-01T00:00:00+00:00", "passed"),
        (last, "2026-01-03T00:00:00+02:00", "failed"),
    ]
    assert [point.figures["size"] for point in points] == [1000, 2000]
    assert points[0].figures["files"] == 1
    assert "libc" not in points[0].figures
    assert [point.figures["size"] for point in found["here"]["hello-world@alpine"]] == [5]


def test_a_figure_that_came_back_is_a_point_again_and_what_is_removed_is_none(git, tmp_path):
    for day, size in enumerate((1, 2, 1), start=1):
        keep(tmp_path, size)
        commit(git, f"2026-01-0{day}T00:00:00+00:00")
    (tmp_path / "results" / "here" / f"{CELL}.json").unlink()
    commit(git, "2026-01-04T00:00:00+00:00")
    assert [point.figures["size"] for point in history(tmp_path)["here"][CELL]] == [1, 2, 1]


def test_older_schemas_are_read_as_far_as_they_go_and_what_is_no_result_is_left_out(git, tmp_path):
    folder = tmp_path / "results" / "here"
    folder.mkdir(parents=True)
    size = '{"column": {"name": "size"}, "value": 7}'
    old = f'{{"schema_version": 1, "outcome": {{"kind": "passed"}}, "measurements": [{size}]}}'
    for name, text in (("a@old", old), ("a@cut", old[:40]), ("a@list", "[]"), ("a@bytes", "\xff")):
        (folder / f"{name}.json").write_bytes(text.encode("latin-1"))
    (folder / "README.md").write_text("x")
    (tmp_path / "results" / "stray.json").write_text(old)
    keep(tmp_path, 3)
    commit(git, "2026-01-01T00:00:00+00:00")
    cells = history(tmp_path)["here"]
    assert {name: [point.figures["size"] for point in points] for name, points in cells.items()} == {
        "a@old": [7],
        CELL: [3],
    }
    assert list(history(tmp_path)) == ["here"]


def test_a_merge_is_one_point_of_the_branch_that_it_was_merged_into(git, tmp_path):
    keep(tmp_path, 1)
    commit(git, "2026-01-01T00:00:00+00:00")
    git("switch", "-qc", "side")
    for size in (2, 3):
        keep(tmp_path, size)
        commit(git, f"2026-01-0{size}T00:00:00+00:00")
    git("switch", "-q", "main")
    git("merge", "-q", "--no-ff", "-m", "x", "side", when="2026-01-05T00:00:00+00:00")
    points = history(tmp_path)["here"][CELL]
    assert [(point.date[:10], point.figures["size"]) for point in points] == [("2026-01-01", 1), ("2026-01-05", 3)]


def test_a_project_in_a_folder_of_a_repository_has_its_own(git, tmp_path):
    keep(tmp_path / "inner", 1)
    keep(tmp_path, 2)
    commit(git, "2026-01-01T00:00:00+00:00")
    assert [point.figures["size"] for point in history(tmp_path / "inner")["here"][CELL]] == [1]


def test_a_users_settings_of_git_change_nothing(git, tmp_path):
    keep(tmp_path, 1)
    commit(git, "2026-01-01T00:00:00+00:00")
    for setting in ("color.ui", "log.showSignature", "diff.noprefix", "log.showRoot", "core.quotePath"):
        git("config", setting, "always" if setting == "color.ui" else "true")
    assert len(history(tmp_path)["here"][CELL]) == 1


def test_outside_a_repository_and_before_the_first_commit_there_is_none(git, tmp_path):
    assert git("status")
    assert history(tmp_path) == {}


def test_a_folder_that_is_no_repository_has_none(tmp_path):
    assert history(tmp_path) == {}
