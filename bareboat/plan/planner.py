"""Makes plans: which cells recipes and samples come to, and the jobs for them. Pure: no file, no Podman.

make_plan(book, samples, Selection(...), source="bootstrap", platform=AMD64) -> Plan
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Literal, Protocol, TypeVar

from bareboat.errors import SelectionError
from bareboat.inputs.base import Debian, Distroless
from bareboat.inputs.tomlfile import did_you_mean
from bareboat.plan.jobs import Aboard, Cell, ImageJob, Plan, ProgramJob, RootJob, SkippedCell

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bareboat.inputs.recipe import Copy, Crt, Recipe, RecipeBook, Toolchain
    from bareboat.inputs.sample import Sample
    from bareboat.plan.jobs import BaseSource, Job, Platform, Selection


def make_plan(
    book: RecipeBook,
    samples: Sequence[Sample],
    selection: Selection,
    *,
    source: BaseSource,
    platform: Platform,
    harbor: Sample | None = None,
) -> Plan:
    """Every selected sample on every selected recipe that takes it; services are held to the probes of `harbor`.

    Raises SelectionError for a pattern that matches nothing, and where no selected recipe takes a selected sample.
    """
    chosen_samples = _select(samples, selection.samples, "sample")
    if not selection.samples:
        # A crate of the user's own is named by that.
        chosen_samples = tuple(one for one in chosen_samples if not one.on_request) or chosen_samples
    chosen_recipes = _select(book.recipes, selection.recipes, "recipe")
    pairs = [(sample, recipe) for sample in chosen_samples for recipe in chosen_recipes if _fit(sample, recipe)]
    if not pairs:
        raise SelectionError(_no_pair(chosen_samples, chosen_recipes))
    reasons = {recipe.name: _impossible(recipe, book, source) for recipe in chosen_recipes}
    port = Port(book=book, source=source, platform=platform, harbor=harbor)
    cells = [make_cell(one, recipe, port) for one, recipe in pairs if not reasons[recipe.name]]
    skipped = [
        SkippedCell(sample=one.name, recipe=recipe.name, reason=reasons[recipe.name])
        for one, recipe in pairs
        if reasons[recipe.name]
    ]
    return Plan(source=source, platform=platform, jobs=plan_jobs(cells), skipped=tuple(skipped))


def root_jobs(book: RecipeBook, source: BaseSource) -> tuple[RootJob, ...]:
    """Every image that the book's recipes stand on or copy from, each once; toolchains first, being the slowest."""
    toolchains = [_toolchain_job(book, toolchain, source) for toolchain in book.toolchains]
    bases = [job for recipe in book.recipes if (job := _base_job(book, recipe, source))]
    copied = [job for recipe in book.recipes for one in _aboard(book, recipe, source) if (job := one.source)]
    return tuple(dict.fromkeys([*toolchains, *bases, *copied]))


def select_recipes(book: RecipeBook, pattern: str) -> tuple[Recipe, ...]:
    """The recipes that match a pattern; without one all but those made to fail. Raises SelectionError."""
    if pattern:
        return _select(book.recipes, (pattern,), "recipe")
    return tuple(recipe for recipe in book.recipes if not recipe.expect_failure)


def local_reference(role: str, name: str) -> str:
    """What a bootstrapped image is called: `localhost/bareboat/base/debian:bootstrap`."""
    return f"localhost/bareboat/{role}/{name}:bootstrap"


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """What every cell of a plan has in common; `harbor` is the instrument that services are held to."""

    book: RecipeBook
    source: BaseSource
    platform: Platform
    harbor: Sample | None = None


def make_cell(sample: Sample, recipe: Recipe, port: Port) -> Cell:
    """One cell, of a recipe that need not be in the book, such as one that has got more provisions."""
    book, source = port.book, port.source
    added = [name for pattern, names in sample.provisions if fnmatchcase(recipe.name, pattern) for name in names]
    recipe = replace(recipe, provisions=tuple(dict.fromkeys([*recipe.provisions, *added])))
    toolchain = book.toolchain(recipe.compile.toolchain)
    return Cell(
        sample=sample,
        recipe=recipe,
        program=_program_job(sample, toolchain, recipe.compile.crt, port),
        base=_base_job(book, recipe, source),
        aboard=_aboard(book, recipe, source),
        harbor=_harbor_job(port) if sample.service else None,
    )


def _program_job(sample: Sample, toolchain: Toolchain, crt: Crt, port: Port) -> ProgramJob:
    made = _toolchain_job(port.book, toolchain, port.source)
    return ProgramJob(sample=sample, toolchain=made, libc=toolchain.libc, crt=crt, platform=port.platform)


