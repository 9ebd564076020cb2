"""The pages that are committed are those that the committed results give."""

from __future__ import annotations

import io
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bareboat.commands.html_page import make_html
from bareboat.commands.pages import (
    ReportOptions,
    crate_table,
    load_results,
    print_report,
    published_ladders,
    rows_of,
)
from bareboat.commands.plan_inputs import kept_results
from bareboat.commands.project import Project
from bareboat.errors import HostError, InputError, SelectionError
from bareboat.page import choice_chart, lead_of
from bareboat.report import conformance_tables, ladder_markdown, predictions_page, replace_block, results_page
from bareboat.result.store import load, save
from bareboat.system.process import Processes

ROOT = Path(__file__).parents[3]
MEASURED = load_results(Project(root=ROOT)).hosts
PUBLISHED = "debian-12-amd64-rootless"


def test_the_results_page_is_current():
    assert (ROOT / "results" / "README.md").read_text(encoding="utf-8") == results_page(MEASURED)


@pytest.mark.parametrize("crate", ["hello-world", "webserver"])
def test_the_readme_tables_are_current(crate):
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    table = crate_table(rows_of(MEASURED[PUBLISHED], crate))
    assert replace_block(text, f"{PUBLISHED} {crate}", table) == text


def test_the_page_of_conformance_is_current():
    text = (ROOT / "docs" / "conformance.md").read_text(encoding="utf-8")
    assert replace_block(text, "conformance", conformance_tables(MEASURED)) == text


def test_the_page_of_predictions_is_current():
    assert (ROOT / "docs" / "predictions.md").read_text(encoding="utf-8") == predictions_page(MEASURED)


def test_the_chart_of_which_base_to_take_is_current():
    text = (ROOT / "docs" / "choose-a-base.md").read_text(encoding="utf-8")
    assert replace_block(text, "choice", choice_chart(MEASURED[lead_of(MEASURED)])) == text


def test_the_page_to_look_at_is_current():
    assert (ROOT / "docs" / "results.html").read_text(encoding="utf-8") == make_html(Project(root=ROOT), MEASURED)


@pytest.mark.starts_processes("git has the history of cells")
def test_the_page_is_written_where_it_is_told_to_be(project, tmp_path):
    path = tmp_path / "there" / "page.html"
    said, _ = reported(project, html=str(path))
    assert said == f"{path}: open it in a browser"
    assert '<dialog id="hello-world@scratch-musl"' in path.read_text(encoding="utf-8")


