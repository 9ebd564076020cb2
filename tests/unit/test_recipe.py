"""Recipes: the shipped ones load, and every mistake is named with file, key and what was probably meant."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import tomli

from bareboat.commands import schema_text
from bareboat.errors import RecipeError
from bareboat.recipe import Alpine, Base, Debian, Distroless, SameAs, load_recipes

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


def respell(folder, toolchain, old, new):
    path = folder / "toolchains" / f"{toolchain}.toml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_the_shipped_recipes_load():
    book = load_recipes(RECIPES)
    assert [recipe.name for recipe in book.recipes] == sorted(path.stem for path in RECIPES.glob("*.toml"))
    assert {"alpine", "debian", "scratch-musl"} <= {recipe.name for recipe in book.recipes}
    assert [toolchain.name for toolchain in book.toolchains] == ["gnu", "musl"]
    assert book.bootstrap_of(book.toolchain("musl")) == book.bootstrap_of(book.toolchain("gnu"))


def test_a_shipped_recipe_is_read_as_it_is_written():
    book = {recipe.name: recipe for recipe in load_recipes(RECIPES).recipes}
    assert book["scratch-musl"].base == Base(scratch=True)
    assert (book["scratch-musl"].compile.libc, book["scratch-musl"].compile.crt) == ("musl", "static")
    assert book["debian-slim"].base == Base(
        image="docker.io/library/debian:trixie-slim", bootstrap=Debian(kind="debian", suite="trixie", slim=True)
    )
    assert isinstance(book["alpine"].base.bootstrap, Alpine)
    assert isinstance(book["distroless-cc"].base.bootstrap, Distroless)
    assert {recipe.runtime.user for recipe in book.values()} == {"65532:65532"}


def test_a_toolchain_that_is_the_same_as_another_names_the_image_of_that_one():
    book = load_recipes(RECIPES)
    assert book.toolchain("musl").base.bootstrap == SameAs(kind="same-as", toolchain="gnu")
    assert book.bootstrap_of(book.toolchain("musl"))[0] == "gnu"


def test_the_committed_schema_is_that_of_the_code():
    assert (RECIPES.parent / "bareboat" / "recipe.schema.json").read_text(encoding="utf-8") == schema_text()


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.toml")), ids=lambda path: path.stem)
def test_the_schema_knows_every_key_of_a_shipped_recipe(path):
    text = path.read_text(encoding="utf-8")
    assert text.startswith("#:schema ../bareboat/recipe.schema.json\n")
    schema = json.loads(schema_text())
    recipe = tomli.loads(text)
    assert set(schema["required"]) <= set(recipe) <= set(schema["properties"])
    assert unknown_keys(recipe, schema, schema) == []


def unknown_keys(table, node, schema):
    """Keys of a table that none of the shapes which the schema allows there has."""
    shapes = list(shapes_of(node, schema))
    known = {key: child for shape in shapes for key, child in shape.get("properties", {}).items()}
    unknown = sorted(set(table) - set(known))
    for key in set(table) & set(known):
        if isinstance(table[key], dict):
            unknown += unknown_keys(table[key], known[key], schema)
    return unknown


def shapes_of(node, schema):
    if "$ref" in node:
        node = schema["$defs"][node["$ref"].rsplit("/", 1)[-1]]
    yield node
    for option in (*node.get("anyOf", ()), *node.get("oneOf", ())):
        yield from shapes_of(option, schema)


def test_the_schema_refuses_what_the_loader_refuses():
    schema = json.loads(schema_text())
    assert "name" not in schema["properties"]
    assert schema["additionalProperties"] is False
    assert all(shape["additionalProperties"] is False for shape in schema["$defs"].values())


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
            'scratch = true\nbootstrap = {kind = "debian", suite = "trixie"}',
            "mine.toml: base: scratch is empty: it takes neither image nor bootstrap; remove one of them",
        ),
        ("scratch = true", 'scratch = "yes"', "mine.toml: base.scratch: input should be a valid boolean, not 'yes'"),
        ("[base]", "[bsae]", "mine.toml: bsae: unknown key (did you mean 'base'?)"),
        ("[base]", "[bsae]", "mine.toml: base: is missing"),
        ('summary = "x"', "", "mine.toml: summary: is missing"),
        (
            'crt = "static"',
            'crt = "sttic"',
            "mine.toml: compile.crt: 'sttic' is not one of 'static' or 'dynamic' (did you mean 'static'?)",
        ),
        (
            'toolchain = "gnu"',
            'toolchain = "quux"',
            "mine.toml: compile.toolchain: no such toolchain: 'quux' (there are: gnu, musl)",
        ),
        (
            'summary = "x"',
            'summary = "x"\ndebian = 3',
            "mine.toml: debian: unknown key (there are: base, compile, published, runtime, summary)",
        ),
        (
            "scratch = true",
            'bootstrap = {suite = "trixie"}',
            "mine.toml: base.bootstrap: needs a key `kind`",
        ),
        (
            "scratch = true",
            'bootstrap = {kind = "distroless", suite = "trixie"}',
            "mine.toml: base.bootstrap.packages: is missing",
        ),
        (
            "scratch = true",
            'scratch = true\n[runtime]\nuser = "nonroot"',
            "mine.toml: runtime.user: 'nonroot' does not have the form ^[0-9]+:[0-9]+$",
        ),
        (
            "scratch = true",
            "scratch = true\n[runtime.env]\ndebian = 3",
            "mine.toml: runtime.env.debian: input should be a valid string, not 3",
        ),
        (
            "scratch = true",
            'scratch = true\n[runtime.env]\nTWO = "a\\nb"',
            "mine.toml: runtime.env.TWO: 'a\\nb' does not have the form ^[^\\n\\r\\x00]*$",
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
    (folder / "fine.toml").write_text(GOOD, encoding="utf-8")
    (folder / "one.toml").write_text(GOOD.replace("crt =", "ctr ="), encoding="utf-8")
    (folder / "four.toml").write_text(GOOD.replace('"gnu"', '"gun"'), encoding="utf-8")
    respell(folder, "gnu", "suite", "siute")
    (folder / "two.toml").write_text("summary = [", encoding="utf-8")
    (folder / "three.toml").write_bytes(b"\xff")
    files = [line.partition(":")[0] for line in problems(folder)]
    assert files.count("one.toml") == 2
    assert set(files) == {"one.toml", "two.toml", "three.toml", "four.toml", "toolchains/gnu.toml"}


def test_an_empty_folder_is_named(tmp_path):
    assert problems(tmp_path) == [f"{tmp_path}: has no recipe (a *.toml file)"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"summary = [", "mine.toml: not TOML: "),
        (b'summary = "caf\xe9"', "mine.toml: cannot be read: 'utf-8' codec can't decode byte 0xe9"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(folder, content, said):
    (folder / "mine.toml").write_bytes(content)
    (line,) = problems(folder)
    assert line.startswith(said)


def test_a_folder_is_not_searched_for_recipes_of_another_ending(folder):
    (folder / "mine.toml").write_text(GOOD, encoding="utf-8")
    (folder / "README.md").write_text("not TOML", encoding="utf-8")
    assert [recipe.name for recipe in load_recipes(folder).recipes] == ["mine"]


@pytest.mark.parametrize(
    ("toolchain", "hint"),
    [("musl", "(there are: gnu)"), ("gun", "(did you mean 'gnu'?)")],
)
def test_same_as_must_name_a_toolchain_with_a_bootstrap_of_its_own(folder, toolchain, hint):
    (folder / "mine.toml").write_text(GOOD, encoding="utf-8")
    respell(folder, "musl", 'toolchain = "gnu"', f'toolchain = "{toolchain}"')
    said = f"'{toolchain}' is no toolchain with a bootstrap of its own {hint}"
    assert problems(folder) == [f"toolchains/musl.toml: base.bootstrap.toolchain: {said}"]


def test_same_as_cannot_name_a_toolchain_that_has_an_image_alone(folder):
    (folder / "mine.toml").write_text(GOOD, encoding="utf-8")
    text = 'summary = "x"\nlibc = "gnu"\n[base]\nimage = "docker.io/library/rust:1-slim"\n'
    (folder / "toolchains" / "gnu.toml").write_text(text, encoding="utf-8")
    assert problems(folder) == [
        "toolchains/musl.toml: base.bootstrap.toolchain: 'gnu' is no toolchain with a bootstrap of its own"
    ]


def test_a_toolchain_cannot_be_scratch(folder):
    (folder / "mine.toml").write_text(GOOD, encoding="utf-8")
    text = 'summary = "x"\nlibc = "gnu"\n[base]\nscratch = true\n'
    (folder / "toolchains" / "void.toml").write_text(text, encoding="utf-8")
    assert problems(folder) == ["toolchains/void.toml: base.scratch: nothing can be compiled in an empty image"]


def test_a_broken_toolchain_is_not_said_to_be_absent(folder):
    (folder / "mine.toml").write_text(GOOD, encoding="utf-8")
    respell(folder, "gnu", 'libc = "gnu"', 'libc = "gnuu"')
    assert problems(folder) == ["toolchains/gnu.toml: libc: 'gnuu' is not one of 'gnu' or 'musl' (did you mean 'gnu'?)"]
