"""How a command shows results: on a terminal as wide as it is, elsewhere whole."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING, TextIO

from bareboat.errors import InputError
from bareboat.inputs.tomlfile import did_you_mean
from bareboat.matrix.progress import Muted
from bareboat.measurements import load_measurements
from bareboat.report import Format, Next, render, summarise
from bareboat.report.table import ALL, field_names
from bareboat.report.terminal import show
from bareboat.system.called import as_called
from bareboat.system.screen import Screen, find_screen

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from bareboat.commands.plan_inputs import OwnCrate
    from bareboat.result.values import Result

_UNITS = ("_bytes", "_seconds")


def read_columns(asked: Sequence[str], form: Format) -> tuple[str, ...]:
    """The columns that a user names, as a table names them: `size`, also as `size_bytes`. Raises InputError."""
    if asked and form not in {"text", "markdown"}:
        raise InputError(f"--columns is for text and markdown: {form} has them all")
    known = (*field_names(module.COLUMN for module in load_measurements()), ALL)
    return tuple(_known_name(name, known) for name in asked)


def _known_name(word: str, known: Sequence[str]) -> str:
    name = word.strip().replace("-", "_").lower()
    for unit in _UNITS:
        name = name if name in known else name.removesuffix(unit)
    if name in known:
        return name
    raise InputError(f"--columns {word}: no such column{did_you_mean(name, known)}; there are: {', '.join(known)}")


def hush(view: TextIO, *, quiet: bool, verbose: bool) -> TextIO:
    """What hears of the work: the view, or if it is to be quiet one that hears of failures alone. Raises InputError."""
    if quiet and verbose:
        raise InputError("--quiet and --verbose: it cannot be both")
    return Muted(view) if quiet else view


def terminal_of(form: Format) -> Screen | None:
    """The terminal that an answer in this format is read on; None where it goes elsewhere, and of data."""
    return find_screen(sys.stdout) if form == "text" else None


def show_results(results: Iterable[Result], form: Format, columns: Sequence[str], *, wide: bool) -> str:
    """The table of results; `wide` is whether text that goes to no terminal has all columns."""
    screen = terminal_of(form)
    return render(results, form, wide=wide, chosen=columns) if screen is None else show(results, screen, columns)


def show_summary(
    results: Sequence[Result], own: OwnCrate, here: Path | None, kept: tuple[Path, Path | None], recommendation: str
) -> str:
    """What a run came to, for a terminal.

    `here` is the crate that the user stands in, and `kept` where the results are and the folder that was named for
    them.
    """
    screen, (folder, named) = find_screen(sys.stdout) or Screen(columns=80), kept
    crate = [f"--crate={own.crate}"] if own.crate and own.crate != here else []
    flags = {"package": own.package, "bin": own.bin, "features": own.features, "results": named}
    words = [*crate, *(f"--{flag}={value}" for flag, value in flags.items() if value)]

    def explain(result: Result) -> str:
        return as_called(f"`invoke {shlex.join(['explain', result.cell, *words])}`").strip("`")

    report = f"`invoke {shlex.join(['report', *crate])}` shows all figures, with `--html` as a page."
    more = Next(
        explain=explain,
        results=str(folder),
        report=as_called("`--columns all` shows all figures." if named else report),
    )
    return summarise(results, more, screen.columns, recommendation)
