"""`invoke explain`: why a cell came to what it did, or whether any image's program would start; and what mends it."""

from __future__ import annotations

import platform as machine
import re
import shlex
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from bareboat import commands
from bareboat.archive import open_image
from bareboat.check.causes import find_asker, find_cause, find_panic
from bareboat.closure.start import find_start
from bareboat.commands.last_results import all_results, last_results
from bareboat.commands.plan_inputs import OwnCrate, kept_results, load_own, name_cell
from bareboat.errors import SelectionError
from bareboat.inputs.tomlfile import did_you_mean
from bareboat.matrix.compile_faults import explain_compile
from bareboat.report import Asked, explain_cell, explain_start, find_cures
from bareboat.report.cures import provision_bytes
from bareboat.result.values import Failed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bareboat.archive import Image
    from bareboat.commands.project import Project
    from bareboat.inputs.recipe import RecipeBook
    from bareboat.inputs.sample import Sample
    from bareboat.result.values import Result
    from bareboat.system.process import Processes

_ARCHIVE = re.compile(r"(?:oci|docker)-archive:")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainOptions(OwnCrate):
    """The words of explain."""

    what: str  # a cell, with a crate its recipe alone; an image of the store; or an archive
    results: Path | None = None


def print_explanation(project: Project, options: ExplainOptions, processes: Processes, view: TextIO) -> tuple[str, int]:
    """A paragraph on a cell; or on an image, with exit code 1 where its program would not start."""
    if _ARCHIVE.match(options.what) or Path(options.what).is_file():
        path = Path(_ARCHIVE.sub("", options.what, count=1))
        return _of_image(options.what, open_image(path))
    if _names_cell(project, options):
        return _of_cell(project, options, processes, view), 0
    # Imported only here, when it is named: an engine is needed to look into its store.
    hint = did_you_mean(options.what, _recipe_names(project)) if options.crate else ""
    with commands.stored_image.open_stored(options.what, processes, view, hint=hint) as image:
        return _of_image(options.what, image)


def _names_cell(project: Project, options: ExplainOptions) -> bool:
    """Whether the words are a cell's, `SAMPLE@RECIPE`, or a recipe's of the user's own crate; images have digests."""
    if "@sha256:" in options.what:
        return False
    return "@" in options.what or bool(options.crate and options.what in _recipe_names(project))


def _recipe_names(project: Project) -> list[str]:
    return sorted(path.stem for path in project.recipes.glob("*.toml"))


def _of_image(name: str, image: Image) -> tuple[str, int]:
    start = find_start(image, machine.machine())
    return explain_start(name, start), 0 if start.starts else 1


def _of_cell(project: Project, options: ExplainOptions, processes: Processes, view: TextIO) -> str:
    memory = options.results or kept_results(project, options.crate)
    book, samples = load_own(project, options, processes, view, memory=memory)
    cell = name_cell(options.what, samples, options.crate)
    last = last_results(project, options.crate, options.results)
    result = next((one for one in last if one.cell == cell), None)
    if result is None:
        raise SelectionError(_not_measured(cell, book, samples, options))
    result, cause = _with_compile_fault(result, book), _provision(result)
    known = (*last, *all_results(project))
    costs = {one.name: provision_bytes(one, (result, *known)) for one in book.provisions}
    return explain_cell(result, find_cures(result, last, book, cause, costs.get(cause)), _asked(result), costs)


def _not_measured(cell: str, book: RecipeBook, samples: Sequence[Sample], options: ExplainOptions) -> str:
    sample, _, recipe = cell.partition("@")
    recipes, names = [one.name for one in book.recipes], [one.name for one in samples]
    if recipe not in recipes:
        return f"no such recipe: {recipe}{did_you_mean(recipe, recipes)}"
    if sample not in names:
        return f"no such sample: {sample}{did_you_mean(sample, names)}"
    which = f"--crate {shlex.quote(str(options.crate))}" if options.crate else f"--sample {sample}"
    return f"{cell} was not measured here yet\n  `invoke build-matrix {which} --recipe {recipe}` measures it"


def _with_compile_fault(result: Result, book: RecipeBook) -> Result:
    """The result of a compile that failed, with what today's Bareboat says of it."""
    outcome = result.outcome
    # What a C library of the user's own lacks the whole log told, which is not kept.
    own = any(one.name == result.recipe and one.compile.sysroot for one in book.recipes)
    if not isinstance(outcome, Failed) or outcome.stage != "compile" or own:
        return result
    cure = explain_compile(outcome.detail)
    if not cure or cure in outcome.detail:
        return result
    told = replace(outcome, reason=cure.partition("\n")[0], detail=f"{cure}\n\n{outcome.detail}")
    return replace(result, outcome=told)


def _provision(result: Result) -> str:
    """The provision that brings what a program says that it lacks; "" where none does."""
    outcome = result.outcome
    if result.lacks or not isinstance(outcome, Failed) or outcome.stage != "run" or not result.manifest:
        return result.lacks
    # Of what is from scratch the manifest tells what is there.
    aboard = [row.path.rstrip("/") for row in result.manifest]
    cause = find_cause(outcome.detail, lambda path: any(f"{one}/".startswith(f"{path}/") for one in aboard))
    return cause.provision if cause else ""


def _asked(result: Result) -> Asked:
    detail = result.outcome.detail if isinstance(result.outcome, Failed) else ""
    panic = find_panic(detail)
    return Asked(panic=panic, crate=find_asker(detail) if panic else "")
