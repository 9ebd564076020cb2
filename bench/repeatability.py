"""Whether a second run of build-matrix finds the figures of the first: how many lie within the first's intervals.

Run it from the project's root, on a quiet machine, as root or not: `python bench/repeatability.py --write`, or with two
folders of results that there are already: `python bench/repeatability.py FIRST SECOND`. Words after `--` are further
options of build-matrix. The exit code is 1 where fewer than 95 % do.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from machine import QUIET_SHARE, busy_share, tell

from bareboat.console import run
from bareboat.errors import SelectionError
from bareboat.report.figures import value_text
from bareboat.report.origin import machine_text
from bareboat.result.measurement import Measurement
from bareboat.result.store import hosts, load_all
from bareboat.system.files import write_whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from bareboat.result.measurement import Column, Spread
    from bareboat.system.process import Processes

DEMANDED = 0.95
LISTED = 30
RESULT = Path(__file__).with_suffix(".md")
HEAD = """\
# Does a second run find the same figures?

Every cell is built, run and measured twice, and each figure of the second run is held to the first's. Written by
`python bench/repeatability.py --write`.

A timed figure is the median of several runs of one image, and has two intervals:

- **the runs'**: from the 10th to the 90th percentile of the single runs. It says where a run is to be expected, and is
  what the second median is held to: it is told with the figure, and a median that has left it is another figure for
  whoever reads the table. At least 95 % of the second medians have to lie within it.
- **the median's**: the 95 % bootstrap interval. It says how sure the first median is, not where a second one will lie:
  both medians vary, so that their difference varies √2 times as much as either, and where nothing but chance
  differs, P(|Z| < 1.96 / √2), that is 83 %, of the second medians lie within it. It is shown because it is the
  stricter of the two, and can come to no 95 %; a share far below 83 % says that the machine was another at the second
  run. `invoke compare` asks whether the runs of both lie
  among each other.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One figure of one cell in both runs."""

    cell: str  # with its host
    column: Column
    first: float
    second: float
    spread: Spread | None  # of the first run

    @property
    def in_runs(self) -> bool:
        """Whether the second lies within the first's single runs."""
        return self.spread is not None and self.spread.p10 <= self.second <= self.spread.p90

    @property
    def in_median(self) -> bool:
        """Whether the second lies within the interval of the first's median."""
        return self.spread is not None and self.spread.low <= self.second <= self.spread.high

    @property
    def change(self) -> float:
        """By which share of the first the second differs."""
        return 0.0 if self.first == self.second else abs(self.second - self.first) / abs(self.first or self.second)

    def text(self, value: float) -> str:
        """A figure of its column for people."""
        return value_text(Measurement(column=self.column, value=value))


def find_pairs(first: Path, second: Path) -> tuple[Pair, ...]:
    """Every figure that both folders of results have, by column; raises SelectionError where there is none."""
    pairs = [pair for host in hosts(first) for pair in _pairs_of(host, first / host, second / host)]
    if not pairs:
        raise SelectionError(f"{first} and {second} have no figure of one cell and host in common")
    return tuple(sorted(pairs, key=lambda pair: (pair.column.order, pair.column.name, pair.cell)))


def _pairs_of(host: str, first: Path, second: Path) -> Iterator[Pair]:
    later = {(result.cell, one.column.name): one for result in load_all(second) for one in result.measurements}
    for result in load_all(first):
        for one in result.measurements:
            other = later.get((result.cell, one.column.name))
            if other and _is_number(one.value) and _is_number(other.value):
                yield Pair(
                    cell=f"{host}/{result.cell}",
                    column=one.column,
                    first=one.value,
                    second=other.value,
                    # A single reading of the second run is no median that could be held to the first's runs.
                    spread=one.spread if other.spread else None,
                )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def share_within(timed: Sequence[Pair]) -> float:
    """The share of the second medians, 0 to 1, within the first's runs."""
    return sum(pair.in_runs for pair in timed) / len(timed)


def write_page(pairs: Sequence[Pair], facts: Iterable[str]) -> str:
    """The tables, what lies outside, and the facts."""
    timed = [pair for pair in pairs if pair.spread]
    parts = [HEAD, *_timed_parts(timed)] if timed else [HEAD, "No figure has an interval in both runs.\n"]
    if single := [pair for pair in pairs if not pair.spread]:
        parts += ["## Figures without an interval\n", "A single reading each, which nothing is demanded of.\n"]
        parts.append(_single_table(single))
    return "\n".join([*parts, "## The machine\n", *(f"- {fact}" for fact in facts)]) + "\n"


def _timed_parts(timed: Sequence[Pair]) -> Iterator[str]:
    share = share_within(timed)
    verdict = "as is demanded" if share >= DEMANDED else f"**and at least {DEMANDED:.0%} are demanded**"
    yield f"**{share:.1%}** of {len(timed)} timed figures lie within the first's runs, {verdict}.\n"
    rows = [_timed_row(column.heading, list(group)) for column, group in groupby(timed, key=lambda pair: pair.column)]
    head = [
        "| Column | Figures | Within the runs | Within the median's | Differs by (median) |",
        "|---|--:|--:|--:|--:|",
    ]
    yield "\n".join([*head, *rows, _timed_row("**all**", timed), ""])
    if outside := [pair for pair in timed if not pair.in_runs]:
        yield "## Outside the first's runs\n"
        more = [f"\nAnd {len(outside) - LISTED} more.\n"] if len(outside) > LISTED else []
        yield "\n".join([*_outside_table(outside[:LISTED]), "", *more])


