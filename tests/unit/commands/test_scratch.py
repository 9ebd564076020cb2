"""What `invoke scratch` makes of its flags."""

from __future__ import annotations

from pathlib import Path

import pytest

from bareboat.commands.scratch import choose_recipe
from bareboat.errors import SelectionError
from bareboat.inputs.load_recipes import load_recipes

BOOK = load_recipes(Path(__file__).parents[3] / "recipes")


@pytest.mark.parametrize(
    ("libc", "crt", "name"),
    [
        ("musl", "static", "scratch-musl"),
        ("gnu", "static", "scratch-glibc"),
        ("gnu", "dynamic", "scratch-glibc-dynamic"),
        ("musl", "dynamic", "scratch-musl-dynamic"),
    ],
)
def test_libc_and_linkage_choose_the_plain_recipe(libc, crt, name):
    assert choose_recipe(BOOK, libc, crt, ()).name == name


def test_provisions_are_added_under_a_name_of_their_own():
    recipe = choose_recipe(BOOK, "musl", "static", ("tz", "certs", "tz"))
    assert (recipe.name, recipe.provisions) == ("scratch-musl+certs+tz", ("tz", "certs"))


def test_a_provision_that_is_not_there_lists_those_that_are():
    with pytest.raises(SelectionError, match=r"--with zzz: no such provision \(there are: certs, init, libm, nss"):
        choose_recipe(BOOK, "musl", "static", ("zzz",))
