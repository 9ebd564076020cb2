"""What there is, as tables: recipes, samples, and the plan's cells and jobs. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tabulate import tabulate

from bareboat.plan import needs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bareboat.plan import Plan
    from bareboat.recipe import Recipe, RecipeBook
    from bareboat.sample import Sample


def list_recipes(book: RecipeBook) -> str:
    """A row a recipe, then a row a toolchain."""
    recipes = [
        (one.name, f"{one.compile.libc} {one.compile.crt}", one.compile.toolchain, _base(one), one.summary)
        for one in book.recipes
    ]
    toolchains = [(one.name, one.libc, one.base.image or "", one.summary) for one in book.toolchains]
    return "\n\n".join(
        [
            tabulate(recipes, ("Recipe", "Program", "Toolchain", "Base", "Summary")),
            tabulate(toolchains, ("Toolchain", "libc", "Image", "Summary")),
        ]
    )


def list_samples(samples: Sequence[Sample]) -> str:
    """A row a sample."""
    rows = [(one.name, one.binary, "yes" if one.needs_crates else "no", one.summary) for one in samples]
    return tabulate(rows, ("Sample", "Program", "Crates", "Summary"))


def list_plan(plan: Plan) -> str:
    """A row a job with what it waits for, then a row a skipped cell."""
    rows = [(number, job.id, ", ".join(need.id for need in needs(job))) for number, job in enumerate(plan.jobs, 1)]
    skipped = [(f"{one.sample}@{one.recipe}", one.reason) for one in plan.skipped]
    text = tabulate(rows, ("", "Job", "After"))
    if skipped:
        text += "\n\n" + tabulate(skipped, ("Skipped", "Why"))
    return f"{text}\n\n{len(plan.cells)} cells, {len(plan.jobs)} jobs; bases from {plan.source}"


def _base(recipe: Recipe) -> str:
    return "scratch" if recipe.base.scratch else recipe.base.image or "packages only"
