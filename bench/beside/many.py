"""Works on many cells, and on two commands at once."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from machine import worked_seconds

from beside.crates import HELLO
from beside.figures import BAREBOAT, Figures, Row, Taken, fit_text, ratio_to
from beside.recipes import SEVEN, Cell, plain_cells
from beside.ways import CORES
from beside.works import Bench, Turn, Work, new_text, take_turns

if TYPE_CHECKING:
    from beside.workplace import Project

# So many samples on so many recipes.
SCALES = {10: (2, 5), 100: (10, 10), 1000: (40, 25)}
MIXED = tuple(
    Cell(recipe=f"mixed-{number:03}", like=SEVEN[number % len(SEVEN)], environment={"NUMBER": str(number)})
    for number in range(100)
)
# The kernel counts a process's memory from before it became another program, the benchmark's own included: a small
# process in between starts the command.
_PEAK = """
import os, sys
_, status, usage = os.wait4(os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ), 0)
print("peak", 1024 * usage.ru_maxrss)
sys.exit(os.waitstatus_to_exitcode(status))
"""


def measure_all_recipes(bench: Bench, work: Work) -> Figures:
    """One sample on every recipe, unchanged, beside what else has nothing to do."""
    turns = []
    for number, way in enumerate(bench.ways):
        if way.title not in {BAREBOAT, "BuildKit in a row"}:
            continue
        whole = way is bench.bareboat
        project = bench.place.project(f"{work.name}-{number}", HELLO, plain_cells(SEVEN), whole=whole)
        project.say(new_text())
        title = f"{BAREBOAT}, every recipe" if whole else way.title
        turn = Turn(title, lambda _, way=way, project=project: way.build(project), way.absent)  # type: ignore[misc]
        if not way.absent:
            way.build(project)
        turns.append(turn)
    return Figures(name=work.name, title=work.title, note=work.note, rows=take_turns(bench, work, turns))


def measure_scale(bench: Bench, work: Work) -> Figures:
    """`plan`, and `build-matrix` with nothing to do, on more and more cells."""
    plans, runs = [], []
    for size, (samples, recipes) in SCALES.items():
        if bench.quick and size > min(SCALES):
            continue
        project = _many_cells(bench, size, samples, recipes)
        bench.tell(f"{work.name}: preparing {size} cells")
        taken = bench.bareboat.build(project)
        bench.tell(f"{work.name}: {size} cells prepared in {taken.seconds:.0f} s")
        plans.append(Turn(f"{BAREBOAT}: plan, {size} cells", partial(_plan, bench, project), size=size))
        runs.append(Turn(f"{BAREBOAT}: nothing changed, {size} cells", partial(_build, bench, project), size=size))
    rows = take_turns(bench, work, [*plans, *runs])
    half = len(plans)
    remarks = (fit_text(rows[:half], "plan"), fit_text(rows[half:], "nothing changed"))
    return Figures(name=work.name, title=work.title, note=work.note, rows=rows, remarks=remarks)


def measure_two(bench: Bench, work: Work) -> Figures:
    """Two crates, each by itself and both at once."""
    projects = [bench.place.project(f"{work.name}-{number}", HELLO, plain_cells(SEVEN)) for number in range(2)]
    for project in projects:
        project.say(new_text())
        bench.bareboat.build(project)

    def play(*chosen: Project) -> Taken:
        for project in chosen:
            project.say(new_text())
        commands = [[bench.bareboat.command(project, "build-matrix")] for project in chosen]
        before = worked_seconds()
        taken = bench.place.commands.run_all(commands, width=max(2, CORES))
        return replace(taken, processor_seconds=worked_seconds() - before)

    turns = [
        Turn(f"{BAREBOAT}, the first alone", lambda _: play(projects[0])),
        Turn(f"{BAREBOAT}, the second alone", lambda _: play(projects[1])),
        Turn(f"{BAREBOAT}, both at once", lambda _: play(*projects)),
    ]
    rows = take_turns(bench, work, turns)
    return Figures(name=work.name, title=work.title, note=work.note, rows=rows, remarks=_compare_two(rows))


def _compare_two(rows: tuple[Row, ...]) -> tuple[str, ...]:
    """Both at once can take no less than the longer alone, nor less than the work of both shared out to all cores."""
    if not all(row.taken for row in rows):
        return ()
    first, second, both = rows
    longer = max(first, second, key=lambda row: row.median)
    work = sum(min(one.processor_seconds for one in row.taken) for row in (first, second)) / CORES
    least = max(longer.median, work)
    apart = both.median / (first.median + second.median)
    shared = f"the longer alone, or the processor's time of both shared by {CORES} cores"
    return (
        f"both at once take {ratio_to(both, longer):.2f} of the longer alone, and {apart:.2f} of one after the other",
        f"no less than {least:.2f} s could do, {shared}: they take {both.median / least:.2f} of it",
    )


def _many_cells(bench: Bench, size: int, samples: int, recipes: int) -> Project:
    """A project of so many small samples on as many recipes, which differ in their environment."""
    cells = tuple(
        Cell(recipe=f"scale-{number:02}", like="scratch-musl", environment={"NUMBER": str(number)})
        for number in range(recipes)
    )
    project = bench.place.project(f"scale-{size}", HELLO, cells, whole=True)
    for file in (project.root / "recipes").glob("*.toml"):
        if not file.stem.startswith("scale-"):
            file.unlink()
    project.say(new_text())
    for number in range(1, samples):
        name = f"{project.name}-{number:02}"
        HELLO.write(project.sources.with_name(name), name, new_text())
    return project


def _plan(bench: Bench, project: Project, _: int) -> Taken:
    command = bench.bareboat.command(project, "plan")
    watched = replace(command, argv=(sys.executable, "-I", "-S", "-c", _PEAK, *command.argv))
    taken, text = bench.place.commands.run(watched)
    peak = re.search(r"^peak (\d+)$", text, re.MULTILINE)
    return replace(taken, peak_bytes=int(peak[1]) if peak else 0)


def _build(bench: Bench, project: Project, _: int) -> Taken:
    return bench.bareboat.build(project)
