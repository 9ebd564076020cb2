"""`invoke compare`: holds the results at hand to earlier ones, and says by its exit code whether one became worse."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from bareboat.commands.committed import committed_results
from bareboat.commands.pages import load_kept, load_results
from bareboat.commands.plan_inputs import kept_results, teller
from bareboat.errors import InputError, SelectionError
from bareboat.inputs.load_recipes import load_recipes
from bareboat.inputs.load_samples import load_samples
from bareboat.inputs.tomlfile import did_you_mean
from bareboat.measurements import load_measurements, timed_names
from bareboat.plan.planner import published_sizes
from bareboat.report.compare import Rules, compare
from bareboat.report.compare_sheet import tell_cheat_sheet
from bareboat.report.compare_text import CompareFormat, tell_comparison
from bareboat.report.read_records import read_records
from bareboat.result.store import load_all
from bareboat.system.files import read_file
from bareboat.system.printable import printable_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bareboat.commands.project import Project
    from bareboat.result.measurement import Column
    from bareboat.result.values import Result
    from bareboat.system.process import Processes

    Hosts = Mapping[str, tuple[Result, ...]]

CHEAT_SHEET = "cheat-sheet"
_DEFAULT = "HEAD"
_SUMMARY = "GITHUB_STEP_SUMMARY"
_PERCENT = re.compile(r"[0-9]{1,6}(\.[0-9]{1,6})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareOptions:
    """The options of compare."""

    what: str = ""  # a git revision, a file, a folder or `cheat-sheet`; "" for the last commit
    threshold: str = "1"  # per cent
    format: CompareFormat = "text"
    host: str = ""  # every one where none is named
    all: bool = False  # show the figures too that did not change or are not judged
    results: Path | None = None  # in place of what runs kept
    crate: Path | None = None  # a crate of the user's own, in place of the samples


def print_comparison(project: Project, options: CompareOptions, processes: Processes, view: TextIO) -> tuple[str, int]:
    """What became of earlier results; 1 is the exit code where something became worse. `view` hears what is amiss."""
    percent, tell = _percent(options.threshold), teller(view)
    new = _at_hand(project, options, tell)
    if options.what == CHEAT_SHEET:
        if options.crate:
            raise InputError("the cheat sheet has no figure of a crate of your own; name a revision, file or folder")
        sizes = published_sizes(load_recipes(project.recipes), load_samples(project.samples))
        text, summary = (tell_cheat_sheet(new, sizes, form) for form in (options.format, "markdown"))
        _summarise(processes, summary, tell)
        # Somebody else's figures: ours have become no worse where they are larger.
        return text, 0
    columns = {module.COLUMN.name: module.COLUMN for module in load_measurements()}
    old, against = _earlier(project, options, processes, columns, tell)
    rules = Rules(threshold_percent=percent, columns=columns, timed=timed_names())
    found = compare(_of_host(old, options.host), new, rules)
    text, summary = (tell_comparison(found, against, form, whole=options.all) for form in (options.format, "markdown"))
    _summarise(processes, summary, tell)
    return text, 1 if found.counts["worse"] else 0


def _percent(word: str) -> float:
    if not _PERCENT.fullmatch(word):
        raise InputError(f"--threshold {word}: it takes per cent, such as 1 or 0.5")
    return float(word)


def _at_hand(project: Project, options: CompareOptions, tell: Callable[[str], None]) -> Hosts:
    """The results that are compared: those that `report` prints, or a folder's."""
    if options.results or options.crate:
        folder = options.results or kept_results(project, options.crate)
        found = load_kept(folder)
    else:
        found = load_results(project, load_kept(kept_results(project, None)), tell).hosts
    if options.host and options.host not in found:
        raise SelectionError(f"no results of host '{options.host}'{did_you_mean(options.host, sorted(found))}")
    if not found:
        place = f" in {options.results}" if options.results else ""
        raise SelectionError(f"nothing was measured yet{place}: `invoke build-matrix` does it")
    return _of_host(found, options.host)


def _of_host(found: Hosts, host: str) -> Hosts:
    # Where it has another name on the other side, it is still the one that is meant.
    return {host: found[host]} if host in found else found


def _earlier(
    project: Project,
    options: CompareOptions,
    processes: Processes,
    columns: Mapping[str, Column],
    tell: Callable[[str], None],
) -> tuple[Hosts, str]:
    """What is compared with, and how it is called."""
    word = options.what or _DEFAULT
    path = Path(word)
    if path.is_dir():
        found = load_kept(path) or ({path.name: load_all(path)} if any(path.glob("*.json")) else {})
        if not found:
            raise SelectionError(f"{word}: a folder without results, which lie in it as HOST/CELL.json")
        return found, word
    if path.exists():
        return read_records(read_file(path), word, columns.values()), word
    return committed_results(processes, options.crate or project.root, word, options.results, tell)


def _summarise(processes: Processes, text: str, tell: Callable[[str], None]) -> None:
    """Put a text into the summary of a job of GitHub Actions, where this is one."""
    place = os.environ.get(_SUMMARY)
    if not place:
        return
    try:
        with Path(place).open("a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(f"{printable_lines(processes.clean(text))}\n")
    except OSError as error:
        tell(f"the job's summary, {place}, cannot be written: {error.strerror}")
    else:
        tell(f"put into the job's summary: {place}")
