"""A C library of the user's own: what of its folder counts, and what is missing in one."""

from __future__ import annotations

import pytest

from bareboat.errors import RecipeError
from bareboat.inputs.load_recipes import load_recipes
from bareboat.inputs.sysroot import read_sysroot
from tests.unit.inputs.test_recipe import folder, problems  # noqa: F401 (a fixture)

FILES = ("crt1.o", "rcrt1.o", "crti.o", "crtn.o", "libc.a")
OWN = """
summary = "x"
[compile]
toolchain = "musl"
libc = "other"
crt = "static"
sysroot = "own"
[base]
scratch = true
"""


@pytest.fixture
def own(folder):  # noqa: F811
    """A whole C library beside the recipe that names it."""
    (folder / "mine.toml").write_text(OWN, encoding="utf-8")
    (folder / "own").mkdir()
    for name in FILES:
        (folder / "own" / name).write_bytes(name.encode())
    return folder / "own"


def respell(own, old, new):
    assert old in OWN
    (own.parent / "mine.toml").write_text(OWN.replace(old, new), encoding="utf-8")


@pytest.mark.parametrize("spelt", ["own", "./own", "{absolute}", "~/own"])
def test_a_path_is_beside_the_recipes_absolute_or_at_home(own, spelt, monkeypatch):
    monkeypatch.setenv("HOME", str(own.parent))
    path = spelt.format(absolute=own)
    respell(own, 'sysroot = "own"', f'sysroot = "{path}"')
    book = load_recipes(own.parent)
    found = book.sysroot_of(book.recipe("mine"))
    assert (found.path, found.folder, found.movable) == (path, own.resolve(), True)


def test_every_file_and_its_name_count_and_nothing_else(own):
    def digest():
        return read_sysroot("own", own.parent).digest

    first = digest()
    (own / "include").mkdir()
    (own / "include" / "stdio.h").write_text("")
    (own / "libc.a").touch()
    assert digest() == first
    seen = {first}
    for name, content in (("libm.a", b"m"), ("libm.a", b"n"), ("libc.a", b"other")):
        (own / name).write_bytes(content)
        seen.add(digest())
    (own / "libm.a").rename(own / "libn.a")
    assert len(seen | {digest()}) == 5


@pytest.mark.parametrize(
    ("gone", "said"),
    [
        (("libc.a",), "lacks libc.a"),
        (("crti.o", "crtn.o"), "lacks crti.o, crtn.o"),
        (("crt1.o", "rcrt1.o"), "lacks crt1.o or rcrt1.o"),
        (FILES, "lacks crti.o, crtn.o, libc.a, crt1.o or rcrt1.o"),
    ],
)
def test_what_is_missing_is_named_at_once(own, gone, said):
    for name in gone:
        (own / name).unlink()
    assert problems(own.parent) == [f"mine.toml: compile.sysroot: {own.resolve()} {said}"]


@pytest.mark.parametrize("name", ["crt1.o", "rcrt1.o"])
def test_one_of_the_two_that_begin_a_program_is_enough(own, name):
    (own / name).unlink()
    assert read_sysroot("own", own.parent).movable == (name == "crt1.o")


def test_a_link_is_followed_within_the_folder_alone(own, tmp_path):
    (own / "crt1.o").unlink()
    (own / "crt1.o").symlink_to("rcrt1.o")
    before = read_sysroot("own", own.parent).digest
    (own / "crt1.o").unlink()
    (own / "crt1.o").write_bytes(b"rcrt1.o")
    assert read_sysroot("own", own.parent).digest == before
    (own / "libc.a").rename(tmp_path / "libc.a")
    (own / "libc.a").symlink_to(tmp_path / "libc.a")
    with pytest.raises(RecipeError, match=r"libc\.a is a link that leads out of its folder"):
        read_sysroot("own", own.parent)


def test_an_absent_folder_is_a_mistake_unless_the_recipe_says_why(own):
    respell(own, '"own"', '"elsewhere"')
    absent = own.parent.resolve() / "elsewhere"
    assert problems(own.parent) == [f"mine.toml: compile.sysroot: there is no folder {absent}"]
    respell(own, '"own"', '"elsewhere"\nsysroot_absent = "bring it"')
    book = load_recipes(own.parent)
    assert book.lacks_sysroot(book.recipe("mine"))
    # What is there is to be whole all the same.
    absent.mkdir()
    assert problems(own.parent)[0].startswith(f"mine.toml: compile.sysroot: {absent} lacks crti.o")
    respell(own, '"own"', '"~nobody-of-that-name/x"')
    assert problems(own.parent)[0].startswith("mine.toml: compile.sysroot: ~nobody-of-that-name/x: ")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('libc = "other"', 'libc = "musl"', 'compile: libc is "other" where `sysroot` names a C library of your own'),
        ('sysroot = "own"\n', "", 'compile: libc is "other" where `sysroot` names a C library of your own'),
        ('crt = "static"', 'crt = "dynamic"', 'compile: a C library of your own is linked statically: crt = "static"'),
        (
            'libc = "other"\ncrt = "static"\nsysroot = "own"',
            'libc = "musl"\ncrt = "static"\nsysroot_absent = "x"',
            "compile: `sysroot_absent` says why the folder of a `sysroot` may be absent, and none is named",
        ),
        (
            'toolchain = "musl"',
            'toolchain = "gnu"',
            "compile.toolchain: 'gnu' is not for musl, in whose place a `sysroot` is linked",
        ),
        ('"own"', '"own\\n"', "compile.sysroot: 'own\\n' does not have the form"),
    ],
)
def test_what_does_not_go_together_is_a_mistake(own, old, new, said):
    respell(own, old, new)
    (problem,) = problems(own.parent)
    assert problem.startswith(f"mine.toml: {said}")


def test_a_file_that_cannot_be_read_is_named(own):
    (own / "libc.a").unlink()
    (own / "libc.a").mkdir()
    assert problems(own.parent) == [f"mine.toml: compile.sysroot: {own.resolve()} lacks libc.a"]
