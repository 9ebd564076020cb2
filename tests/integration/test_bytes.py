"""What every byte of an image is: sums are exact, and the symbols are those of the program as it is shipped."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.harbour import ROOT, Project, copy_project

if TYPE_CHECKING:
    from pathlib import Path

# Where no test has run before, the bases are made from packages.
pytestmark = [pytest.mark.podman, pytest.mark.network]

RECIPES = ("debian", "scratch-musl", "scratch-glibc-dynamic")
# Two files of the same content, which no program needs.
TWICE = """
[[copy]]
from = "recipe"
text = "the same words\\n"
to = "/etc/one"
why = "a test"

[[copy]]
from = "recipe"
text = "the same words\\n"
to = "/etc/two"
why = "a test"
"""


def told(project: Project, cell: str, *options: str) -> dict[str, Any]:
    done = project.invoke("bytes", cell, "--format=json", "--bases=bootstrap", *options)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def walk(row: dict[str, Any]) -> None:
    if "rows" in row:
        assert sum(one["size_bytes"] for one in row["rows"]) == row["size_bytes"], row["name"]
        assert round(sum(one["percent"] for one in row["rows"]), 6) == round(row["percent"], 6), row["name"]
        for one in row["rows"]:
            walk(one)


def find(row: dict[str, Any], name: str) -> dict[str, Any]:
    """The biggest row of that name."""
    found = [row] if row["name"] == name else []
    found += [one for below in row.get("rows", ()) if (one := find(below, name))]
    return max(found, key=lambda one: int(one["size_bytes"]), default={})


@pytest.mark.parametrize("recipe", RECIPES)
def test_every_byte_of_an_image_is_told_and_the_twin_has_the_same_code(recipe: str) -> None:
    cell = f"hello-world@{recipe}"
    found = told(Project(root=ROOT), cell)
    measured = Project(root=ROOT).invoke(
        "build-matrix", "--sample=hello-world", f"--recipe={recipe}", "--bases=bootstrap", "--format=json"
    )
    (row,) = json.loads(measured.stdout)
    assert found["size_bytes"] == found["image"]["size_bytes"] == row["size_bytes"]
    assert found["image"]["percent"] == 100.0
    walk(found["image"])
    assert found["twin"]["same"] is True, found["twin"]["says"]
    program = find(found["image"], "/hello-world")
    assert program["size_bytes"] == row["program_size_bytes"]
    code = find(program, ".text")
    crates = {one["name"]: one["size_bytes"] for one in code["rows"]}
    assert {"std", "core", "alloc"} <= set(crates)
    assert ("libc (static)" in crates) == (recipe == "scratch-musl")
    # Names as people read them: what is mangled begins with _R or _ZN.
    names = [symbol["name"] for crate in code["rows"] for symbol in crate.get("rows", ())]
    assert any(name.startswith("std::") for name in names)
    assert not [name for name in names if name.startswith(("_R", "_ZN"))]
    packages = {group["name"].partition(" ")[0] for layer in found["image"]["rows"] for group in layer["rows"]}
    assert ("libc6" in packages) == (recipe != "scratch-musl")


def test_one_that_carries_a_duplicate_is_seen_by_exactly_that(tmp_path: Path) -> None:
    project = copy_project(tmp_path / "project")
    recipe = project.root / "recipes" / "scratch-musl.toml"
    plain = {one["kind"]: one for one in told(project, "hello-world@scratch-musl")["stowaways"]}
    (project.root / "recipes" / "scratch-twice.toml").write_text(
        recipe.read_text(encoding="utf-8").partition("[published]")[0] + TWICE, encoding="utf-8"
    )
    twice = {one["kind"]: one for one in told(project, "hello-world@scratch-twice")["stowaways"]}
    kind = "files that are there twice"
    assert twice.pop(kind) == {"kind": kind, "size_bytes": 15, "count": 1, "examples": ["/etc/two = /etc/one"]}
    assert twice == plain


def test_text_fits_a_terminal_and_a_wrong_number_is_told() -> None:
    project = Project(root=ROOT)
    text = project.invoke("bytes", "hello-world@scratch-musl", "--top=3", "--bases=bootstrap").stdout
    assert max(map(len, text.splitlines())) <= 80
    assert "100.0 % " in text
    none = project.invoke("bytes", "hello-world@scratch-musl", "--top=0")
    assert (none.returncode, none.stdout) == (2, "")
    assert none.stderr.startswith("error: --top 0: ")