def _harbor_job(port: Port) -> ProgramJob | None:
    # Static with musl, it needs nothing beside it.
    toolchain = next((one for one in port.book.toolchains if one.libc == "musl"), None)
    return _program_job(port.harbor, toolchain, "static", port) if port.harbor and toolchain else None


def plan_jobs(cells: Iterable[Cell]) -> tuple[Job, ...]:
    """The jobs of some cells, each once and after all that it needs."""
    images = [ImageJob(cell=cell) for cell in cells]
    programs = dict.fromkeys(
        program for image in images for program in (image.cell.program, image.cell.harbor) if program
    )
    toolchains = dict.fromkeys(program.toolchain for program in programs)
    roots = dict.fromkeys(root for image in images for root in image.cell.roots if root not in toolchains)
    return (*toolchains, *roots, *programs, *images)


def _aboard(book: RecipeBook, recipe: Recipe, source: BaseSource) -> tuple[Aboard, ...]:
    copies = book.copies_of(recipe)
    return tuple(Aboard(copy=copy, source=_source_job(book, recipe, copy, source)) for copy in copies)


def _source_job(book: RecipeBook, recipe: Recipe, copy: Copy, source: BaseSource) -> RootJob | None:
    kind, _, name = copy.source.partition(":")
    toolchain = book.toolchain(recipe.compile.toolchain)
    match kind:
        case "toolchain":
            return _toolchain_job(book, toolchain, source)
        case "base":
            return _base_job(book, book.recipe(name), source)
        case "package":
            return _package_job(book, toolchain, name)
        case _:
            return None


def _package_job(book: RecipeBook, toolchain: Toolchain, name: str) -> RootJob:
    bootstrap = book.bootstrap_of(toolchain)[1]
    if not isinstance(bootstrap, Debian):
        raise SelectionError(f"toolchain '{toolchain.name}' has no Debian suite to take package '{name}' from")
    # A package comes from packages, wherever the other images come from.
    return RootJob(
        name=name,
        role="package",
        source="bootstrap",
        reference=local_reference("package", name),
        bootstrap=Distroless(kind="distroless", suite=bootstrap.suite, packages=(name,)),
    )


def _toolchain_job(book: RecipeBook, toolchain: Toolchain, source: BaseSource) -> RootJob:
    return _root_job("toolchain", toolchain, book, source)


def _base_job(book: RecipeBook, recipe: Recipe, source: BaseSource) -> RootJob | None:
    return None if recipe.base.scratch else _root_job("base", recipe, book, source)


def _root_job(
    role: Literal["base", "toolchain"], one: Recipe | Toolchain, book: RecipeBook, source: BaseSource
) -> RootJob:
    owner, bootstrap = book.bootstrap_of(one)
    image = one.base.image
    if image and (source == "registry" or bootstrap is None):
        return RootJob(name=one.name, role=role, source="registry", reference=image, bootstrap=None)
    reference = local_reference(role, owner)
    return RootJob(name=owner, role=role, source="bootstrap", reference=reference, bootstrap=bootstrap)


def _fit(sample: Sample, recipe: Recipe) -> bool:
    return _matches(recipe.name, sample.recipes) and _matches(sample.name, recipe.samples)


def _no_pair(samples: Sequence[Sample], recipes: Sequence[Recipe]) -> str:
    says = [f"sample '{one.name}' is for recipes {', '.join(one.recipes)}" for one in samples if one.recipes]
    says += [f"recipe '{one.name}' is for samples {', '.join(one.samples)}" for one in recipes if one.samples]
    return f"no selected recipe takes a selected sample: {'; '.join(says)}"


def _impossible(recipe: Recipe, book: RecipeBook, source: BaseSource) -> str:
    if source == "registry":
        return ""
    if not (recipe.base.scratch or recipe.base.bootstrap):
        return f"no registry is used and the recipe has no [base.bootstrap]; its image is {recipe.base.image}"
    if book.bootstrap_of(book.toolchain(recipe.compile.toolchain))[1] is None:
        return f"no registry is used and toolchain '{recipe.compile.toolchain}' has no [base.bootstrap]"
    return ""


class _Named(Protocol):
    @property
    def name(self) -> str: ...


_T = TypeVar("_T", bound=_Named)


def _select(known: Sequence[_T], patterns: Sequence[str], what: str) -> tuple[_T, ...]:
    names = [one.name for one in known]
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in names):
            hint = did_you_mean(pattern, names)
            there = "" if hint.startswith(" (there are") else f"; there are: {', '.join(names)}"
            raise SelectionError(f"no {what} matches '{pattern}'{hint}{there}")
    return tuple(one for one in known if _matches(one.name, patterns))


def _matches(name: str, patterns: Sequence[str]) -> bool:
    return not patterns or any(fnmatchcase(name, pattern) for pattern in patterns)
