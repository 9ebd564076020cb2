"""Finds what mends a cell, by what was measured of others: a provision, another base; and what that costs. Pure."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from bareboat.report.explain import Cure
from bareboat.report.figures import size_text
from bareboat.report.table import size_of
from bareboat.result.values import Failed, Passed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from bareboat.inputs.recipe import Provision, Recipe, RecipeBook
    from bareboat.result.values import Result

# Of a file in a tar: its header's block, and at most another that its last bytes do not fill.
_TAR_BYTES = 2 * 512
# What a program lacks of its run, and of no image (check/causes.py).
_CONFINED = re.compile(r"(?:lacks|waits for) a (?:network:|place to write to:)")
# What a preflight tells of a file that the toolchain has (check/prediction.py).
_COPY = re.compile(
    r"package (?P<package>\S+ \S+) has it; add to (?P<file>\S+):\n\n"
    r"(?P<lines>(?:  .*\n)*?  path = \"(?P<path>[^\"\n]*)\"\n  to = \"(?P<to>[^\"\n]*)\"\n  why = .*)"
)


def find_cures(
    result: Result, others: Iterable[Result], book: RecipeBook, provision: str, cost: float | None
) -> tuple[Cure, ...]:
    """What mends a failed cell, the smallest change first.

    `others` are the results of the same program on this machine, `provision` brings what it lacks, "" where none does,
    and weighs `cost` bytes, where that is known.
    """
    if not isinstance(result.outcome, Failed):
        return ()
    works = [one for one in others if isinstance(one.outcome, Passed) and one.sample == result.sample]
    cures = [give(result.recipe, [provision], cost)] if provision else [*_copies(result.outcome.detail, works)]
    cures += _other_bases(result, works, book)
    if _CONFINED.search(result.outcome.reason):
        return (Cure(says="No base mends that: it is how runs are confined."),)
    if not cures and result.outcome.stage != "compile":
        cures.append(Cure(says="No base that was measured has it work: `invoke build-matrix` tries them all."))
    return tuple(cures)


def give(recipe: str, provisions: Sequence[str], cost: float | None) -> Cure:
    """Have a recipe's images bring provisions aboard."""
    names = ", ".join(f"'{name}'" for name in provisions)
    brings = f"Provision {names} brings" if len(provisions) == 1 else f"Provisions {names} bring"
    key = recipe if re.fullmatch(r"[\w-]+", recipe) else json.dumps(recipe)
    return Cure(
        says=f"{brings} it aboard{f', about {size_text(cost)}' if cost else ''}: add to Cargo.toml what stands below.",
        lines=("[package.metadata.bareboat]", f"with = {{ {key} = {json.dumps(list(provisions))} }}"),
    )


def provision_bytes(provision: Provision, results: Iterable[Result]) -> float | None:
    """What an image weighs more with a provision, or a little less; None where no manifest has one of its files.

    Of several manifests the first counts. A layer is a tar, in which each file has a header and fills its last block.
    """
    aboard: dict[str, int] = {}
    for row in (row for result in results for row in result.manifest):
        aboard.setdefault(row.path.rstrip("/"), row.size_bytes + max(row.files, 1) * _TAR_BYTES)
    sizes = [
        _TAR_BYTES + len((copy.text or "").encode()) if copy.is_made else aboard.get(copy.to.rstrip("/"))
        for copy in provision.copies
    ]
    known = [size for size in sizes if size is not None]
    return sum(known) if len(known) == len(sizes) else None


def _copies(detail: str, works: Iterable[Result]) -> Iterator[Cure]:
    """The copies from the toolchain that a preflight has named, each file once; `works` tell what one weighs."""
    aboard = {row.path: row.size_bytes for result in works for row in result.manifest}
    copies = {found["path"]: found for found in reversed(list(_COPY.finditer(detail)))}
    for found in reversed(copies.values()):
        size = aboard.get(found["to"])
        weight = f" ({size_text(size)})" if size else ""
        lines = tuple(line.strip() for line in found["lines"].rstrip().split("\n"))
        yield Cure(
            says=f"Package {found['package']} has it{weight}: add to {found['file']} what stands below.", lines=lines
        )


def _other_bases(result: Result, works: list[Result], book: RecipeBook) -> Iterator[Cure]:
    """The smallest base that the same program works on, and the smallest of all where that is another."""
    recipes = {recipe.name: recipe for recipe in book.recipes}
    own = recipes.get(result.recipe)
    smallest = sorted(works, key=lambda one: (size_of(one) or 0, one.recipe))
    same = [one for one in smallest if own and _compiles_alike(own, recipes.get(one.recipe))]
    if same:
        yield Cure(says=f"The same program works on {_weighed(same[0], result)}.")
    if smallest and smallest[0] not in same[:1]:
        yield Cure(says=f"{'Smallest of all that work is' if same else 'It works on'} {_weighed(smallest[0], result)}.")


def _compiles_alike(one: Recipe, other: Recipe | None) -> bool:
    return other is not None and one.compile == other.compile


def _weighed(other: Result, result: Result) -> str:
    size, own = size_of(other), size_of(result)
    if size is None:
        return other.recipe
    if own is None or size == own:
        return f"{other.recipe} ({size_text(size)})"
    more = f"{size_text(abs(size - own))} {'more' if size > own else 'less'}"
    return f"{other.recipe} ({size_text(size)}, {more})"
