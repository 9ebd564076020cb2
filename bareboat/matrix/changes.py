"""What of today's recipes, samples, lock and code differs from what a result was made of; no engine is asked.

A result says what it was made of as far as an engine or a compiler has to be asked for it: digests, and the compiled
program's. From these and from what the user wrote the keys of today are composed as a run composes them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bareboat.errors import BareboatError
from bareboat.inputs.lock import pinned_reference
from bareboat.make.standing import bootstrap_key
from bareboat.matrix.standing import made_of, result_key
from bareboat.plan.jobs import PLATFORMS
from bareboat.plan.keys import pins_key, program_key, source_key
from bareboat.plan.planner import PlanInputs, plan_cell

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from bareboat.inputs.lock import Lock
    from bareboat.inputs.recipe import RecipeBook
    from bareboat.inputs.sample import Sample
    from bareboat.plan.jobs import Cell, ProgramJob, RootJob
    from bareboat.result.values import Host, Ingredients, Result


@dataclass(frozen=True, slots=True, kw_only=True)
class Today:
    """What results are held to."""

    book: RecipeBook
    samples: tuple[Sample, ...]
    harbor: Sample | None  # the instrument that services are held to; None where there is no service
    gauge: Sample | None = None  # the instrument that measures from inside a container; None for results without one
    crew: Mapping[str, Sample] = field(default_factory=dict)  # the programs of our own that go into images
    lock: Lock
    recipes: Path  # the folder of the recipes, which has the scripts of toolchains


def is_gone(result: Result, today: Today) -> bool:
    """Whether the recipe or the sample of a result is no more."""
    samples = {sample.name for sample in today.samples}
    return result.sample not in samples or result.recipe not in {recipe.name for recipe in today.book.recipes}


def find_changes(result: Result, today: Today) -> tuple[str, ...]:
    """What has changed since a result was made, the first causes first; nothing where its key is today's."""
    provenance, made = result.provenance, made_of(result)
    if is_gone(result, today):
        return ("its recipe or its sample is gone",)
    if provenance is None or made is None:
        return ("it does not say what it was made of",)
    try:
        cell = _plan(result, today, registry=provenance.toolchain.kind == "registry")
        return tuple(_compare(result, cell, made, provenance.host, today))
    except BareboatError as error:
        return (error.summary,)


def _plan(result: Result, today: Today, *, registry: bool) -> Cell:
    platforms = {str(platform): platform for platform in PLATFORMS.values()}
    inputs = PlanInputs(
        book=today.book,
        source="registry" if registry else "bootstrap",
        platform=platforms[result.platform],
        harbor=today.harbor,
        gauge=today.gauge,
        crew=today.crew,
    )
    sample = next(sample for sample in today.samples if sample.name == result.sample)
    return plan_cell(sample, today.book.recipe(result.recipe), inputs)


def _compare(result: Result, cell: Cell, made: Ingredients, host: Host, today: Today) -> Iterator[str]:
    used = dict.fromkeys([*cell.roots, *(program.toolchain for program in (cell.program, *cell.instruments))])
    unknown = [job.id for job in used if job.id not in made.roots]
    if unknown:
        yield f"it is made of {', '.join(unknown)} now"
        return
    for job in used:
        yield from _compare_root(job, made, today)
    for program, key in ((cell.program, made.program), (cell.harbor, made.harbor), (cell.gauge, made.gauge)):
        if program and _program_key(program, made) != key:
            yield f"{program.id}: its sources, its flags or its toolchain"
    digests = {job: made.roots[job.id].digest for job in cell.roots}
    if source_key(cell, made.program_sha256, digests) != made.sources:
        yield "what is in the image, or how it runs"
    if result_key(cell, made, host) != result.key:
        yield "what is expected of it, or how it is measured"


def _compare_root(job: RootJob, made: Ingredients, today: Today) -> Iterator[str]:
    kept = made.roots[job.id]
    if job.source == "registry":
        if today.lock.registry.get(job.reference) != kept.digest:
            yield f"{job.id} is not the image of the lock"
        return
    if bootstrap_key(today.recipes, job) != kept.key:
        yield f"{job.id}: how it is made"
    if pins_key(today.lock.bootstrap.get(job.id, {})) != kept.pins:
        yield f"{job.id} is not of the packages of the lock"


def _program_key(job: ProgramJob, made: Ingredients) -> str:
    digest = made.roots[job.toolchain.id].digest
    reference = job.toolchain.reference
    named = pinned_reference(reference, digest) if job.toolchain.source == "registry" else reference
    return program_key(job, named, digest)
