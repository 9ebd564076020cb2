"""What there is, as tables: recipes, samples, and the plan's cells and jobs. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tabulate import tabulate

from bareboat.measurements.idle import NOT_OBSERVED
from bareboat.plan.jobs import needs
from bareboat.report.figures import size_text
from bareboat.report.table import outcome_text
from bareboat.system.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bareboat.closure import Closure, Needed
    from bareboat.closure.owners import Owners
    from bareboat.inputs.recipe import Recipe, RecipeBook
    from bareboat.inputs.sample import Sample
    from bareboat.plan.jobs import Plan
    from bareboat.result.values import ManifestRow, Result


def list_recipes(book: RecipeBook) -> str:
    """A row a recipe, then a row a toolchain."""
    recipes = [
        (
            recipe.name,
            f"{recipe.compile.libc} {recipe.compile.crt}",
            recipe.compile.toolchain,
            _base(recipe),
            recipe.summary,
        )
        for recipe in book.recipes
    ]
    toolchains = [
        (toolchain.name, toolchain.libc, toolchain.base.image or "", toolchain.summary) for toolchain in book.toolchains
    ]
    return "\n\n".join(
        [
            tabulate(recipes, ("Recipe", "Program", "Toolchain", "Base", "Summary")),
            tabulate(toolchains, ("Toolchain", "libc", "Image", "Summary")),
        ]
    )


def list_samples(samples: Sequence[Sample]) -> str:
    """A row a sample."""
    rows = [(sample.name, sample.binary, "yes" if sample.needs_crates else "no", sample.summary) for sample in samples]
    return tabulate(rows, ("Sample", "Program", "Crates", "Summary"))


def list_plan(plan: Plan) -> str:
    """A row a job with what it waits for, then a row a skipped cell."""
    rows = [(number, job.id, ", ".join(need.id for need in needs(job))) for number, job in enumerate(plan.jobs, 1)]
    skipped = [(f"{cell.sample}@{cell.recipe}", cell.reason) for cell in plan.skipped]
    text = tabulate(rows, ("", "Job", "After"))
    if skipped:
        text += "\n\n" + tabulate(skipped, ("Skipped", "Why"))
    return f"{text}\n\n{len(plan.cells)} cells, {len(plan.jobs)} jobs; bases from {plan.source}"


def list_manifest(result: Result) -> str:
    """What a from-scratch image holds, a row a file or copied folder; its total, what is idle, and its id."""
    headings = ["Path", "Size", "Mode", "Package", "Needed by", "Proof", "Why"]
    rows = [
        [
            printable(cell)
            for cell in (
                row.path,
                size_text(row.size_bytes),
                row.mode,
                f"{row.package} {row.version}".strip(),
                _needed_by(row),
                row.proof,
                row.why,
            )
        ]
        for row in result.manifest
    ]
    if not any(row.proof for row in result.manifest):
        for line in (headings, *rows):
            del line[5]
    alignment = ["left", "right", *["left"] * (len(headings) - 2)]
    table = tabulate(rows, headings, disable_numparse=True, colalign=alignment)
    return "\n".join([table, "", *_summary(result)])


def list_closure(closure: Closure, owners: Owners, manifest: Sequence[ManifestRow]) -> str:
    """A program's closure as a tree, each file below the one that asks for it; then what is missing.

    `manifest` tells of a from-scratch image's packages and of what its run opened; it is empty for other bases.
    """
    by_path = {row.path: row for row in manifest}
    branches = _tree(closure, closure.files[0], "", "") if closure.files else ()
    rows = [_branch(node, indent, owners, by_path) for node, indent in branches]
    lines = [tabulate(rows, ("File", "Size", "Package", "Found by"), disable_numparse=True)]
    foreseen = {path for needed in closure.files for path in (needed.path, needed.real_path)}
    surprises = [row.path for row in manifest if "observed" in row.ways and row.path.rstrip("/") not in foreseen]
    lines += [f"opened in the run, and foreseen by nobody: {printable(path)}" for path in surprises]
    lines += [
        f"missing: {printable(missing.name)}, which {printable(missing.needed_by)} needs"
        for missing in closure.missing
        if missing.required
    ]
    lines += ["", "it starts" if closure.starts else f"it does not start: {closure.reason}"]
    return "\n".join(lines)


def _tree(closure: Closure, node: Needed, first: str, rest: str) -> Iterator[tuple[Needed, str]]:
    yield node, first
    below = [needed for needed in closure.files if needed is not node and needed.needed_by == node.path]
    for number, needed in enumerate(below, start=1):
        last = number == len(below)
        yield from _tree(closure, needed, f"{rest}{'└─ ' if last else '├─ '}", f"{rest}{'   ' if last else '│  '}")


def _branch(node: Needed, indent: str, owners: Owners, by_path: Mapping[str, ManifestRow]) -> tuple[str, str, str, str]:
    owner, row = owners.of(node.real_path), by_path.get(node.path) or by_path.get(node.real_path)
    package = f"{owner.name} {owner.version}" if owner else f"{row.package} {row.version}".strip() if row else ""
    observed = ", observed" if row and "observed" in row.ways else ""
    name = f"{indent}{printable(node.path)}"
    note = f" ({printable(node.note)})" if node.note else ""
    return (
        name,
        size_text(node.size_bytes) if node.size_bytes else "",
        printable(package),
        f"{node.way}{note}{observed}",
    )


def _needed_by(row: ManifestRow) -> str:
    """The ways that found a row needed; of what a proof found idle it is nobody, whatever the other ways say."""
    match row.needed:
        case None:
            return NOT_OBSERVED
        case False:
            return "nobody"
        case True:
            return ", ".join((*row.ways, *(["proof"] if row.proof else [])))


def _summary(result: Result) -> Iterator[str]:
    for row in result.manifest:
        if row.needed is False:
            yield f"idle: {printable(row.path)}: nobody needs it"
        elif row.needed and row.idle_files:
            yield f"idle: {row.idle_files} of the {row.files} files of {printable(row.path)}: nobody needs them"
    if any(row.needed is None or row.idle_files is None for row in result.manifest):
        yield f"{NOT_OBSERVED}: {printable(result.unobserved)}"
    files, total = sum(row.files for row in result.manifest), sum(row.size_bytes for row in result.manifest)
    yield f"{files} {'file' if files == 1 else 'files'}, {size_text(total)} ({total} bytes); {outcome_text(result)}"
    if result.provenance:
        yield f"{result.cell} is {result.provenance.image_id}"


def _base(recipe: Recipe) -> str:
    return "scratch" if recipe.base.scratch else recipe.base.image or "packages only"
