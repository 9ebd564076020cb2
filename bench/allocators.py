"""Allocators under load, by libc and linkage: throughput, memory, context switches and futex calls, as curves.

Every image of the sample `allocator` runs alone, in turns, in several rounds; the figures, the chart and every figure
of docs/allocators.md are of one run. Run it from the project's root, on a quiet machine, as root or not:
`python bench/allocators.py [--write]`.
"""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from curves.figures import Book, CellFigures
from curves.page import write_page, write_report
from curves.taking import Image, Plan, take_all
from machine import busy_share, describe, settle, tell

from bareboat.commands.open_run import Carried, Order, WorkOptions, carry_out
from bareboat.commands.plan_inputs import load_project
from bareboat.commands.project import find_project
from bareboat.console import run
from bareboat.errors import BareboatError
from bareboat.plan.jobs import Selection
from bareboat.plan.planner import make_plan

if TYPE_CHECKING:
    from bareboat.system.process import Processes

SAMPLES = "allocator*"
# On a base a program is the same as from scratch; the two that the claim of leaving Alpine is about have their own.
RECIPES = ("scratch-*",)
BASES = ("alpine", "debian-slim")
FULL = Plan(rounds=5, seconds=0.25, starts=200, traced_seconds=0.1)
QUICK = Plan(rounds=1, seconds=0.02, starts=5, traced_seconds=0.02)


def find_images(carried: Carried, *, quick: bool) -> list[Image]:
    """The images of the cells that passed. Raises BareboatError where there is none, or one failed unexpectedly."""
    results = {result.cell: result for result in carried.run.results}
    failed = [result for result in results.values() if result.outcome.kind == "failed"]
    wrong = [result.cell for result in failed if not result.fails_as_expected]
    if wrong:
        raise BareboatError(f"not measured, for it failed: {', '.join(wrong)}: `invoke explain {wrong[0]}` says why")
    images = []
    for cell in carried.plan.cells:
        result = results[cell.id]
        allocator = cell.sample.name.partition("+")[2] or "system"
        if result.outcome.kind != "passed" or not result.provenance:
            continue
        if cell.recipe.name in BASES and allocator != "system":
            continue
        if quick and cell.recipe.name not in {"scratch-glibc", "scratch-musl"}:
            continue
        figures = CellFigures(
            cell=cell.id,
            recipe=cell.recipe.name,
            libc={"gnu": "glibc"}.get(cell.recipe.compile.libc, cell.recipe.compile.libc),
            crt=cell.recipe.compile.crt,
            allocator=allocator,
        )
        images.append(Image(figures=figures, image_id=result.provenance.image_id, program=cell.program_path))
    if not images:
        raise BareboatError("no image of the sample passed")
    return images


def measure(carried: Carried, plan: Plan, *, quick: bool) -> Book:
    """The whole run."""
    images = find_images(carried, quick=quick)
    settle()
    busy = busy_share()
    facts = describe(carried.context.host, busy)
    return Book(
        rounds=plan.rounds,
        seconds=plan.seconds,
        facts=facts,
        cells=tuple(take_all(carried.context, images, plan, tell)),
    )


def run_bench(options: argparse.Namespace, processes: Processes) -> tuple[str, int]:
    """Build what is not built yet, measure, tell; with --write keep."""
    project = find_project(Path(__file__).parents[1])
    book, samples = load_project(project, None)
    selection = Selection(samples=(SAMPLES,), recipes=(*RECIPES, *BASES))
    planned = partial(make_plan, samples=samples, selection=selection)
    order = Order(book=book, samples=samples, bases=options.bases, plan=planned)
    # Everything may stand, and an engine is wanted all the same.
    work = WorkOptions(needs_engine=True)
    with carry_out(project, order, processes, sys.stderr, work) as carried:
        found = measure(carried, QUICK if options.quick else FULL, quick=options.quick)
    if options.write:
        write_page(found)
    return write_report(found), 0


def parse(words: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Measures allocators under load, by libc and linkage.")
    parser.add_argument("--quick", action="store_true", help="one short round of the static programs: does all work?")
    parser.add_argument(
        "--write", action="store_true", help="keep the figures: bench/allocators.json and .svg, docs/allocators.md"
    )
    parser.add_argument("--bases", default="auto", choices=("auto", "registry", "bootstrap"), help="as build-matrix")
    options = parser.parse_args(words)
    if options.quick and options.write:
        parser.error("figures of a quick run are none to keep")
    return options


if __name__ == "__main__":
    sys.exit(run(partial(run_bench, parse())))
