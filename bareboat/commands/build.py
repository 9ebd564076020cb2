"""Commands that build: the matrix, and the images to build on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path  # noqa: TC003 (the console reads the types of options)
from typing import TYPE_CHECKING, TextIO

from tabulate import tabulate

from bareboat.commands.hand_out import read_hand_out
from bareboat.commands.mended_run import carry_out_mended
from bareboat.commands.open_run import Order, WorkOptions, carry_out
from bareboat.commands.plan_inputs import OwnCrate, kept_results, load_own, select, teller, this_platform
from bareboat.commands.shown import hush, read_columns, show_results, show_summary, terminal_of
from bareboat.errors import InputError, RecipeError
from bareboat.inputs.load_recipes import load_recipes
from bareboat.inputs.load_samples import give_network
from bareboat.inputs.lock import Lock, read_lock, write_lock
from bareboat.make.context import RootImage
from bareboat.matrix.gather import new_pins
from bareboat.plan.jobs import Bases  # noqa: TC001 (the console reads the types of options)
from bareboat.plan.planner import check_selection, make_plan, plan_roots, published_sizes
from bareboat.report import Format, join_published, recommend

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bareboat.commands.project import Project
    from bareboat.inputs.recipe import RecipeBook
    from bareboat.inputs.sample import Sample
    from bareboat.plan.jobs import Plan, Selection
    from bareboat.plan.planner import PlanInputs
    from bareboat.result.values import Result
    from bareboat.system.process import Processes


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixOptions(OwnCrate):
    """The options of build-matrix."""

    sample: tuple[str, ...] = ()
    recipe: tuple[str, ...] = ()
    all_bins: bool = False
    jobs: int = 0
    force: bool = False
    locked: bool = False
    keep_going: bool = True
    complete: bool = True  # give the user's own program what it turns out to lack
    thorough: bool = False  # take the figures too that take long to take
    network: bool = False  # the runs of the user's own program have one
    format: Format = "text"
    columns: tuple[str, ...] = ()  # of the table
    results: Path | None = None  # None means where they are kept of that crate or project
    all: bool = False  # print the cells too that fail as their recipes say
    tag: str = ""
    output: str = ""  # oci-archive:FILE
    quiet: bool = False
    verbose: bool = False


def build_matrix(project: Project, options: MatrixOptions, processes: Processes, view: TextIO) -> tuple[str, int]:
    """Build, run, measure and tabulate; the exit code is 1 when a cell failed. Progress goes to `view`."""
    view = hush(view, quiet=options.quiet, verbose=options.verbose)
    tell, kept = teller(view), options.results or kept_results(project, options.crate)
    answer = _Answer(project=project, options=options, columns=read_columns(options.columns, options.format))
    memory = None if options.force else kept
    if options.network and options.crate is None:
        raise InputError("--network is for a crate of your own: what our samples show, they show without one")
    book, samples = load_own(project, options, processes, view, all_bins=options.all_bins, memory=memory)
    samples = give_network(samples) if options.network else samples
    samples = samples if options.complete else tuple(replace(sample, own=False, mends=()) for sample in samples)
    selection = select(options.sample, options.recipe, options.crate)
    wanted = read_hand_out(options.tag, options.output)
    pairs = check_selection(book, samples, selection)  # so that a wrong name is told before any registry is asked
    if wanted and len(pairs) != 1:
        raise InputError(f"--tag and --output are for one cell, and there are {len(pairs)}: say --sample and --recipe")
    work = _work(options, kept, needs_engine=bool(wanted))
    planned = partial(_planned, selection)
    order = Order(book=book, samples=samples, bases=options.bases, plan=planned(samples))
    run = carry_out_mended(project, order, processes, view, work, planned=planned, wanted=wanted).run
    if run.idle:
        tell(f"nothing to do: all {len(run.results)} cells are unchanged (--force does them again)")
    return answer.text(book, samples, run.results, tell), 1 if run.failed else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """What build-matrix says at the end: a few lines on a terminal, elsewhere the table."""

    project: Project
    options: MatrixOptions
    columns: tuple[str, ...]

    def text(
        self, book: RecipeBook, samples: Sequence[Sample], results: Sequence[Result], tell: Callable[[str], None]
    ) -> str:
        """What the results come to; with columns that are asked for a terminal has the table, too."""
        options, on_terminal = self.options, terminal_of(self.options.format) is not None
        parts = []
        if self.columns or not on_terminal:
            shown = [result for result in results if options.all or not result.fails_as_expected]
            if hidden := len(results) - len(shown):
                tell(f"{hidden} cells fail as expected (--all prints them)")
            # A reader's own program is told of in the main columns, and what to do with it.
            sized = join_published(shown, published_sizes(book, samples))
            parts.append(show_results(sized, options.format, self.columns, wide=not options.crate))
        told = options.crate and options.format == "text"
        advice = recommend(results, {recipe.name: recipe.summary for recipe in book.recipes}) if told else ""
        if on_terminal:
            kept = kept_results(self.project, options.crate)
            advice = show_summary(
                results, options, self.project.crate, (options.results or kept, options.results), advice
            )
        return "\n".join([*parts, *([advice] if advice else [])])


def _work(options: MatrixOptions, kept: Path, *, needs_engine: bool) -> WorkOptions:
    return WorkOptions(
        jobs=options.jobs,
        keep_going=options.keep_going,
        locked=options.locked,
        force=options.force,
        thorough=options.thorough,
        verbose=options.verbose,
        results=kept,
        needs_engine=needs_engine,
    )


def _planned(selection: Selection, samples: tuple[Sample, ...]) -> Callable[[PlanInputs], Plan]:
    return partial(make_plan, samples=samples, selection=selection)


@dataclass(frozen=True, slots=True, kw_only=True)
class RootOptions:
    """The options of bases and lock."""

    source: Bases = "auto"
    quiet: bool = False
    verbose: bool = False


def make_roots(
    project: Project, options: RootOptions, processes: Processes, view: TextIO, *, renew: bool = False
) -> tuple[str, int]:
    """Make or pull every image to build on or copy from; `renew` makes them anew and writes the lock anew."""
    view = hush(view, quiet=options.quiet, verbose=options.verbose)
    architecture = this_platform().architecture
    known = _read_lock(project, architecture, renew=renew)
    order = Order(book=load_recipes(project.recipes), samples=(), bases=options.source, plan=plan_roots)
    work = WorkOptions(lock=Lock() if renew else known, renew=renew, verbose=options.verbose)
    with carry_out(project, order, processes, view, work) as carried:
        run = carried.run
        pinned = new_pins(carried.known.lock, carried.plan.jobs, run.outputs)
    if renew and not run.failed:
        # A run that used registries says nothing new of the packages, nor the other way round.
        pinned = Lock(registry={**known.registry, **pinned.registry}, bootstrap={**known.bootstrap, **pinned.bootstrap})
        write_lock(pinned, project.lock, architecture)
    roots = [output for output in run.outputs.by_id.values() if isinstance(output, RootImage)]
    rows = [(root.source.reference, root.status, root.source.digest[:19], len(root.packages)) for root in roots]
    return tabulate(rows, ("Image", "Status", "Digest", "Packages")), 1 if run.failed else 0


def renew_roots(project: Project, options: RootOptions, processes: Processes, view: TextIO) -> tuple[str, int]:
    """Make or pull them all anew, and write the lock anew."""
    return make_roots(project, options, processes, view, renew=True)


def _read_lock(project: Project, architecture: str, *, renew: bool) -> Lock:
    try:
        return read_lock(project.lock, architecture)
    except RecipeError:
        if not renew:
            raise
        return Lock()  # it is written anew