def _timed_row(name: str, pairs: Sequence[Pair]) -> str:
    median = sum(pair.in_median for pair in pairs) / len(pairs)
    change = statistics.median(pair.change for pair in pairs)
    return f"| {name} | {len(pairs)} | {share_within(pairs):.1%} | {median:.1%} | {change:.1%} |"


def _outside_table(outside: Iterable[Pair]) -> Iterator[str]:
    yield from ("| Cell | Column | First | 10th | 90th | Second |", "|---|---|--:|--:|--:|--:|")
    for pair in outside:
        if pair.spread:
            figures = (pair.first, pair.spread.p10, pair.spread.p90, pair.second)
            yield f"| {pair.cell} | {pair.column.heading} | {' | '.join(map(pair.text, figures))} |"


def _single_table(single: Sequence[Pair]) -> str:
    lines = ["| Column | Figures | The same | Differs most by |", "|---|--:|--:|--:|"]
    for column, group in groupby(single, key=lambda pair: pair.column):
        pairs = list(group)
        same, most = sum(pair.first == pair.second for pair in pairs), max(pair.change for pair in pairs)
        lines.append(f"| {column.heading} | {len(pairs)} | {same} | {most:.1%} |")
    return "\n".join([*lines, ""])


def write_records(pairs: Sequence[Pair], facts: Sequence[str]) -> str:
    """The same figures for other programs, unrounded."""
    timed = [pair for pair in pairs if pair.spread]
    figures = [
        {
            "cell": pair.cell,
            "column": pair.column.name,
            "unit": pair.column.unit,
            "first": pair.first,
            "second": pair.second,
            "within_runs": pair.in_runs if pair.spread else None,
            "within_median": pair.in_median if pair.spread else None,
        }
        for pair in pairs
    ]
    share = share_within(timed) if timed else None
    return json.dumps({"share": share, "demanded": DEMANDED, "facts": facts, "figures": figures}, indent=1) + "\n"


def run_twice(folder: Path, words: Sequence[str], processes: Processes) -> tuple[Path, Path, list[str]]:
    """Build, run and measure all twice; both folders of results, and a fact of how busy the machine was each time."""
    folders, facts = [], []
    for name in ("first", "second"):
        busy = busy_share()
        verdict = "quiet" if busy < QUIET_SHARE else "**not quiet: take no figure of this run for a result**"
        facts.append(f"at work before the {name} run: {busy:.0%} of all cores, {verdict}")
        tell(f"{name} run; {facts[-1]}")
        argv = [sys.executable, "-m", "bareboat", "build-matrix", "--force", "--results", str(folder / name), *words]
        child = processes.start(argv, cwd=Path(__file__).parents[1], stderr=sys.stderr.fileno())
        try:
            child.wait()
        finally:
            processes.end(child)
        if child.returncode:
            tell(f"build-matrix ended with {child.returncode}: what has a result is compared")
        folders.append(folder / name)
    return folders[0], folders[1], facts


def measured_on(folder: Path) -> Iterator[str]:
    """The machines that a folder's results are of."""
    found = (result.provenance for host in hosts(folder) for result in load_all(folder / host))
    yield from dict.fromkeys(machine_text(provenance) for provenance in found if provenance)


def hold_together(options: argparse.Namespace, processes: Processes) -> tuple[str, int]:
    """The page, and 1 where too few of the second run's figures are the first's."""
    with tempfile.TemporaryDirectory(prefix="bareboat-") as folder:
        if options.folders:
            first, second, busy = *options.folders, []
        else:
            first, second, busy = run_twice(Path(folder), options.words, processes)
        pairs = find_pairs(first, second)
        facts = [*dict.fromkeys([*measured_on(first), *measured_on(second)]), *busy]
    page = write_page(pairs, facts)
    if options.write:
        write_whole(RESULT, page.encode())
        write_whole(RESULT.with_suffix(".json"), write_records(pairs, facts).encode())
    timed = [pair for pair in pairs if pair.spread]
    return page, 0 if timed and share_within(timed) >= DEMANDED else 1


def read_words(words: Sequence[str]) -> argparse.Namespace:
    """The command line's words; those after `--` are of build-matrix."""
    own = list(words[: words.index("--")]) if "--" in words else list(words)
    parser = argparse.ArgumentParser(description="Measures twice, and says how many figures are the same.")
    parser.add_argument("folders", nargs="*", type=Path, help="two folders of results, in place of two runs")
    parser.add_argument("--write", action="store_true", help="keep bench/repeatability.md and .json, too")
    options = parser.parse_args(own)
    options.words = list(words[len(own) + 1 :])
    if len(options.folders) not in {0, 2}:
        parser.error("two folders, or none")
    return options


def main() -> int:
    """The command line; the exit code."""
    options = read_words(sys.argv[1:])
    return run(lambda processes: hold_together(options, processes))


if __name__ == "__main__":
    sys.exit(main())
