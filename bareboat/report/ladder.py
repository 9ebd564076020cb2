"""Tells what each step of the ladder came to: tables with bars for people, Markdown, and JSON. Pure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bareboat.report.bars import bar
from bareboat.report.figures import seconds_text
from bareboat.report.fit import GAP, choose_columns, fold_lines
from bareboat.report.ran import ran_text
from bareboat.report.recommend import ended
from bareboat.report.render import markdown_table
from bareboat.report.table import BAR, FIGURE, FIRST, OTHER, SECOND, THIRD, Table, measurement_of, outcome_text
from bareboat.report.text_table import text_table
from bareboat.result.values import Passed
from bareboat.system.printable import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from bareboat.inputs.ladder import Step
    from bareboat.report.table import Alignment
    from bareboat.result.values import Result
    from bareboat.system.screen import Screen

_BAR_COLUMNS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """A program that was compiled by a step, and what it came to on one recipe."""

    # The steps from the plain program down to this one, which is the last.
    path: tuple[Step, ...]
    result: Result

    @property
    def step(self) -> Step:
        """The step itself."""
        return self.path[-1]

    @property
    def size_bytes(self) -> int | None:
        """Of the program's file; None where it came to none."""
        taken = measurement_of(self.result, "program_size")
        return taken.value if taken and isinstance(taken.value, int) else None

    @property
    def seconds(self) -> float | None:
        """What cargo says that its compile took; None where that is not known."""
        taken = measurement_of(self.result, "build")
        return taken.value if taken and isinstance(taken.value, int | float) else None

    @property
    def is_warm(self) -> bool:
        """Whether its compile found what an earlier one had left, and may have compiled the less."""
        taken = measurement_of(self.result, "target_folder")
        return taken is not None and taken.value == "warm"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    """One program on one recipe, compiled by some steps of the ladder."""

    recipe: str
    rungs: tuple[Rung, ...]  # the plain program's first

    def above(self, rung: Rung) -> tuple[Rung, ...]:
        """What was built of the steps that a rung's comes after, the nearest last."""
        names = [step.name for step in rung.path[:-1]]
        return tuple(one for one in self.rungs if one.step.name in names)

    def saved_bytes(self, rung: Rung) -> int | None:
        """By how much its program is smaller than that of the nearest step above which has one."""
        sizes = [size for one in self.above(rung) if (size := one.size_bytes) is not None]
        return sizes[-1] - rung.size_bytes if sizes and rung.size_bytes is not None else None

    def passes(self, rung: Rung) -> bool:
        """Whether it and all above it did what is expected of them, and ended as the plain program did."""
        return all(
            isinstance(one.result.outcome, Passed) and self.ends_as_plain(one) for one in (*self.above(rung), rung)
        )

    def ends_as_plain(self, rung: Rung) -> bool:
        """Whether a program of which nothing is expected ended as it does where nothing is changed."""
        return ended(rung.result) == ended(self.rungs[0].result)


