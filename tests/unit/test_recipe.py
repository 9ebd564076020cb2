"""Recipes: the shipped ones load, and every mistake is named with file, key and what was probably meant."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bareboat.errors import RecipeError
from bareboat.recipe import load_recipes

RECIPES = Path(__file__).parents[2] / "recipes"
GOOD = """
summary = "x"
[compile]
toolchain = "gnu"
libc = "gnu"
crt = "static"
[base]
scratch = true
"""


@pytest.fixture
def folder(tmp_path):
    shutil.copytree(RECIPES / "toolchains", tmp_path / "toolchains")
    return tmp_path


def problems(folder):
    with pytest.raises(RecipeError) as caught:
        load_recipes(folder)
    return str(caught.value).splitlines()


def spoil(folder, old, new):
    assert old in GOOD
    (folder / "mine.toml").write_text(GOOD.replace(old, new), encoding="utf-8")
    return problems(folder)


def test_the_shipped_recipes_load():
    book = load_recipes(RECIPES)
    assert {"alpine", "debian", "scratch-musl"} <= {recipe.name for recipe in book.recipes}
    assert book.bootstrap_of(book.toolchain("musl")) == book.bootstrap_of(book.toolchain("gnu"))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("crt =", "ctr =", "mine.toml: compile.ctr: unknown key (did you mean 'crt'?)"),
        ("crt =", "ctr =", "mine.toml: compile.crt: is missing"),
        (
            'libc = "gnu"',
            'libc = "gn"',
            "mine.toml: compile.libc: 'gn' is not one of 'gnu' or 'musl' (did you mean 'gnu'?)",
        ),
        ('libc = "gnu"', "libc = 3", "mine.toml: compile.libc: '3' is not one of 'gnu' or 'musl'"),
        ('summary = "x"', "summary = 3", "mine.toml: summary: input should be a valid string, not 3"),
        (
            'toolchain = "gnu"',
            'toolchain = "gun"',
            "mine.toml: compile.toolchain: no such toolchain: 'gun' (did you mean 'gnu'?)",
        ),
        (
            "scratch = true",
            'scratch = true\nimage = "docker.io/library/debian:trixie"',
            "mine.toml: base: scratch is empty: it takes neither image nor bootstrap; remove one of them",
        ),
        (
            "scratch = true",
            "",
            'mine.toml: base: a base is needed: scratch = true, image = "..." or a bootstrap table',
        ),
        (
            'summary = "x"',
            'summary = "x"\nname = "y"',
            "mine.toml: name: unknown key: the file's name already says 'mine'",
        ),
        (
            "scratch = true",
            'bootstrap = {kind = "same-as", toolchain = "gnu"}',
            "mine.toml: base.bootstrap.kind: same-as is for toolchains",
        ),
        (
            "scratch = true",
            'bootstrap = {kind = "debian", suit = "trixie"}',
            "mine.toml: base.bootstrap.suit: unknown key (did you mean 'suite'?)",
        ),
        (
            "scratch = true",
            'bootstrap = {kind = "gentoo"}',
            "mine.toml: base.bootstrap: kind 'gentoo' is not one of 'debian', 'distroless', 'alpine', 'same-as'",
        ),
    ],
)
def test_a_mistake_is_named(folder, old, new, said):
    assert said in spoil(folder, old, new)


def test_every_problem_of_every_file_is_told_at_once(folder):
    (folder / "one.toml").write_text(GOOD.replace("crt =", "ctr ="), encoding="utf-8")
    (folder / "two.toml").write_text("summary = [", encoding="utf-8")
    (folder / "three.toml").write_bytes(b"\xff")
    files = [line.partition(":")[0] for line in problems(folder)]
    assert files.count("one.toml") == 2
    assert {"two.toml", "three.toml"} <= set(files)


def test_an_empty_folder_is_named(tmp_path):
    assert problems(tmp_path) == [f"{tmp_path}: has no recipe (a *.toml file)"]


def test_a_toolchain_cannot_be_the_same_as_one_without_a_bootstrap(folder):
    (folder / "mine.toml").write_text(GOOD, encoding="utf-8")
    musl = folder / "toolchains" / "musl.toml"
    musl.write_text(
        musl.read_text(encoding="utf-8").replace('toolchain = "gnu"', 'toolchain = "musl"'), encoding="utf-8"
    )
    assert problems(folder)[0].startswith("toolchains/musl.toml: base.bootstrap.toolchain: 'musl' is no toolchain with")