@pytest.mark.starts_processes("git has the history of cells")
def test_without_a_name_the_page_is_in_this_folder(project, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    reported(project, html=True)
    assert (tmp_path / "bareboat.html").exists()


def test_what_is_published_has_the_page(project):
    reported(project, write=True)
    page = (project.root / "docs" / "results.html").read_bytes()
    reported(project, write=True)
    assert (project.root / "docs" / "results.html").read_bytes() == page


@pytest.mark.starts_processes("git has the history of cells")
def test_without_what_draws_it_a_page_says_how_to_get_it(project, monkeypatch):
    monkeypatch.delitem(sys.modules, "bareboat.page")
    monkeypatch.delattr("bareboat.page", raising=False)
    for name in [name for name in sys.modules if name.startswith("bareboat.page.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    with pytest.raises(HostError, match=r"the page needs vl_convert.*\n  pip install 'bareboat\[page\]'"):
        reported(project, html="x.html")


def test_every_prediction_came_true():
    predicted = [result.preflight for result in MEASURED[PUBLISHED] if result.preflight]
    assert len([one for one in predicted if not one.predicted]) >= 5
    assert all(one.observed == one.predicted for one in predicted)


@pytest.mark.parametrize("path", sorted((ROOT / "recipes").glob("*.toml")), ids=lambda path: path.stem)
def test_every_recipe_names_the_schema_and_was_measured_unless_the_user_brings_its_c_library(path):
    text = path.read_text(encoding="utf-8")
    assert text.startswith("#:schema ../bareboat/recipe.schema.json\n")
    assert ("\nsysroot = " in text) != (path.stem in {result.recipe for result in MEASURED[PUBLISHED]})


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project with one result whose recipe there is, one whose recipe is gone, and one whose sample is."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    for name in ("recipes", "rust-samples"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "docs").mkdir()
    (tmp_path / "README.md").write_text("<!-- bareboat:here hello-world -->\n<!-- /bareboat:here hello-world -->\n")
    measured = next(result for result in MEASURED[PUBLISHED] if result.cell == "hello-world@scratch-musl")
    for sample, recipe in (("hello-world", "scratch-musl"), ("hello-world", "gone"), ("lost", "scratch-musl")):
        cell = f"{sample}@{recipe}"
        save(
            replace(measured, cell=cell, sample=sample, recipe=recipe, published_bytes=None), tmp_path / "results/here"
        )
    return Project(root=tmp_path)


def reported(project, **options):
    view = io.StringIO()
    text, code = print_report(project, ReportOptions(**options), Processes(), view)
    assert code == 0
    return text, view.getvalue()


def test_results_of_what_is_gone_are_told_of_and_are_in_no_table(project):
    text, told = reported(project, write=True)
    gone = "left out, for their recipe or sample is gone: 2 (here/hello-world@gone, here/lost@scratch-musl)\n"
    assert told.count("\n") == told.count(gone) + told.count("older than today's")
    assert gone in told
    pages = ["README.md", "results/README.md", "docs/predictions.md"]
    for shown in (text, *((project.root / name).read_text(encoding="utf-8") for name in pages)):
        assert "scratch-musl" in shown
        assert "gone" not in shown
        assert "lost" not in shown


def test_the_page_of_small_programs_is_current_and_has_its_marks():
    text, ladders = (ROOT / "docs" / "small.md").read_text(encoding="utf-8"), published_ladders(MEASURED)
    written = replace_block(text, "ladder", ladder_markdown(ladders))
    assert written == text or not ladders


def test_what_is_published_of_the_ladder_is_on_its_page(project):
    page = project.root / "docs" / "small.md"
    page.write_text("before\n<!-- bareboat:ladder -->\n<!-- /bareboat:ladder -->\nafter\n", encoding="utf-8")
    reported(project, write=True)
    assert "scratch-musl" not in page.read_text(encoding="utf-8"), "of the ladder nothing is published yet"
    folder = project.results / "here"
    measured = load(folder / "hello-world@scratch-musl.json")
    for sample in ("smallest", "smallest+strip"):
        save(replace(measured, cell=f"{sample}@scratch-musl", sample=sample), folder)
    reported(project, write=True)
    lines = page.read_text(encoding="utf-8").splitlines()
    assert [line.split()[1] for line in lines if line.startswith("| ")] == ["Step", "plain", "strip"]
    assert (lines[0], lines[-1]) == ("before", "after")


def test_results_that_are_older_than_todays_inputs_are_told_of(project):
    path = project.results / "here" / "hello-world@scratch-musl.json"
    old = load(path)
    save(replace(old, provenance=replace(old.provenance, made=None)), path.parent)
    line = "older than today's recipes, samples, lock or code: 1 (here/hello-world@scratch-musl); `invoke lock`"
    assert line in reported(project)[1]


def test_several_hosts_share_no_table_unmarked(project):
    there = project.results / "there"
    shutil.copytree(project.results / "here", there)
    for path in there.iterdir():
        result = load(path)
        host = replace(result.provenance.host, name="there", machine="0badcafe")
        save(replace(result, provenance=replace(result.provenance, host=host)), there)
    text, _ = reported(project)
    assert "Measured on 2 different machines or engines, which each row names." in text
    assert "there (0badcafe)" in text
    assert "Measured on there (0badcafe)" in reported(project, host="there")[0]


def test_a_host_without_results_is_told(project):
    with pytest.raises(SelectionError, match=r"no results of host 'her' \(did you mean 'here'\?\)"):
        reported(project, host="her")


def measured_at(result, when):
    return replace(result, provenance=replace(result.provenance, measured_at=when), published_bytes=None)


def test_what_a_run_kept_is_shown_and_published_where_it_is_the_newer(project):
    published = project.results / "here"
    result = load(published / "hello-world@scratch-musl.json")
    kept = kept_results(project, None) / "here"
    save(replace(measured_at(result, "2001-01-01T00:00:00+00:00"), key="older"), kept)
    save(replace(measured_at(result, ""), cell="hello-world@alpine", recipe="alpine", provenance=None), kept)
    before = (published / "hello-world@scratch-musl.json").read_bytes()
    assert "alpine" in reported(project)[0]
    assert [path.name for path in published.glob("*alpine*")] == [], "without --write nothing of a project changes"
    reported(project, write=True)
    assert (published / "hello-world@scratch-musl.json").read_bytes() == before
    assert load(published / "hello-world@alpine.json").provenance is None
    save(replace(measured_at(result, "2999-01-01T00:00:00+00:00"), key="newer"), kept)
    reported(project, write=True)
    assert load(published / "hello-world@scratch-musl.json").key == "newer"


def test_a_crates_results_are_its_own_and_no_projects(project, tmp_path):
    crate = tmp_path / "crate"
    with pytest.raises(SelectionError, match="nothing was measured yet: `invoke build-matrix` does it"):
        reported(project, crate=crate)
    result = load(project.results / "here" / "hello-world@scratch-musl.json")
    mine = replace(result, sample="mine", cell="mine@scratch-musl", published_bytes=None)
    save(mine, kept_results(project, crate) / "here")
    text, _ = reported(project, crate=crate)
    assert ("scratch-musl" in text, "hello-world" in text) == (True, False)
    with pytest.raises(InputError, match="--write publishes"):
        reported(project, crate=crate, write=True)