def find_ladders(results: Iterable[Result], paths: Sequence[tuple[Step, ...]]) -> tuple[Ladder, ...]:
    """The results of a program and of its steps, `CRATE` and `CRATE+STEP`, as a ladder for each recipe.

    `paths` lead to the plain program and to the steps, in their order.
    """
    by_recipe: dict[str, dict[str, Result]] = defaultdict(dict)
    plain = paths[0][0].name
    for result in results:
        by_recipe[result.recipe][result.sample.partition("+")[2] or plain] = result
    return tuple(
        Ladder(
            recipe=recipe,
            rungs=tuple(Rung(path=path, result=found[path[-1].name]) for path in paths if path[-1].name in found),
        )
        for recipe, found in sorted(by_recipe.items())
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Column:
    """A column of the table."""

    heading: str
    text: Callable[[Ladder, Rung], str]
    alignment: Alignment = "left"
    rank: int = OTHER


_COLUMNS = (
    _Column(heading="Step", text=lambda _, rung: rung.step.name, rank=FIRST),
    _Column(heading="Program", text=lambda _, rung: _bytes(rung.size_bytes), alignment="right", rank=FIRST),
    _Column(
        heading="Saved", text=lambda ladder, rung: _bytes(ladder.saved_bytes(rung)), alignment="right", rank=FIGURE
    ),
    _Column(heading="Run", text=lambda _, rung: rung.result.outcome.kind, rank=FIGURE),
    _Column(heading="Stable", text=lambda _, rung: "yes" if rung.step.cargo.is_stable else "no", rank=SECOND),
    _Column(heading="For", text=lambda _, rung: "production" if rung.step.production else "records", rank=SECOND),
    _Column(heading="Compile", text=lambda _, rung: _compile(rung), alignment="right", rank=THIRD),
)
_TOLD = (
    _Column(heading="What is done", text=lambda _, rung: rung.step.summary),
    _Column(heading="What it costs", text=lambda _, rung: rung.step.costs),
)
_AT_BAR = 3


def ladder_text(ladders: Sequence[Ladder], screen: Screen | None) -> str:
    """A table for each recipe, and below them what each step does and costs.

    On a screen no line is longer than it is: columns are left out, and bars are drawn. Elsewhere there are no bars.
    """
    blocks: list[str] = []
    left_out: dict[str, None] = {}
    for ladder in ladders:
        table, others = _table(ladder, screen)
        left_out |= dict.fromkeys(others)
        blocks += [f"{printable(ladder.recipe)}\n", table]
        if told := list(_not_passed(ladder)):
            blocks.append(_fold(told, screen))
    steps = {rung.step.name: rung.step for ladder in ladders for rung in ladder.rungs}
    blocks.append(_fold(map(_told, steps.values()), screen))
    if left_out:
        said = f"No room for {', '.join(left_out)}: a wider terminal has all columns, and so has `--format markdown`."
        blocks.append(_fold([said], screen))
    return "\n".join(blocks)


def ladder_markdown(ladders: Sequence[Ladder]) -> str:
    """A Markdown table for each recipe, with every column."""
    return "\n".join(
        f"**{printable(ladder.recipe)}**\n\n{markdown_table(_rows(ladder, (*_COLUMNS, *_TOLD)))}" for ladder in ladders
    )


def ladder_rows(ladders: Iterable[Ladder]) -> list[dict[str, object]]:
    """All that is known of each step on each recipe, for JSON."""
    return [
        {
            "recipe": ladder.recipe,
            "step": rung.step.name,
            "summary": rung.step.summary,
            "costs": rung.step.costs,
            "after": rung.path[-2].name if len(rung.path) > 1 else "",
            "stable": rung.step.cargo.is_stable,
            "production": rung.step.production,
            "outcome": rung.result.outcome.kind,
            "reason": getattr(rung.result.outcome, "reason", ""),
            "program_bytes": rung.size_bytes,
            "saved_bytes": ladder.saved_bytes(rung),
            "compile_seconds": rung.seconds,
            "warm": rung.is_warm,
        }
        for ladder in ladders
        for rung in ladder.rungs
    ]


def _rows(ladder: Ladder, columns: Sequence[_Column]) -> Table:
    return Table(
        headings=tuple(column.heading for column in columns),
        rows=tuple(tuple(column.text(ladder, rung) for column in columns) for rung in ladder.rungs),
        alignment=tuple(column.alignment for column in columns),
    )


def _table(ladder: Ladder, screen: Screen | None) -> tuple[str, list[str]]:
    """The table as text, and the headings of the columns that there is no room for."""
    if screen is None:
        return text_table(_rows(ladder, _COLUMNS), " " * GAP, "-"), []
    drawn = _Column(heading="", text=lambda ladder, rung: _bar(ladder, rung, blocks=screen.blocks), rank=BAR)
    columns = (*_COLUMNS[:_AT_BAR], drawn, *_COLUMNS[_AT_BAR:])
    whole = _rows(ladder, columns)
    widths = [max(map(len, column)) for column in zip(whole.headings, *whole.rows, strict=True)]
    chosen = choose_columns(widths, [column.rank for column in columns], screen.columns)
    shown = _rows(ladder, [columns[index] for index in chosen])
    left_out = [column.heading for index, column in enumerate(columns) if index not in chosen and column.heading]
    return text_table(shown, " " * GAP, "─" if screen.blocks else "-"), left_out


def _bar(ladder: Ladder, rung: Rung, *, blocks: bool) -> str:
    """The program's size beside that of the largest."""
    largest = max(one.size_bytes or 0 for one in ladder.rungs)
    return bar(rung.size_bytes / largest, _BAR_COLUMNS, blocks=blocks) if rung.size_bytes else ""


def _not_passed(ladder: Ladder) -> Iterator[str]:
    """What did not pass and why, each reason once."""
    found: dict[str, list[str]] = defaultdict(list)
    for rung in ladder.rungs:
        if not isinstance(rung.result.outcome, Passed):
            found[outcome_text(rung.result)].append(rung.step.name)
        elif not ladder.ends_as_plain(rung):
            found[f"does otherwise than the plain program: {printable(ran_text(rung.result))}"].append(rung.step.name)
    for said, names in found.items():
        yield f"{', '.join(names)}: {said}"


def _told(step: Step) -> str:
    return f"{step.name}: {step.summary}" + (f". Costs {step.costs}" if step.costs else "")


def _fold(lines: Iterable[str], screen: Screen | None) -> str:
    return fold_lines(lines, screen.columns, hang=4) if screen else "".join(f"{line}\n" for line in lines)


def _bytes(size_bytes: int | None) -> str:
    return "" if size_bytes is None else f"{size_bytes:,}"


def _compile(rung: Rung) -> str:
    return f"{'warm ' if rung.is_warm else ''}{seconds_text(rung.seconds)}"
