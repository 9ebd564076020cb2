"""Decides where the bases of a run come from: registries that answer, or packages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bareboat.doctor.registry import ask_registries, registry_of
from bareboat.plan.planner import root_jobs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bareboat.inputs.recipe import RecipeBook
    from bareboat.plan.jobs import Bases, BaseSource
    from bareboat.system.process import Processes


def choose_source(
    bases: Bases, book: RecipeBook, processes: Processes, environment: Mapping[str, str]
) -> tuple[BaseSource, str]:
    """Where bases come from in this run, and one line of why; auto asks each registry that the recipes name once."""
    if bases != "auto":
        return bases, f"bases: {bases}, as asked"
    asked = one_image_each(book)
    if not asked:
        return "bootstrap", "bases: made from packages; no recipe names a registry image"
    silent = [registry_of(image) for image, why in ask_registries(processes, environment, asked).items() if why]
    if silent:
        return "bootstrap", f"bases: made from packages; no answer from {', '.join(silent)}"
    return "registry", "bases: from the registries, which answer"


def one_image_each(book: RecipeBook) -> tuple[str, ...]:
    """One image of each registry that the recipes name: what to ask for to learn whether the registry answers."""
    named = [job.reference for job in root_jobs(book, "registry") if job.source == "registry"]
    return tuple({registry_of(reference): reference for reference in named}.values())
