"""Where bases come from, decided by what the registries answer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bareboat.doctor.registry import check_registries
from bareboat.errors import EngineError
from bareboat.inputs.load_recipes import load_recipes
from bareboat.matrix.source import choose_source, one_image_each

BOOK = load_recipes(Path(__file__).parents[3] / "recipes")
HOSTS = ("docker.io", "gcr.io")


class Registries:
    """Stands in for Processes: Podman finds no manifest where a registry is silent."""

    def __init__(self, **silent):
        self.silent = {host.replace("_", "."): line for host, line in silent.items()}
        self.asked = []

    def run(self, argv, **_):
        reference = argv[-1]
        self.asked.append(reference)
        if line := self.silent.get(reference.partition("/")[0]):
            raise EngineError("podman manifest inspect", 125, [line])
        return "{}"


def test_one_image_stands_for_each_registry():
    assert tuple(sorted(image.partition("/")[0] for image in one_image_each(BOOK))) == HOSTS


def test_registries_are_used_when_all_of_them_answer_and_each_is_asked_once():
    registries = Registries()
    assert choose_source("auto", BOOK, registries, {}) == ("registry", "bases: from the registries, which answer")
    assert sorted(registries.asked) == sorted(one_image_each(BOOK))


def test_packages_are_used_when_one_is_silent():
    registries = Registries(gcr_io="Error: pinging registry gcr.io: connection refused")
    assert choose_source("auto", BOOK, registries, {}) == (
        "bootstrap",
        "bases: made from packages; no answer from gcr.io",
    )


def test_an_image_of_one_platform_is_an_answer():
    registries = Registries(gcr_io="Error: Treating single images as manifest lists is not implemented")
    assert choose_source("auto", BOOK, registries, {})[0] == "registry"


@pytest.mark.parametrize("bases", ["registry", "bootstrap"])
def test_what_is_asked_for_is_taken_and_no_registry_is_asked(bases):
    registries = Registries()
    assert choose_source(bases, BOOK, registries, {}) == (bases, f"bases: {bases}, as asked")
    assert registries.asked == []


def test_without_a_registry_image_there_is_nothing_to_ask():
    recipes = tuple(recipe for recipe in BOOK.recipes if recipe.base.scratch)
    toolchains = tuple(replace(one, base=replace(one.base, image=None)) for one in BOOK.toolchains)
    book = replace(BOOK, recipes=recipes, toolchains=toolchains)
    registries = Registries()
    assert choose_source("auto", book, registries, {})[0] == "bootstrap"
    assert registries.asked == []


def test_the_doctor_tells_of_each_registry():
    registries = Registries(gcr_io="Error: pinging registry gcr.io: connection refused")
    checks = check_registries(registries, {}, ("docker.io/library/debian:trixie", "gcr.io/distroless/cc:latest"))
    assert [(check.name, check.status) for check in checks] == [
        ("registry docker.io", "good"),
        ("registry gcr.io", "warning"),
    ]
    assert checks[1].finding == "does not answer: connection refused"
    assert check_registries(registries, {}, ()) == ()
