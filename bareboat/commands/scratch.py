"""`invoke scratch`: one from-scratch image, composed from its flags, file by file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from bareboat.check.minimal import Trial, is_proved, prove
from bareboat.commands.listing import list_manifest
from bareboat.commands.project import (
    Project,
    WorkOptions,
    chosen_samples,
    open_yard,
    teller,
    this_platform,
    write_pages,
)
from bareboat.errors import InputError, SelectionError
from bareboat.inputs.load_recipes import load_recipes, two_to_one
from bareboat.inputs.recipe import Crt, Libc  # noqa: TC001 (the same)
from bareboat.inputs.tomlfile import did_you_mean
from bareboat.make.context import Measured, Program, RootImage
from bareboat.make.copies import fetch_aboard
from bareboat.make.image import Stowage, assemble, image_name
from bareboat.matrix.source import Bases  # noqa: TC001 (the console reads these types)
from bareboat.plan.jobs import Plan
from bareboat.plan.planner import make_cell, plan_jobs
from bareboat.result.store import save
from bareboat.result.values import Failed
from bareboat.system.folders import find_folders

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bareboat.commands.project import Yard
    from bareboat.inputs.recipe import Recipe, RecipeBook
    from bareboat.inputs.sample import Sample
    from bareboat.make.context import Output
    from bareboat.plan.jobs import Cell
    from bareboat.system.process import Processes

ARCHIVE = "oci-archive:"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScratchOptions:
    """The flags of `invoke scratch`; `output` is `oci-archive:FILE` or empty."""

    libc: Libc
    crt: Crt = "static"
    sample: str = "hello-world"
    crate: Path | None = None
    with_: tuple[str, ...] = ()
    tag: str = ""
    output: str = ""
    quiet: bool = False
    prove: bool = False
    force: bool = False
    bases: Bases = "auto"


def build_scratch(project: Project, options: ScratchOptions, processes: Processes, view: TextIO) -> tuple[str, int]:
    """Assemble, run and explain one image; its manifest, or with `quiet` its id alone, is the answer."""
    book = load_recipes(project.recipes)
    recipe = choose_recipe(book, options.libc, options.crt, options.with_)
    sample = _sample(chosen_samples(project, options.crate), options)
    archive = _archive(options.output)
    own = recipe in book.recipes and options.crate is None
    # What only these flags make is no cell of the matrix, and its result no part of the project.
    kept = None if own else find_folders().cache / "results"
    work = WorkOptions(bases=options.bases, force=options.force, results=kept)
    with open_yard(project, book, processes, view, work) as yard:
        cell = make_cell(sample, recipe, yard.port(book, [sample]))
        run = yard.run(Plan(source=yard.source, platform=this_platform(), jobs=plan_jobs([cell]), skipped=()))
        result = next(output.result for output in run.outputs if isinstance(output, Measured))
        if isinstance(result.outcome, Failed):
            teller(view)(result.outcome.detail.rstrip())
            return (list_manifest(result), 1) if result.manifest and not options.quiet else ("", 1)
        stowage = _stowage(yard, cell, run.outputs)
        if options.prove and (options.force or not is_proved(result)):
            result = prove(Trial(workshop=yard.workshop, stowage=stowage, tell=teller(view)), result)
            save(result, yard.workshop.results)
        image_id = result.provenance.image_id if result.provenance else ""
        name = full_name(options.tag) if options.tag else image_name(cell)
        if options.tag:
            yard.workshop.engine.tag(image_id, name)
        if archive:
            assemble(stowage, [item.entry for item in stowage.items], name=name, to=archive)
    if own:
        write_pages(project)
    return (image_id if options.quiet else list_manifest(result)), 0


def choose_recipe(book: RecipeBook, libc: Libc, crt: Crt, provisions: Sequence[str]) -> Recipe:
    """The from-scratch recipe of that libc and linkage, with provisions added; raises SelectionError."""
    plain = [one for one in book.recipes if one.base.scratch and not one.provisions and not one.expect_failure]
    kinds = {(book.toolchain(one.compile.toolchain).libc, one.compile.crt): one for one in plain}
    recipe = kinds.get((libc, crt))
    if recipe is None:
        there = ", ".join(f"--libc {libc} --crt {crt} ({one.name})" for (libc, crt), one in sorted(kinds.items()))
        raise SelectionError(f"no from-scratch recipe is for --libc {libc} --crt {crt}; there are: {there}")
    known = [one.name for one in book.provisions]
    for name in provisions:
        if name not in known:
            raise SelectionError(f"--with {name}: no such provision{did_you_mean(name, known)}")
    if not provisions:
        return recipe
    names = tuple(dict.fromkeys(provisions))
    composed = replace(recipe, name="+".join([recipe.name, *sorted(names)]), provisions=names)
    for fault in two_to_one(book.copies_of(composed)):
        raise SelectionError(f"--with {','.join(provisions)}: {fault}")
    return composed


def full_name(name: str) -> str:
    """The name with a tag: `latest` where there is none, as Podman has it."""
    return name if ":" in name.rpartition("/")[2] else f"{name}:latest"


def _sample(samples: Sequence[Sample], options: ScratchOptions) -> Sample:
    if options.crate:
        return samples[0]
    names = [one.name for one in samples]
    if options.sample not in names:
        raise SelectionError(f"--sample {options.sample}: no such sample{did_you_mean(options.sample, names)}")
    return samples[names.index(options.sample)]


def _archive(output: str) -> Path | None:
    if not output:
        return None
    path = Path(output.removeprefix(ARCHIVE))
    if not output.startswith(ARCHIVE) or not path.name:
        raise InputError(f"--output {output}: it takes {ARCHIVE}FILE")
    if not path.absolute().parent.is_dir():
        raise InputError(f"--output {output}: there is no folder {path.absolute().parent}")
    return path


def _stowage(yard: Yard, cell: Cell, outputs: Sequence[Output]) -> Stowage:
    """What the image was made of, once more: the run has it all at hand."""
    made = {output.source.reference: output for output in outputs if isinstance(output, RootImage)}
    roots = {job: made[job.reference] for job in cell.roots}
    program = next(output for output in outputs if isinstance(output, Program))
    return Stowage(cell=cell, program=program, roots=roots, items=fetch_aboard(yard.workshop, cell, roots))
