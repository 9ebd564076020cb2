"""Which samples and recipes the words of a command mean, and which of them fit together. Pure."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Protocol, TypeVar

from bareboat.errors import SelectionError
from bareboat.inputs.tomlfile import did_you_mean, spelt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bareboat.inputs.recipe import Recipe
    from bareboat.inputs.sample import Sample


def fits(sample: Sample, recipe: Recipe) -> bool:
    """Whether a sample and a recipe take each other."""
    return _matches(recipe.name, sample.recipes) and _matches(sample.name, recipe.samples)


def say_no_pair(samples: Sequence[Sample], recipes: Sequence[Recipe]) -> str:
    """Why none of the samples goes with any of the recipes, in one line."""
    says = [f"sample '{item.name}' is for recipes {', '.join(item.recipes)}" for item in samples if item.recipes]
    says += [f"recipe '{item.name}' is for samples {', '.join(item.samples)}" for item in recipes if item.samples]
    return spelt(f"no selected recipe takes a selected sample: {'; '.join(says)}")


class Named(Protocol):
    """What has a name."""

    @property
    def name(self) -> str:
        """The name."""


T = TypeVar("T", bound=Named)


def select_named(known: Sequence[T], patterns: Sequence[str], what: str) -> tuple[T, ...]:
    """Those of the known whose names match a pattern, all of them without one; SelectionError where one matches none.

    An error calls them `what`: recipe, sample.
    """
    names = [named.name for named in known]
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in names):
            hint = did_you_mean(pattern, names)
            there = "" if hint.startswith(" (there are") else f"; there are: {', '.join(names)}"
            raise SelectionError(f"no {what} matches '{pattern}'{hint}{there}")
    return tuple(named for named in known if _matches(named.name, patterns))


def _matches(name: str, patterns: Sequence[str]) -> bool:
    return not patterns or any(fnmatchcase(name, pattern) for pattern in patterns)
