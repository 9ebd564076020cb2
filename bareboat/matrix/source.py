"""Decides where the bases of a run come from: registries that answer, or packages."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Literal

from bareboat.doctor.registry import unreachable
from bareboat.plan.planner import root_jobs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bareboat.inputs.recipe import RecipeBook
    from bareboat.plan.jobs import BaseSource
    from bareboat.system.process import Processes

Bases = Literal["auto", "registry", "bootstrap"]


def choose_source(
    bases: Bases, book: RecipeBook, processes: Processes, environment: Mapping[str, str]
) -> tuple[BaseSource, str]:
    """Where bases come from in this run, and one line of why; auto asks each registry that the recipes name once."""
    if bases != "auto":
        return bases, f"bases: {bases}, as asked"
    named = [job.reference for job in root_jobs(book, "registry") if job.source == "registry"]
    one_each = list({reference.partition("/")[0]: reference for reference in named}.values())
    if not one_each:
        return "bootstrap", "bases: made from packages; no recipe names a registry image"
    with ThreadPoolExecutor(len(one_each)) as pool:
        reasons = pool.map(lambda reference: unreachable(processes, reference, environment), one_each)
    silent = [reference.partition("/")[0] for reference, why in zip(one_each, reasons, strict=True) if why]
    if silent:
        return "bootstrap", f"bases: made from packages; no answer from {', '.join(silent)}"
    return "registry", "bases: from the registries, which answer"
