"""What is timed: in every round each way does the same work once, and each round another way begins."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from machine import settle

from bareboat.errors import BareboatError
from beside.crates import HELLO, Crate
from beside.figures import Figures, Row
from beside.recipes import SEVEN, Cell, plain_cells
from beside.ways import RUN_TOO

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from beside.figures import Taken
    from beside.ways import Bareboat, Way
    from beside.workplace import Project, Workplace


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What a work has to do with."""

    place: Workplace
    ways: Sequence[Way]
    rounds: int
    tell: Callable[[str], None]
    quick: bool = False

    @property
    def bareboat(self) -> Bareboat:
        """The first way."""
        return self.ways[0]  # type: ignore[return-value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A thing to time."""

    name: str
    title: str
    note: str
    measure: Callable[[Bench, Work], Figures]
    rounds: int = 5
    on_request: bool = False  # so slow that it is done only when it is asked for


@dataclass(slots=True)
class Turn:
    """One way's part in a work: what it does in a round, and what that took so far."""

    title: str
    play: Callable[[int], Taken]
    absent: str = ""
    size: int = 0
    taken: list[Taken] = field(default_factory=list)

    def row(self) -> Row:
        """What came of it; a way that failed once has no figures."""
        return Row(way=self.title, taken=() if self.absent else tuple(self.taken), absent=self.absent, size=self.size)


def take_turns(bench: Bench, work: Work, turns: Sequence[Turn]) -> tuple[Row, ...]:
    """Every way once a round, each round beginning with the next; one that fails is out, and its row says why."""
    for number in range(bench.rounds):
        first = number % len(turns)
        for turn in (*turns[first:], *turns[:first]):
            if turn.absent:
                continue
            settle()
            try:
                turn.taken.append(turn.play(number))
            except BareboatError as error:
                turn.absent = f"failed: {error.summary}"
                bench.tell(f"{work.name}: {turn.title}: {error}")
                continue
            bench.tell(f"{work.name}, round {number + 1}: {turn.title}: {turn.taken[-1].seconds:.2f} s")
    return tuple(turn.row() for turn in turns)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A work on a set of cells: from which crate, whether each round has a new one, and what changes before a build."""

    crate: Crate = HELLO
    cells: tuple[Cell, ...] = plain_cells(SEVEN)
    few: int = 0  # with so many of the cells the first build, and a quick run, do; 0 for all
    anew: bool = False
    change: Callable[[Project], None] = lambda _: None
    prepare: Callable[[Bench], None] = lambda _: None
    fits: Callable[[Way], bool] = lambda way: way.title != RUN_TOO  # which ways take part
    run: bool = False
    # A compile in a container is no child of the command: where there is one, a command's own share says little.
    processor: bool = False

    def __call__(self, bench: Bench, work: Work) -> Figures:
        """Time it."""
        self.prepare(bench)
        turns = [self._turn(bench, work, number, way) for number, way in enumerate(bench.ways) if self.fits(way)]
        rows = take_turns(bench, work, turns)
        return Figures(name=work.name, title=work.title, note=work.note, rows=rows)

    def _turn(self, bench: Bench, work: Work, number: int, way: Way) -> Turn:
        projects: list[Project] = []

        def play(round_number: int) -> Taken:
            if self.anew or not projects:
                name = f"{work.name}-{number}" + (f"-{round_number}" if self.anew else "")
                projects[:] = [bench.place.project(name, self.crate, self.cells[: self.few or None])]
                projects[0].say(new_text())
                if not self.anew:
                    way.build(projects[0], run=self.run)
                    settle()
                if not bench.quick:
                    projects[0].set_cells(self.cells)
            self.change(projects[0])
            taken = way.build(projects[0], run=self.run)
            way.prove(projects[0])
            return taken if self.processor else replace(taken, processor_seconds=0.0)

        return Turn(way.title, play, way.absent)


def new_text() -> str:
    """A line that no program has printed."""
    return f"hello-{secrets.token_hex(8)}"


def change_line(project: Project) -> None:
    """Another text for the program to print."""
    project.say(new_text())


def change_recipe(project: Project) -> None:
    """Another environment on one base."""
    cells = {cell.recipe: cell for cell in project.cells}
    cells["debian-slim"] = Cell(recipe="debian-slim", like="debian-slim", environment={"GREETING": new_text()})
    project.set_cells(tuple(cells.values()))
