"""Lists of what there is: a row each, nothing left out."""

from __future__ import annotations

import re
from dataclasses import replace

from bareboat.closure import Closure, Needed
from bareboat.closure.owners import read_owners
from bareboat.commands.listing import list_closure, list_manifest, list_plan, list_recipes, list_samples
from bareboat.inputs.base import Base
from bareboat.inputs.recipe import RecipeBook
from bareboat.result.values import ManifestRow, Passed, Result
from tests.unit.project import BOOK
from tests.unit.project import HELLO as SAMPLE
from tests.unit.project import plan_of as plan


def rows(table):
    """The cells of a table's rows, without its head and rule; two blanks or more part columns."""
    return [re.split(r" {2,}", line.strip()) for line in table.splitlines()[2:]]


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
        ["7", "timed hello-world@debian", "image hello-world@debian, program hello-world gnu dynamic in gnu"],
        [
            "8",
            "timed hello-world@scratch-musl",
            "image hello-world@scratch-musl, program hello-world musl static in gnu",
        ],
    ]
    assert count == "2 cells, 8 jobs; bases from bootstrap"


def test_a_skipped_cell_has_a_row_with_its_reason():
    alpine = BOOK.recipe("alpine")
    recipes = (replace(alpine, base=replace(alpine.base, bootstrap=None)), BOOK.recipe("debian"))
    _, skipped, count = list_plan(plan(book=replace(BOOK, recipes=recipes))).split("\n\n")
    reason = "no registry is used and the recipe has no [base.bootstrap]; its image is docker.io/library/alpine:3.23"
    assert rows(skipped) == [["hello-world@alpine", reason]]
    assert count == "1 cells, 5 jobs; bases from bootstrap"


def aboard(path, **fields):
    known = {"kind": "file", "size_bytes": 1000, "mode": "0644", "source": "toolchain", "package": "libc6"}
    return ManifestRow(**{**known, "path": path, "version": "2.41", "why": "because", **fields})


def manifest_of(*files, unobserved=""):
    result = Result(
        cell="hello-world@scratch-musl",
        sample="hello-world",
        recipe="scratch-musl",
        platform="linux/amd64",
        key="",
        outcome=Passed(),
        manifest=files,
        unobserved=unobserved,
    )
    table, summary = list_manifest(result).split("\n\n")
    return rows(table), summary.splitlines()


def test_a_manifest_has_a_row_a_file_and_the_total():
    table, summary = manifest_of(aboard("/a", ways=("static", "observed")), aboard("/b", ways=("known",)))
    assert table[0] == ["/a", "1 kB", "0644", "libc6 2.41", "static, observed", "because"]
    assert summary == ["2 files, 2 kB (2000 bytes); passed"]


def test_what_nobody_needs_is_said_to_be_idle():
    folder = aboard("/zones/", kind="directory", files=10, idle_files=9, ways=("observed",))
    table, summary = manifest_of(aboard("/a", idle_files=1), folder)
    assert table[0][4] == "nobody"
    assert summary[:2] == [
        "idle: /a: nobody needs it",
        "idle: 9 of the 10 files of /zones/: nobody needs them",
    ]


def test_what_was_not_observed_is_said_to_be_that_and_why():
    table, summary = manifest_of(aboard("/a", idle_files=None), unobserved="strace is not installed")
    assert table[0][4] == "not observed"
    assert summary[0] == "not observed: strace is not installed"
    assert not any(line.startswith("idle") for line in summary)


def test_proofs_have_a_column_where_there_are_any():
    table, _ = manifest_of(aboard("/a", ways=("static",), proof="needed by tz"))
    assert table[0][4:6] == ["static, proof", "needed by tz"]


def needed(path, by, way="needed"):
    return Needed(name=path, path=path, real_path=path, needed_by=by, way=way, size_bytes=10, required=True, note="")


def test_a_closure_is_a_tree_below_the_program():
    closure = Closure(
        program="/p",
        files=(needed("/p", "", "program"), needed("/a", "/p"), needed("/b", "/p"), needed("/c", "/a")),
        missing=(),
    )
    owners = read_owners({})
    lines = list_closure(closure, owners, (aboard("/a", ways=("static", "observed")), aboard("/x", ways=("observed",))))
    assert [line[:9].rstrip() for line in lines.splitlines()[2:6]] == ["/p", "├─ /a", "│  └─ /c", "└─ /b"]
    assert "needed, observed" in lines
    assert "opened in the run, and foreseen by nobody: /x" in lines
    assert lines.endswith("it starts")
