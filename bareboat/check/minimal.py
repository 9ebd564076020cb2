"""Proves that a from-scratch image is minimal: leaves out each file in turn and runs all that the sample expects."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bareboat.check.runs import judge_run, not_started
from bareboat.engine.containers import NETWORKS
from bareboat.engine.images import OWN_NAMES
from bareboat.inputs.recipe import CREW
from bareboat.make.image import image_config, image_entries
from bareboat.make.load import load_image
from bareboat.measurements import idle, proof
from bareboat.result.values import IDLE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bareboat.inputs.expectation import Expectation
    from bareboat.make.context import JobContext
    from bareboat.make.copies import CopiedEntry
    from bareboat.make.image import ImageContents
    from bareboat.result.values import ManifestRow, Result

NEEDED = "needed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prover:
    """Runs a from-scratch image that lacks some of its files."""

    context: JobContext
    contents: ImageContents
    tell: Callable[[str], None]  # hears a line of what each image without something came to

    def without(self, left_out: Sequence[CopiedEntry], runs: Sequence[Expectation]) -> tuple[Expectation, ...]:
        """Those of the runs that fail when the items are left out; all of them when the program does not start."""
        gone = {item.entry.path for item in left_out}
        kept = [item for item in self.contents.items if item.entry.path not in gone]
        name = f"{OWN_NAMES}proof/{self.contents.cell.sample.crate}:without"
        entries = image_entries(self.contents, kept)
        try:
            return self._failing(load_image(self.context, entries, image_config(self.contents), name), runs)
        finally:
            self.context.engine.remove(name)

    def _failing(self, image: str, runs: Sequence[Expectation]) -> tuple[Expectation, ...]:
        failing, limits = [], self.context.limits(self.contents.cell)
        for run in runs:
            arguments, seconds = run.arguments, run.timeout_seconds
            network, writable = NETWORKS[run.network], run.writable
            report = self.context.engine.run(
                image, arguments, seconds, limits=limits, writable=writable, network=network
            )
            if not_started(report):
                return tuple(runs)
            if judge_run(report, run, limits) is not None:
                failing.append(run)
        return tuple(failing)

    def needed_files(
        self, files: Sequence[CopiedEntry], runs: Sequence[Expectation], gone: Sequence[CopiedEntry] = ()
    ) -> tuple[CopiedEntry, ...]:
        """Those of a folder's files that the runs need, where those of `gone` are left out already.

        Halves that can be left out as a whole are not looked into, and stay out: of two files of which either will do,
        one is needed.
        """
        if not files or not self.without((*gone, *files), runs):
            return ()
        if len(files) == 1:
            return tuple(files)
        middle = len(files) // 2
        first = self.needed_files(files[:middle], runs, gone)
        spare = [item for item in files[:middle] if item not in first]
        return (*first, *self.needed_files(files[middle:], runs, (*gone, *spare)))


def is_proved(result: Result) -> bool:
    """Whether each file but the program has been left out once."""
    return all(row.proof for row in result.manifest if not _is_started(row))


def _is_started(row: ManifestRow) -> bool:
    """Whether a row is a program that an engine starts, of which the runs of another can prove nothing."""
    return row.source == "compile" or row.source.startswith(CREW)


def prove(prover: Prover, result: Result) -> Result:
    """The result with what came of leaving out each row of its manifest but the programs that an engine starts."""
    rows = [row if _is_started(row) else _prove(prover, row) for row in result.manifest]
    anew = {proof.COLUMN.name: proof.summarise(rows), idle.COLUMN.name: idle.summarise_idle(rows)}
    measurements = tuple(
        replace(taken, value=anew.get(taken.column.name, taken.value)) for taken in result.measurements
    )
    return replace(result, manifest=tuple(rows), measurements=measurements)


def _prove(prover: Prover, row: ManifestRow) -> ManifestRow:
    numbers = {item.number for item in prover.contents.items if f"/{item.entry.path}" == row.path.removesuffix("/")}
    items = [item for item in prover.contents.items if item.number in numbers]
    runs = prover.contents.cell.sample.expectations
    failing = prover.without(items, runs)
    words = _words(failing, runs)
    files = [item for item in items if item.entry.kind != "directory"]
    idle_files = 0 if failing else len(files)
    if failing and row.kind == "directory" and files:
        needed = len(prover.needed_files(files, failing))
        idle_files = len(files) - needed
        words += f" ({needed} of {len(files)} files)"
    prover.tell(f"without {row.path}: {words}")
    return replace(row, proof=words, idle_files=idle_files)


def _words(failing: Sequence[Expectation], runs: Sequence[Expectation]) -> str:
    if not failing:
        return IDLE
    if len(failing) == len(runs):
        return NEEDED
    return f"{NEEDED} by {', '.join(run.name or 'the plain run' for run in failing)}"
