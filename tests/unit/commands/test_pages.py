"""The pages that are committed are those that the committed results give."""

from __future__ import annotations

from pathlib import Path

import pytest

from bareboat.commands.ask import schema_text
from bareboat.commands.pages import crate_table, load_results, project_sizes, rows_of
from bareboat.commands.project import Project
from bareboat.report import conformance_tables, predictions_page, replace_block, results_page

ROOT = Path(__file__).parents[3]
MEASURED = load_results(ROOT / "results", project_sizes(Project(root=ROOT)))
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


def test_every_prediction_came_true():
    predicted = [result.preflight for result in MEASURED[PUBLISHED] if result.preflight]
    assert len([one for one in predicted if not one.predicted]) >= 5
    assert all(one.observed == one.predicted for one in predicted)


def test_the_recipe_schema_is_current():
    assert (ROOT / "bareboat" / "recipe.schema.json").read_text(encoding="utf-8") == schema_text()


@pytest.mark.parametrize("path", sorted((ROOT / "recipes").glob("*.toml")), ids=lambda path: path.stem)
def test_every_recipe_names_the_schema_and_was_measured(path):
    assert path.read_text(encoding="utf-8").startswith("#:schema ../bareboat/recipe.schema.json\n")
    assert path.stem in {result.recipe for result in MEASURED[PUBLISHED]}
