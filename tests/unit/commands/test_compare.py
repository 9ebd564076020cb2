"""The results at hand beside those of a commit, a file, a folder and the cheat sheet."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from bareboat.commands.compare import CompareOptions, print_comparison
from bareboat.commands.plan_inputs import kept_results
from bareboat.commands.project import Project
from bareboat.errors import InputError, ResultError, SelectionError
from bareboat.measurements import load_measurements
from bareboat.report import render
from bareboat.result.store import load, save
from bareboat.system.process import Processes
from tests.unit.commands.test_commit import WHO

ROOT = Path(__file__).parents[3]
CELL = "hello-world@scratch-musl"
FIRST = load(ROOT / "results" / "debian-12-amd64-rootless" / f"{CELL}.json")
PUBLISHED = FIRST.provenance.host.name


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project with one published result."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    root = tmp_path / "project"
    root.mkdir()
    for name in ("recipes", "rust-samples"):
        (root / name).symlink_to(ROOT / name)
    save(FIRST, root / "results" / PUBLISHED)
    return Project(root=root)


@pytest.fixture
def judged(monkeypatch):
    """Today's columns, of which the size is judged."""
    modules = [module for module in load_measurements() if module.COLUMN.name != "size"]

    class Size:
        COLUMN = next(replace(one.column, better="less") for one in FIRST.measurements if one.column.name == "size")

    monkeypatch.setattr("bareboat.commands.compare.load_measurements", lambda: (*modules, Size))


def grown(result, share=2):
    """The same result with a size that is so many times as large."""
    taken = tuple(
        replace(one, value=one.value * share) if one.column.name == "size" else one for one in result.measurements
    )
    return replace(result, measurements=taken)


def compared(project, **options):
    view = io.StringIO()
    text, code = print_comparison(project, CompareOptions(**options), Processes(), view)
    return text, code, view.getvalue()


@pytest.fixture
def git(project):
    """A repository with the published result."""

    def git(*words):
        return Processes().run(["git", "-C", str(project.root), *WHO, *words]).strip()

    git("init", "-q", "-b", "main")
    git("add", "results")
    git("commit", "-qm", "x")
    return git


@pytest.mark.starts_processes("git is asked")
@pytest.mark.usefixtures("judged")
def test_without_a_word_what_is_at_hand_is_held_to_the_last_commit(project, git):
    text, code, _ = compared(project)
    assert (code, f"Compared with HEAD ({git('rev-parse', 'HEAD')[:12]})." in text) == (0, True)
    save(grown(FIRST), kept_results(project, None) / PUBLISHED)
    text, code, _ = compared(project)
    assert code == 1
    assert "+100 %  worse" in text


@pytest.mark.starts_processes("git is asked")
@pytest.mark.usefixtures("judged")
def test_a_revision_is_named_in_any_way_that_git_knows(project, git):
    first = git("rev-parse", "HEAD")
    save(grown(FIRST), project.results / PUBLISHED)
    git("commit", "-qam", "larger")
    assert compared(project)[1] == 0
    for revision in (first, first[:8], "HEAD~1", "main^"):
        assert compared(project, what=revision)[1] == 1
    assert f"Compared with {first[:12]}." in compared(project, what=first[:8])[0]


@pytest.mark.starts_processes("git is asked")
@pytest.mark.parametrize("what", ["nowhere", "--all", "-x", "HEAD:results", "HEAD~1"])
def test_what_names_nothing_is_told(project, git, what):
    assert git("status")
    with pytest.raises(SelectionError, match=f"no file, folder or git revision: '{what}'"):
        compared(project, what=what)


@pytest.mark.starts_processes("git is asked")
def test_outside_a_repository_git_says_so(project):
    with pytest.raises(SelectionError, match="not a git repository"):
        compared(project)


@pytest.mark.starts_processes("git is asked")
def test_a_commit_without_results_says_what_else_may_be_named(project, git):
    git("rm", "-rq", "--cached", "results")
    (project.root / "results" / "README.md").write_text("x")
    git("add", "results/README.md")
    git("commit", "-qm", "none")
    with pytest.raises(SelectionError, match=r"'HEAD' has no results in .*/results\n  name a FILE"):
        compared(project)


@pytest.mark.starts_processes("git is asked")
def test_what_cannot_be_read_of_a_commit_is_left_out_and_told(project, git):
    (project.results / PUBLISHED / "hello-world@old.json").write_text('{"schema_version": 1}')
    git("add", "results")
    git("commit", "-qm", "old")
    (project.results / PUBLISHED / "hello-world@old.json").unlink()
    text, code, told = compared(project)
    assert (code, "1 cell compared" in text) == (0, True)
    assert "left out, for they cannot be read: 1 of 2 results; the first: HEAD:" in told


