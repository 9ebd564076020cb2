"""Lists of what there is: a row each, nothing left out."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from bareboat.listing import list_plan, list_recipes, list_samples
from bareboat.plan import PLATFORMS, Selection, make_plan
from bareboat.recipe import Base, RecipeBook, load_recipes
from bareboat.sample import load_samples

ROOT = Path(__file__).parents[2]
BOOK = load_recipes(ROOT / "recipes")
SAMPLE = next(sample for sample in load_samples(ROOT / "rust-samples") if sample.name == "hello-world")


def rows(table):
    """The cells of a table's rows, without its head and rule; two blanks or more part columns."""
    return [re.split(r" {2,}", line.strip()) for line in table.splitlines()[2:]]


def plan(*recipes, book=BOOK):
    return make_plan(book, [SAMPLE], Selection(recipes=recipes), source="bootstrap", platform=PLATFORMS["x86_64"])


def test_each_recipe_has_a_row_with_program_toolchain_base_and_summary():
    recipes, _ = list_recipes(BOOK).split("\n\n")
    assert [row[0] for row in rows(recipes)] == [recipe.name for recipe in BOOK.recipes]
    found = {row[0]: row[1:4] for row in rows(recipes)}
    assert found["scratch-musl"] == ["musl static", "musl", "scratch"]
    assert found["debian"] == ["gnu dynamic", "gnu", "docker.io/library/debian:trixie"]
    assert [row[4] for row in rows(recipes)] == [recipe.summary for recipe in BOOK.recipes]


def test_each_toolchain_has_a_row():
    _, toolchains = list_recipes(BOOK).split("\n\n")
    assert [row[:3] for row in rows(toolchains)] == [
        ["gnu", "gnu", "docker.io/library/rust:1-slim"],
        ["musl", "musl", "docker.io/library/rust:1-alpine"],
    ]


def test_a_base_without_an_image_is_said_to_be_of_packages():
    debian = next(recipe for recipe in BOOK.recipes if recipe.name == "debian")
    own = replace(debian, base=Base(bootstrap=debian.base.bootstrap))
    recipes, _ = list_recipes(RecipeBook(recipes=(own,), toolchains=BOOK.toolchains)).split("\n\n")
    assert rows(recipes)[0][3] == "packages only"


def test_each_sample_has_a_row_that_says_whether_it_fetches_crates():
    other = replace(SAMPLE, name="other", binary="server", needs_crates=True, summary="Answers")
    assert rows(list_samples([SAMPLE, other])) == [
        ["hello-world", "hello-world", "no", SAMPLE.summary],
        ["other", "server", "yes", "Answers"],
    ]


def test_each_job_of_a_plan_has_a_numbered_row_with_what_it_waits_for():
    made = plan("debian", "scratch-musl")
    table, count = list_plan(made).split("\n\n")
    assert rows(table) == [
        ["1", "toolchain gnu"],
        ["2", "base debian"],
        ["3", "program hello-world gnu dynamic in gnu", "toolchain gnu"],
        ["4", "program hello-world musl static in gnu", "toolchain gnu"],
        ["5", "image hello-world@debian", "program hello-world gnu dynamic in gnu, base debian"],
        ["6", "image hello-world@scratch-musl", "program hello-world musl static in gnu"],
    ]
    assert count == "2 cells, 6 jobs; bases from bootstrap"


def test_a_skipped_cell_has_a_row_with_its_reason():
    recipes = tuple(
        replace(one, compile=replace(one.compile, crt="dynamic")) if one.name == "scratch-glibc" else one
        for one in BOOK.recipes
    )
    made = plan("scratch-*", book=RecipeBook(recipes=recipes, toolchains=BOOK.toolchains))
    _, skipped, count = list_plan(made).split("\n\n")
    assert rows(skipped) == [["hello-world@scratch-glibc", "a dynamic program on scratch lacks its loader and libc"]]
    assert count == "1 cells, 3 jobs; bases from bootstrap"
