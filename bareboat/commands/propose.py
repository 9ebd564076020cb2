"""What a run saw of a crate that its Cargo.toml can say from then on. Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from bareboat.report import run_sentences
from bareboat.result.values import Failed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bareboat.inputs.recipe import RecipeBook
    from bareboat.result.values import Ran, Result

FROM_SCRATCH = "scratch-*"
# As `explain_compile` says it, which knows the packages.
_PACKAGES = re.compile(r"^ *toolchain-packages = \[(.*)\]$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """Keys of the table."""

    # The keys and their values.
    keys: dict[str, Any]
    # Why, by key, in one line.
    notes: dict[str, str]
    # What the user should know before being asked for more, each in a line.
    seen: tuple[str, ...] = ()


def propose(results: Sequence[Result], book: RecipeBook) -> Proposal:
    """What the results of one package say."""
    wants, why = defaultdict[str, list[str]](list), dict[str, None]()
    for recipe, provision, reason in _wanted(results):
        if provision not in wants[recipe]:
            wants[recipe].append(provision)
        why[f"{provision}: else {reason}"] = None
    packages = sorted({package for result in results for package in _packages(result)})
    ran = [result.ran for result in results if result.ran]
    # What does not heed SIGTERM would fail as a service, and has passed without a word on it.
    serving = next((run for run in reversed(ran) if run.running and run.ports and run.stop_seconds is not None), None)
    return Proposal(
        keys={
            **({"service": _service(serving)} if serving else {}),
            **({"with": _by_pattern(wants, results, book)} if wants else {}),
            **({"toolchain-packages": packages} if packages else {}),
        },
        notes={"with": "; ".join(why)} if why else {},
        seen=tuple(run_sentences(ran[-1])) if ran else (),
    )


def _wanted(results: Sequence[Result]) -> Iterator[tuple[str, str, str]]:
    """Recipe, provision and reason, of what was mended, and of what a base that nothing mends lacks."""
    for result in results:
        for mend in (mend for mend in result.mended if mend.provision):
            yield mend.recipe, mend.provision, mend.why
        if result.lacks and isinstance(result.outcome, Failed):
            yield result.recipe, result.lacks, result.outcome.reason.partition(";")[0]


def _service(ran: Ran) -> dict[str, Any]:
    """The first port that it listened on; where `/` has no good answer there, nothing is to be asked of it."""
    good = ran.answers[0].startswith(("HTTP 2", "HTTP 3"))
    return {"port": ran.ports[0], **({} if good else {"ready": ""})}


def _packages(result: Result) -> Iterator[str]:
    if isinstance(result.outcome, Failed) and (found := _PACKAGES.search(result.outcome.detail)):
        yield from re.findall(r'"([^"]+)"', found[1])


def _by_pattern(wants: dict[str, list[str]], results: Sequence[Result], book: RecipeBook) -> dict[str, list[str]]:
    """The provisions by recipe; by one pattern where all that were run from scratch want them or have them."""
    has = {recipe.name: {*recipe.provisions, *wants[recipe.name]} for recipe in book.recipes if recipe.base.scratch}
    every = list(dict.fromkeys(name for recipe in has for name in wants[recipe]))
    ran = {result.recipe for result in results} & has.keys()
    alike = bool(every) and all(fnmatchcase(recipe, FROM_SCRATCH) and has[recipe].issuperset(every) for recipe in ran)
    own = {recipe: names for recipe, names in wants.items() if names and not (alike and recipe in has)}
    return {FROM_SCRATCH: every, **own} if alike else own