@pytest.mark.starts_processes("git is asked")
@pytest.mark.usefixtures("judged")
def test_a_crates_results_are_held_to_those_of_its_repository(project, git, tmp_path, monkeypatch):
    crate, mine = project.root, replace(FIRST, sample="mine", cell="mine@scratch-musl")
    save(grown(mine), kept_results(project, crate) / PUBLISHED)
    save(mine, crate / "kept" / PUBLISHED)
    git("add", "kept")
    git("commit", "-qm", "kept")
    # Where the results that are named lie in the repository, there the commit has them as well.
    save(grown(mine, 3), crate / "kept" / PUBLISHED)
    monkeypatch.chdir(crate)
    assert "+200 %  worse" in compared(project, crate=crate, results=Path("kept"))[0]
    # Else they are where results are published, and there is another sample's.
    assert "0 cells compared; 1 gone, 1 new" in compared(project, crate=crate)[0]
    with pytest.raises(SelectionError, match=f"nothing was measured yet in {tmp_path}"):
        compared(project, crate=crate, results=tmp_path)


@pytest.mark.usefixtures("judged")
def test_a_file_and_a_folder_are_compared_with(project, tmp_path):
    before = tmp_path / "before.json"
    before.write_text(render([grown(FIRST, 4)], "json"))
    text, code, _ = compared(project, what=str(before))
    assert (code, "-75.0 %  better" in text) == (0, True)
    save(FIRST, tmp_path / "folder" / PUBLISHED)
    for folder in ("folder", f"folder/{PUBLISHED}"):
        text, code, _ = compared(project, what=str(tmp_path / folder))
        assert code == 0
        assert re.search(r"1 cell compared: of their figures \d+ same; 0 gone, 0 new$", text.strip())
    (tmp_path / "empty").mkdir()
    with pytest.raises(SelectionError, match="a folder without results"):
        compared(project, what=str(tmp_path / "empty"))
    before.write_text("[")
    with pytest.raises(ResultError, match="is not what"):
        compared(project, what=str(before))


@pytest.mark.usefixtures("judged")
@pytest.mark.parametrize(("threshold", "code"), [("1", 1), ("0", 1), ("99.5", 1), ("100", 0)])
def test_the_threshold_is_in_per_cent(project, tmp_path, threshold, code):
    save(FIRST, tmp_path / "folder" / PUBLISHED)
    save(grown(FIRST), project.results / PUBLISHED)
    assert compared(project, what=str(tmp_path / "folder"), threshold=threshold)[1] == code


@pytest.mark.parametrize("threshold", ["", "x", "-1", "1e3", "1%", "٣"])
def test_a_threshold_is_a_number(project, threshold):
    with pytest.raises(InputError, match=f"--threshold {threshold}: it takes per cent"):
        compared(project, threshold=threshold)


def test_a_host_is_named_where_there_are_several(project):
    save(FIRST, project.results / "other")
    text, _, _ = compared(project, what=str(project.results), host="other")
    assert "1 cell compared" in text
    with pytest.raises(SelectionError, match="no results of host 'othr'"):
        compared(project, host="othr")


def test_the_cheat_sheet_has_eight_figures_each_beside_ours(monkeypatch):
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    text, code, _ = compared(Project(root=ROOT), what="cheat-sheet", host=PUBLISHED, format="json")
    records = json.loads(text)
    assert code == 0
    assert [record["cheat_sheet_bytes"] for record in records] == [
        *(124_000_000, 80_800_000, 23_000_000, 7_470_000, 3_630_000, 1_290_000, 416_000),
        4_490_000,
    ]
    for record in records:
        assert record["ratio"] == record["size_bytes"] / record["cheat_sheet_bytes"]


def test_the_cheat_sheet_knows_no_crate_of_yours(project, tmp_path):
    save(FIRST, kept_results(project, tmp_path) / PUBLISHED)
    with pytest.raises(InputError, match="the cheat sheet has no figure of a crate of your own"):
        compared(project, what="cheat-sheet", crate=tmp_path)


def test_a_jobs_summary_gets_the_markdown_after_what_is_there(project, tmp_path, monkeypatch):
    summary = tmp_path / "summary.md"
    summary.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    text, _, told = compared(project, what=str(project.results), format="markdown")
    assert summary.read_text() == f"before\n{text}\n"
    assert told.endswith(f"put into the job's summary: {summary}\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path))
    _, code, told = compared(project, what="cheat-sheet")
    assert code == 0
    assert f"the job's summary, {tmp_path}, cannot be written: " in told
