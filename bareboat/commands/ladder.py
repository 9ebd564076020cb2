"""`invoke ladder`: a program compiled smaller by one step after the other: which it survives, and which to take."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from pathlib import Path  # noqa: TC003 (the console reads the types of options)
from typing import TYPE_CHECKING, Literal, TextIO

from bareboat.commands.mended_run import carry_out_mended
from bareboat.commands.open_run import Order, WorkOptions
from bareboat.commands.plan_inputs import OwnCrate, kept_results, load_own, select, teller
from bareboat.commands.shown import hush, terminal_of
from bareboat.errors import SelectionError
from bareboat.inputs.expectation import Served
from bareboat.inputs.ladder import PLAIN, choose_steps, path_to, read_ladder
from bareboat.inputs.tomlfile import did_you_mean
from bareboat.inputs.variants import climb
from bareboat.plan.jobs import TimedJob
from bareboat.plan.paste import paste_block
from bareboat.plan.planner import check_selection, make_plan
from bareboat.report import advice_lines, advise, find_ladders, ladder_markdown, ladder_rows, ladder_text
from bareboat.report.escape import markdown_text
from bareboat.report.fit import fold_lines
from bareboat.result.values import Passed, Result, Skipped
from bareboat.system.printable import Exact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from bareboat.commands.open_run import Carried
    from bareboat.commands.project import Project
    from bareboat.inputs.ladder import Step
    from bareboat.inputs.sample import Sample
    from bareboat.plan.jobs import Plan, ProgramJob, Selection
    from bareboat.plan.planner import PlanInputs
    from bareboat.report import Advice, Ladder
    from bareboat.system.process import Processes

LadderFormat = Literal["text", "markdown", "json"]
_RECIPES = ("scratch-glibc", "scratch-musl")


@dataclass(frozen=True, slots=True, kw_only=True)
class LadderOptions(OwnCrate):
    """The options of ladder."""

    sample: str = "smallest"
    recipe: tuple[str, ...] = ()
    step: tuple[str, ...] = ()
    unstable: bool = True  # the steps too that ask for an unstable compiler
    jobs: int = 0
    format: LadderFormat = "text"
    results: Path | None = None
    quiet: bool = False
    verbose: bool = False


def print_ladder(project: Project, options: LadderOptions, processes: Processes, view: TextIO) -> tuple[str, int]:
    """Every step on every recipe; of the user's own crate what to take. The exit code is 1 where it fails plain."""
    view = hush(view, quiet=options.quiet, verbose=options.verbose)
    steps = choose_steps(options.step, unstable=options.unstable)
    kept = kept_results(project, options.crate)
    book, samples = load_own(project, options, processes, view, memory=kept)
    crate = samples[0] if options.crate else _find_sample(samples, options.sample)
    # The steps of a crate are no answer to which base it should be shipped on: their results are kept apart.
    kept = options.results or (kept.with_name(f"{kept.name}-ladder") if options.crate else kept)
    work = WorkOptions(jobs=options.jobs, verbose=options.verbose, results=kept)
    selection = select((), options.recipe or _RECIPES, options.crate)
    check_selection(book, [crate], selection)  # so that a wrong name is told before any registry is asked

    def carry_out(tried: tuple[Sample, ...]) -> Carried:
        planned = partial(_planned, selection)
        order = Order(book=book, samples=tried, bases=options.bases, plan=planned(tried))
        return carry_out_mended(project, order, processes, view, work, planned=planned)

    climbed = _climb(crate, steps, carry_out, teller(view))
    ladders = find_ladders(climbed.results, [path_to(step) for step in (PLAIN, *steps)])
    advice = [advise(ladder, named=bool(options.step)) for ladder in ladders] if options.crate else []
    text = _Answer(climbed=climbed, ladders=ladders, advice=advice).text(options.format)
    return text, 0 if all(ladder.passes(ladder.rungs[0]) for ladder in ladders) else 1


