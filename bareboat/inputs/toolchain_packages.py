"""Toolchains with more Debian packages, for a crate of the user's own that links to C libraries."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

from bareboat.errors import SampleError
from bareboat.inputs.base import Debian, SameAs

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bareboat.inputs.recipe import RecipeBook, Toolchain
    from bareboat.inputs.sample import Sample

# No toolchain of a recipe file has it in its name.
_MARK = ".with-"
_DIGITS = 8


def is_extended(name: str) -> bool:
    """Whether a toolchain of that name is a recipe file's with more packages."""
    return _MARK in name


def extend_toolchains(book: RecipeBook, samples: Iterable[Sample]) -> RecipeBook:
    """The book with toolchains that have the packages that the samples ask for; as it is where none asks.

    A registry's toolchain takes no packages, so that these are made from packages whole. Raises SampleError where none
    of the book's can be.
    """
    packages = tuple(sorted({package for sample in samples for package in sample.toolchain_packages}))
    if not packages:
        return book
    toolchains = tuple(_extend(toolchain, packages) for toolchain in book.toolchains)
    if not any(isinstance(toolchain.base.bootstrap, Debian) for toolchain in toolchains):
        raise SampleError("toolchain-packages: no toolchain is made from Debian's packages here")
    recipes = tuple(
        replace(recipe, compile=replace(recipe.compile, toolchain=_name(recipe.compile.toolchain, packages)))
        for recipe in book.recipes
    )
    return replace(book, toolchains=toolchains, recipes=recipes)


def _extend(toolchain: Toolchain, packages: tuple[str, ...]) -> Toolchain:
    bootstrap = toolchain.base.bootstrap
    if isinstance(bootstrap, Debian):
        bootstrap = replace(bootstrap, packages=tuple(dict.fromkeys([*bootstrap.packages, *packages])))
    elif isinstance(bootstrap, SameAs):
        bootstrap = replace(bootstrap, of=_name(bootstrap.of, packages))
    base = replace(toolchain.base, image=None if bootstrap else toolchain.base.image, bootstrap=bootstrap)
    return replace(toolchain, name=_name(toolchain.name, packages), base=base)


def _name(name: str, packages: tuple[str, ...]) -> str:
    # An image is called by it, whose name has no plus sign and is not long.
    return f"{name}{_MARK}{hashlib.sha256(' '.join(packages).encode()).hexdigest()[:_DIGITS]}"
