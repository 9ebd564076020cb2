"""`invoke scratch`: one from-scratch image, composed from its flags, file by file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TextIO

from bareboat.check.complete import gather_whole
from bareboat.check.minimal import Prover, is_proved, prove
from bareboat.commands.hand_out import hand_out, read_hand_out
from bareboat.commands.listing import list_manifest
from bareboat.commands.open_run import Carried, Order, WorkOptions, carry_out
from bareboat.commands.plan_inputs import OwnCrate, kept_results, load_own, teller
from bareboat.commands.shown import hush
from bareboat.elf import Crt, Libc  # noqa: TC001 (the console reads these types)
from bareboat.errors import InputError, SelectionError
from bareboat.inputs.load_recipes import find_shared_targets
from bareboat.inputs.tomlfile import did_you_mean
from bareboat.plan.jobs import (
    Selection,
)
from bareboat.plan.planner import make_plan
from bareboat.result.store import save
from bareboat.result.values import Failed
from bareboat.system.folders import find_folders

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bareboat.commands.project import Project
    from bareboat.inputs.recipe import Recipe, RecipeBook
    from bareboat.inputs.sample import Sample
    from bareboat.plan.jobs import Plan
    from bareboat.plan.planner import PlanInputs
    from bareboat.result.values import Result
    from bareboat.system.process import Processes


@dataclass(frozen=True, slots=True, kw_only=True)
class ScratchOptions(OwnCrate):
    """The flags of `invoke scratch`."""

    libc: Libc
    crt: Crt = "static"
    sample: str = "hello-world"
    with_: tuple[str, ...] = ()
    tag: str = ""
    output: str = ""  # oci-archive:FILE
    quiet: bool = False  # the answer is the image's id alone
    verbose: bool = False
    prove: bool = False
    force: bool = False


def build_scratch(project: Project, options: ScratchOptions, processes: Processes, view: TextIO) -> tuple[str, int]:
    """Assemble, run and explain one image; its manifest, or with `quiet` its id alone, is the answer."""
    tell, view = teller(view), hush(view, quiet=options.quiet, verbose=options.verbose)
    book, samples = load_own(project, options, processes, view, memory=kept_results(project, options.crate))
    recipe = choose_recipe(book, options.libc, options.crt, options.with_)
    sample = _sample(samples, options)
    wanted = read_hand_out(options.tag, options.output)
    if options.prove and sample.expectations[0].is_open:
        raise InputError(
            "--prove: nothing is expected of this program, so that it needs nothing: say what it must show"
        )
    # What only these flags make is no cell of the matrix, and its result is none of the matrix's.
    kept = kept_results(project, options.crate) if recipe in book.recipes else find_folders().results
    needs_engine = bool(wanted or options.prove)
    work = WorkOptions(force=options.force, results=kept, needs_engine=needs_engine, verbose=options.verbose)
    order = Order(
        book=book, samples=(sample,), bases=options.bases, plan=lambda inputs: plan_scratch(inputs, sample, recipe)
    )
    with carry_out(project, order, processes, view, work) as carried:
        result = carried.run.results[0]
        if wanted:
            hand_out(carried, wanted)
        if isinstance(result.outcome, Failed):
            tell(result.outcome.detail.rstrip())
            return (list_manifest(result), 1) if result.manifest and not options.quiet else ("", 1)
        if options.prove:
            result = _prove(carried, result, teller(view), again=options.force)
    image_id = result.provenance.image_id if result.provenance else ""
    return (image_id if options.quiet else list_manifest(result)), 0


def _prove(carried: Carried, result: Result, tell: Callable[[str], None], *, again: bool) -> Result:
    """Find out which file is needed, unless an earlier run has, and keep that."""
    if is_proved(result) and not again:
        return result
    context = carried.context
    contents = gather_whole(context, carried.plan.cells[0], carried.run.outputs)
    result = prove(Prover(context=context, contents=contents, tell=tell), result)
    save(result, context.results)
    return result


def plan_scratch(inputs: PlanInputs, sample: Sample, recipe: Recipe) -> Plan:
    """The plan of one image; the flags say what goes on what, whatever sample and recipe say that they are for."""
    others = (other for other in inputs.book.recipes if other.name != recipe.name)
    book = replace(inputs.book, recipes=(*others, replace(recipe, samples=())))
    plan = make_plan(replace(inputs, book=book), [replace(sample, recipes=())], Selection(recipes=(recipe.name,)))
    for skipped in plan.skipped:
        raise SelectionError(f"{skipped.sample} on {skipped.recipe} cannot be made: {skipped.reason}")
    return plan


def choose_recipe(book: RecipeBook, libc: Libc, crt: Crt, provisions: Sequence[str]) -> Recipe:
    """The from-scratch recipe of that libc and linkage, with provisions added; raises SelectionError."""
    kinds = {
        (book.toolchain(plain.compile.toolchain).libc, plain.compile.crt): plain
        for plain in book.recipes
        if plain.base.scratch and not plain.provisions and not plain.expect_failure and not plain.compile.sysroot
    }
    recipe = kinds.get((libc, crt))
    if recipe is None:
        there = ", ".join(f"--libc {libc} --crt {crt} ({plain.name})" for (libc, crt), plain in sorted(kinds.items()))
        raise SelectionError(f"no from-scratch recipe is for --libc {libc} --crt {crt}; there are: {there}")
    known = [provision.name for provision in book.provisions]
    for name in provisions:
        if name not in known:
            raise SelectionError(f"--with {name}: no such provision{did_you_mean(name, known)}")
    if not provisions:
        return recipe
    names = tuple(dict.fromkeys(provisions))
    composed = replace(recipe, name="+".join([recipe.name, *sorted(names)]), provisions=names)
    for fault in find_shared_targets(book.copies_of(composed)):
        raise SelectionError(f"--with {','.join(provisions)}: {fault}")
    return composed


def _sample(samples: Sequence[Sample], options: ScratchOptions) -> Sample:
    if options.crate:
        return samples[0]
    names = [sample.name for sample in samples]
    if options.sample not in names:
        raise SelectionError(f"--sample {options.sample}: no such sample{did_you_mean(options.sample, names)}")
    return samples[names.index(options.sample)]