def _planned(selection: Selection, samples: tuple[Sample, ...]) -> Callable[[PlanInputs], Plan]:
    return lambda inputs: _without_times(make_plan(inputs, samples, selection))


def _without_times(plan: Plan) -> Plan:
    """The plan without what only takes times, which nothing is told of here; it holds services to their probes, too."""
    jobs = tuple(job for job in plan.jobs if not isinstance(job, TimedJob) or job.cell.harbor)
    return replace(plan, jobs=jobs)


def _find_sample(samples: Sequence[Sample], name: str) -> Sample:
    names = [sample.name for sample in samples]
    if name not in names:
        raise SelectionError(f"--sample {name}: no such sample{did_you_mean(name, names)}")
    return samples[names.index(name)]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Climbed:
    """What a crate and its steps came to."""

    crate: Sample  # with what it was found to lack
    results: tuple[Result, ...]
    programs: dict[tuple[str, str], ProgramJob]  # what compiles them, by the names of sample and recipe


def _climb(
    crate: Sample,
    steps: Sequence[Step],
    carry_out: Callable[[tuple[Sample, ...]], Carried],
    tell: Callable[[str], None],
) -> _Climbed:
    """Carry out the plain program and then the steps; what comes after one that did not pass is not tried."""
    waves = [(PLAIN,), *_waves(steps)]
    if long := sum(not step.cargo.is_stable for step in steps):
        tell(f"{long} of {len(steps)} steps compile std, half a minute or more each: --no-unstable leaves them out")
    results: dict[tuple[str, str], Result] = {}
    programs: dict[tuple[str, str], ProgramJob] = {}
    for number, wave in enumerate(waves, 1):
        tried = tuple(_tried(crate, wave, results)) if results else (crate,)
        tell(f"{number} of {len(waves)}: {', '.join(step.name for step in wave)}{'' if tried else ': nothing to try'}")
        if not tried:
            continue
        carried = carry_out(tried)
        results |= {(result.sample, result.recipe): result for result in carried.run.results}
        programs |= {(cell.sample.name, cell.recipe.name): cell.program for cell in carried.plan.cells}
        if number == 1 and carried.plan.cells:
            crate = carried.plan.cells[0].sample  # with what it was found to lack
    return _Climbed(crate=crate, results=tuple(_whole(crate, steps, results)), programs=programs)


def _waves(steps: Sequence[Step]) -> list[tuple[Step, ...]]:
    """The steps in three groups: those before the ladder forks, the other stable ones, and those that compile std.

    What the first break is known before the others are compiled in vain.
    """
    known = read_ladder()
    below = Counter(step.after for step in known)
    trunk = path_to(next((step for step in known if below[step.name] > 1), PLAIN))

    def group(step: Step) -> int:
        return 0 if step in trunk else 1 if step.cargo.is_stable else 2

    return [tuple(wave) for _, wave in groupby(sorted(steps, key=group), key=group)]


def _tried(crate: Sample, wave: Sequence[Step], results: Mapping[tuple[str, str], Result]) -> Iterator[Sample]:
    """The crate compiled by each step of a wave, for the recipes on which all before it passed."""
    compiled = {sample.name: sample for sample in climb(crate)}
    for step in wave:
        sample = compiled[_name(crate, step)]
        recipes = tuple(recipe for recipe in _recipes(crate, results) if not _broken(crate, step, recipe, results))
        if recipes:
            yield replace(sample, recipes=recipes)


def _whole(crate: Sample, steps: Sequence[Step], results: Mapping[tuple[str, str], Result]) -> Iterator[Result]:
    """The results, and for each step that was not tried one that says why."""
    yield from results.values()
    for step in steps:
        for recipe in _recipes(crate, results):
            name, broken = _name(crate, step), _broken(crate, step, recipe, results)
            if broken and (name, recipe) not in results:
                plain = results[crate.name, recipe]
                outcome = Skipped(reason=f"it comes after {broken.name}, which does not pass")
                yield Result(
                    cell=f"{name}@{recipe}",
                    sample=name,
                    recipe=recipe,
                    platform=plain.platform,
                    key="",
                    outcome=outcome,
                )


