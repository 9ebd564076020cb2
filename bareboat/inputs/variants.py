"""The same crate compiled in other ways: the variants that its metadata names, and those of the ladder."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bareboat.inputs.ladder import find_step, read_ladder
from bareboat.inputs.tomlfile import Problem, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bareboat.inputs.cargo import Cargo
    from bareboat.inputs.sample import Metadata, Sample, Variant


def variants_of(crate: Sample, metadata: Metadata) -> tuple[Sample, ...]:
    """All variants of a crate, those of the ladder first."""
    steps = climb(crate) if metadata.ladder else ()
    return (*steps, *(_variant(crate, variant) for variant in metadata.variants))


def climb(crate: Sample) -> tuple[Sample, ...]:
    """The crate compiled by each step of the ladder, `CRATE+STEP`."""
    return tuple(
        replace(crate, name=f"{crate.name}+{step.name}", cargo=step.cargo.after(crate.cargo), published=())
        for step in read_ladder()
    )


def step_problems(metadata: Metadata, file: str) -> Iterator[Problem]:
    """What is wrong with how crate and variants are compiled, once the ladder is known."""
    steps = [step.name for step in read_ladder()]
    yield from _std_problems(metadata.cargo, file, "package.metadata.bareboat.cargo")
    for number, variant in enumerate(metadata.variants):
        yield from _std_problems(_cargo(variant), file, f"package.metadata.bareboat.variants.{number}.cargo")
        if variant.step and variant.step not in steps:
            text = f"the ladder has no step '{variant.step}'{did_you_mean(variant.step, steps)}"
            yield Problem(file=file, key=f"package.metadata.bareboat.variants.{number}.step", text=text)
        if metadata.ladder and variant.name in steps:
            text = f"'{variant.name}' is the variant of the ladder's step of that name"
            yield Problem(file=file, key=f"package.metadata.bareboat.variants.{number}.name", text=text)


def _std_problems(cargo: Cargo, file: str, key: str) -> Iterator[Problem]:
    if cargo.build_std_features and not cargo.build_std:
        text = 'are of a std that is compiled too: say `build_std = ["std"]` as well'
        yield Problem(file=file, key=f"{key}.build_std_features", text=text)


def _cargo(variant: Variant) -> Cargo:
    """How a variant is compiled: as its step says, and as it says itself."""
    step = find_step(variant.step)
    return variant.cargo.after(step.cargo) if step else variant.cargo


def _variant(crate: Sample, variant: Variant) -> Sample:
    plain, *others = crate.expectations
    linked = variant.libc or crate.libc
    return replace(
        crate,
        name=f"{crate.name}+{variant.name}",
        expectations=(variant.expect or plain, *(others if variant.also is None else variant.also)),
        recipes=variant.recipes or crate.recipes,
        cargo=_cargo(variant),
        libc=None if linked == "recipe" else linked,
        provisions=(*crate.provisions, *variant.provisions.items()),
        published=(),
        expect_failure=tuple(variant.expect_failure.items()),
        excuses=tuple((pattern, tuple(probes.items())) for pattern, probes in variant.excuses.items()),
    )
