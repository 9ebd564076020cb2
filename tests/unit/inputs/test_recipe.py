"""Recipes: the shipped ones load, and every mistake is named with file, key and what was probably meant."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest
import tomli

from bareboat.errors import RecipeError
from bareboat.inputs.base import Alpine, Base, Debian, Distroless, SameAs
from bareboat.inputs.load_recipes import load_recipes
from bareboat.inputs.schema import recipe_schema

RECIPES = Path(__file__).parents[3] / "recipes"
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
    assert book.toolchain("musl").base.bootstrap == SameAs(kind="same-as", of="gnu")
    assert book.bootstrap_of(book.toolchain("musl"))[0] == "gnu"


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.toml")), ids=lambda path: path.stem)
def test_the_schema_knows_every_key_of_a_shipped_recipe(path):
    text = path.read_text(encoding="utf-8")
    assert text.startswith("#:schema ../bareboat/recipe.schema.json\n")
    schema = recipe_schema()
    recipe = tomli.loads(text)
    assert set(schema["required"]) <= set(recipe) <= set(schema["properties"])
    assert unknown_keys(recipe, schema, schema) == []


def unknown_keys(table, node, schema):
    """The keys of a table that the schema does not allow there."""
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
    schema = recipe_schema()
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
            "mine.toml: compile.libc: 'gn' is not one of 'gnu', 'musl' or 'other' (did you mean 'gnu'?)",
        ),
        ('libc = "gnu"', "libc = 3", "mine.toml: compile.libc: '3' is not one of 'gnu', 'musl' or 'other'"),
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
            'bootstrap = {kind = "same-as", of = "gnu"}',
            "mine.toml: base.bootstrap.of: 'gnu' has no bootstrap of its own",
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
            "mine.toml: debian: unknown key (there are: base, compile, copy, expect_failure, published, runtime, ",
        ),
        (
            'summary = "x"',
            'summary = "x"\nexpect_failure = "it is known"',
            "mine.toml: expect_failure: is a table with keys (says, why), not 'it is known'",
        ),
        (
            'summary = "x"',
            'summary = "x"\nexpect_failure = { why = "it is known" }',
            "mine.toml: expect_failure.says: is missing",
        ),
        (
            'summary = "x"',
            'summary = "x"\nexpect_failure = { why = "it is known", says = "(" }',
            "mine.toml: expect_failure: `says` is no regular expression: missing ), unterminated subpattern",
        ),
        (
            'summary = "x"',
            'summary = "x"\nexpect_failure = { why = "it is known", says = ".*" }',
            "mine.toml: expect_failure: `says` is found in every text: '.*'",
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
    assert any(problem.startswith(said) for problem in spoil(folder, old, new))


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
    respell(folder, "musl", 'of = "gnu"', f'of = "{toolchain}"')
    said = f"'{toolchain}' has no bootstrap of its own {hint}"
    assert problems(folder) == [f"toolchains/musl.toml: base.bootstrap.of: {said}"]


def test_same_as_cannot_name_a_toolchain_that_has_an_image_alone(folder):
    (folder / "mine.toml").write_text(GOOD, encoding="utf-8")
    text = 'summary = "x"\nlibc = "gnu"\n[base]\nimage = "docker.io/library/rust:1-slim"\n'
    (folder / "toolchains" / "gnu.toml").write_text(text, encoding="utf-8")
    assert problems(folder) == ["toolchains/musl.toml: base.bootstrap.of: 'gnu' has no bootstrap of its own"]


def test_a_toolchain_cannot_be_scratch(folder):
    (folder / "mine.toml").write_text(GOOD, encoding="utf-8")
    text = 'summary = "x"\nlibc = "gnu"\n[base]\nscratch = true\n'
    (folder / "toolchains" / "void.toml").write_text(text, encoding="utf-8")
    assert problems(folder) == ["toolchains/void.toml: base.scratch: nothing can be compiled in an empty image"]


def test_a_broken_toolchain_is_not_said_to_be_absent(folder):
    (folder / "mine.toml").write_text(GOOD, encoding="utf-8")
    respell(folder, "gnu", 'libc = "gnu"', 'libc = "gnuu"')
    assert problems(folder) == ["toolchains/gnu.toml: libc: 'gnuu' is not one of 'gnu' or 'musl' (did you mean 'gnu'?)"]


COPY = """
[[copy]]
from = "toolchain"
path = "/a"
to = "/a"
why = "x"
"""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('to = "/a"', 'to = "a"', "to: 'a' must begin with a slash"),
        ('to = "/a"', 'to = "/../a"', "to: '/../a' has an empty, `.` or `..` part"),
        ('to = "/a"', 'to = "/a//b"', "has an empty, `.` or `..` part"),
        ('path = "/a"', 'path = "/b/../../etc/shadow"', "has an empty, `.` or `..` part"),
        ('to = "/a"', 'to = "/a\\nb"', "has a character that a Containerfile would read as more than a name"),
        ('to = "/a"', 'to = "/a b"', "has a character that a Containerfile would read as more than a name"),
        ('to = "/a"', 'to = "/$HOME"', "has a character that a Containerfile would read as more than a name"),
        ('to = "/a"', 'to = "/a/"', "a folder is copied to a folder"),
        ('why = "x"', 'why = "x"\nmode = "4755"', "mode 4755 is set-uid or set-gid"),
        ('why = "x"', 'why = "x"\nmode = "rwx"', "'rwx' does not have the form"),
        ('why = "x"', 'why = "x"\nowner = "root"', "'root' does not have the form"),
        ('why = "x"', "", "why: is missing"),
        ('why = "x"', 'why = "x"\ntext = "y"', "needs a `path` there, and no text"),
        ('from = "toolchain"', 'from = "toolchian"', "'toolchian' does not have the form"),
        ('from = "toolchain"', 'from = "base:nothing"', "copy.0.from: no recipe with a base: 'nothing'"),
        ('from = "toolchain"', 'from = "base:mine"', "copy.0.from: no recipe with a base: 'mine'"),
        ('from = "toolchain"', 'from = "crew:init"', 'from = "crew:init" is one program'),
        (
            'from = "toolchain"\npath = "/a"',
            'from = "crew:int"',
            "no such program of the crew: 'int' (did you mean 'init'?)",
        ),
        ('from = "toolchain"', 'from = "new"', "makes an empty folder"),
        ('from = "toolchain"', 'from = "recipe"', "path: '/a' must be relative to the folder of the recipes"),
        ('from = "toolchain"\npath = "/a"', 'from = "recipe"', "give its `text`, or `path`"),
        ('from = "toolchain"\npath = "/a"', 'from = "recipe"\npath = "x/y"', "x/y cannot be read"),
        (
            'from = "toolchain"\npath = "/a"',
            'from = "recipe"\npath = "link"',
            "is no file in the folder of the recipes",
        ),
        ('from = "toolchain"\npath = "/a"', 'from = "recipe"\npath = "loop"', "loop cannot be read"),
        (
            'from = "toolchain"\npath = "/a"',
            'from = "recipe"\npath = "pipe"',
            "is no file in the folder of the recipes",
        ),
        ('from = "toolchain"\npath = "/a"', 'from = "recipe"\npath = "bytes"', "bytes is no text"),
        ('from = "toolchain"\npath = "/a"', 'from = "recipe"\npath = "large"', "large has more than 65536 bytes"),
    ],
)
def test_a_wrong_copy_is_named(folder, old, new, said):
    (folder / "link").symlink_to("/etc/passwd")
    (folder / "loop").symlink_to("loop")
    (folder / "bytes").write_bytes(b"\xff")
    (folder / "large").write_bytes(b"x" * 65537)
    os.mkfifo(folder / "pipe")
    assert old in COPY
    (folder / "mine.toml").write_text(GOOD + COPY.replace(old, new), encoding="utf-8")
    (problem,) = problems(folder)
    assert problem.startswith("mine.toml: copy")
    assert said in problem


def test_two_copies_to_one_target_are_told(folder):
    (folder / "mine.toml").write_text(GOOD + COPY + COPY.replace('"x"', '"y"'), encoding="utf-8")
    assert problems(folder) == ["mine.toml: copy: /a is the target of two copies: 'x' and 'y'"]


def test_a_provision_that_is_not_there_is_told(folder):
    (folder / "mine.toml").write_text(GOOD.replace("summary =", 'with = ["cert"]\nsummary ='), encoding="utf-8")
    (folder / "provisions").mkdir()
    (folder / "provisions" / "certs.toml").write_text('summary = "x"\n' + COPY, encoding="utf-8")
    assert problems(folder) == ["mine.toml: with: no such provision: 'cert' (did you mean 'certs'?)"]


def test_every_mistake_of_one_recipe_is_told_at_once(folder):
    text = GOOD.replace("summary =", 'with = ["cert"]\nsamples = ["hello", "helo", "*"]\nsummary =')
    text = text.replace('libc = "gnu"', 'libc = "mussl"').replace('toolchain = "gnu"', 'toolchain = "gun"')
    (folder / "mine.toml").write_text(text + '\n[published]\nsize_bytes = 1\nsource = "x"\n', encoding="utf-8")
    (folder / "provisions").mkdir()
    (folder / "provisions" / "certs.toml").write_text('summary = "x"\n' + COPY, encoding="utf-8")
    with pytest.raises(RecipeError) as caught:
        load_recipes(folder, ["hello", "webserver"])
    assert sorted(str(caught.value).splitlines()) == [
        "mine.toml: compile.libc: 'mussl' is not one of 'gnu', 'musl' or 'other' (did you mean 'musl'?)",
        "mine.toml: compile.toolchain: no such toolchain: 'gun' (did you mean 'gnu'?)",
        "mine.toml: samples: no sample matches 'helo' (did you mean 'hello'?)",
        "mine.toml: with: no such provision: 'cert' (did you mean 'certs'?)",
    ]


def test_a_published_size_is_of_a_sample_that_there_is(folder):
    published = '\n[published]\nsize_bytes = 1\nsource = "x"\nsample = "helo"\n'
    (folder / "mine.toml").write_text(GOOD + published, encoding="utf-8")
    with pytest.raises(RecipeError, match=r"published\.sample: no sample matches 'helo' \(did you mean 'hello'\?\)"):
        load_recipes(folder, ["hello"])
    assert load_recipes(folder).recipes


@pytest.mark.parametrize(("script", "said"), [("x.sh", "cannot be read"), ("pipe", "is no file"), ("../x", "the form")])
def test_a_script_that_cannot_be_run_is_told_before_anything_is_made(folder, script, said):
    os.mkfifo(folder / "pipe")
    base = f'[base]\n[base.bootstrap]\nkind = "debian"\nsuite = "trixie"\nscript = "{script}"\n'
    (folder / "mine.toml").write_text(re.sub(r"\[base\][^\[]*", base, GOOD), encoding="utf-8")
    (problem,) = problems(folder)
    assert problem.startswith("mine.toml: base.bootstrap.script: ")
    assert said in problem


def test_a_text_beside_the_recipes_is_read_with_them(folder):
    (folder / "hosts").write_text("127.0.0.1 localhost\n", encoding="utf-8")
    copy = COPY.replace('from = "toolchain"\npath = "/a"', 'from = "recipe"\npath = "hosts"')
    (folder / "mine.toml").write_text(GOOD + copy, encoding="utf-8")
    (read,) = load_recipes(folder).recipe("mine").copies
    assert (read.text, read.path, read.permissions) == ("127.0.0.1 localhost\n", None, 0o644)


def test_a_recipes_own_copies_come_before_those_of_its_provisions():
    book = load_recipes(RECIPES)
    targets = [copy.to for copy in book.copies_of(book.recipe("scratch-musl-dynamic-net"))]
    assert targets[:2] == ["/lib/ld-musl-x86_64.so.1", "/etc/ssl/certs/ca-certificates.crt"]
    assert "/tmp/" in targets