def _broken(crate: Sample, step: Step, recipe: str, results: Mapping[tuple[str, str], Result]) -> Step | None:
    """The first step before another that did not pass on a recipe; None where all did that were tried."""
    tried = ((one, results.get((_name(crate, one), recipe))) for one in path_to(step)[:-1])
    return next((one for one, found in tried if found and not isinstance(found.outcome, Passed)), None)


def _recipes(crate: Sample, results: Mapping[tuple[str, str], Result]) -> list[str]:
    """The recipes that the plain program was put on."""
    return [recipe for name, recipe in results if name == crate.name]


def _name(crate: Sample, step: Step) -> str:
    return crate.name if step == PLAIN else f"{crate.name}+{step.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """What the command says at the end."""

    climbed: _Climbed
    ladders: Sequence[Ladder]
    advice: Sequence[Advice]  # none of a sample of ours

    def text(self, form: LadderFormat) -> str:
        """The tables, and for a crate of the user's own what to take and what to paste."""
        if form == "json":
            return Exact(json.dumps({"steps": ladder_rows(self.ladders), **self._told()}, indent=1) + "\n")
        said = [*(line for one in self.advice for line in advice_lines(one)), *([self._known()] if self.advice else [])]
        if form == "markdown":
            blocks = [f"{step}:\n\n```\n{block}```\n" for step, block in self._blocks()]
            return "\n".join([ladder_markdown(self.ladders), *(f"{markdown_text(line)}\n" for line in said), *blocks])
        screen = terminal_of(form)
        text = fold_lines(said, screen.columns, hang=4) if screen else "".join(f"{line}\n" for line in said)
        blocks = [f"To paste, for {step}:\n\n{block}" for step, block in self._blocks()]
        return "\n".join([ladder_text(self.ladders, screen), *([text] if said else []), *blocks])

    def _told(self) -> dict[str, object]:
        if not self.advice:
            return {}
        blocks = dict(self._blocks())
        taken = [
            {
                "recipe": one.ladder.recipe,
                "step": one.best.step.name if one.best else "",
                "program_bytes": one.best.size_bytes if one.best else None,
                "unstable": one.unstable.step.name if one.unstable else "",
                "smallest": one.smallest.step.name if one.smallest else "",
                "paste": blocks[one.best.step.name] if one.best else "",
            }
            for one in self.advice
        ]
        return {"recommended": taken, "known": self._known()}

    def _blocks(self) -> Iterator[tuple[str, str]]:
        """What to paste for each step that is to be taken, by its name."""
        recipes = defaultdict[str, list[str]](list)
        for one in self.advice:
            if one.best:
                recipes[one.best.step.name].append(one.ladder.recipe)
        for step, names in recipes.items():
            jobs = [self.climbed.programs[f"{self.climbed.crate.name}+{step}", name] for name in names]
            yield step, paste_block(list({job.target: job for job in jobs}.values()))

    def _known(self) -> str:
        """What the advice rests on, and what it cannot know."""
        crate = self.climbed.crate
        if all(run.is_open and not isinstance(run, Served) for run in crate.expectations):
            return (
                f"Nothing is expected of {crate.name}: its runs show that it starts, and no more. Nothing is known of "
                "panics: whether it catches one, and whether anybody reads what one says. `expect` and `also` below "
                "[package.metadata.bareboat] say what it must do and show."
            )
        runs = len(crate.expectations)
        return (
            f"Judged by what its {'run' if runs == 1 else f'{runs} runs'} must show: of what is not in there, such as "
            "a panic that nothing is expected of, nothing is known."
        )
