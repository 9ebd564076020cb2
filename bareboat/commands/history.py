"""What each cell weighed and how it fared, commit by commit, where its results are in git."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import ConfigDict, TypeAdapter, ValidationError

from bareboat.commands.committed import GIT, RESULTS, place_of, read_blobs
from bareboat.errors import EngineError, HostError
from bareboat.result.measurement import Figure  # noqa: TC001 -- pydantic reads the types of fields

if TYPE_CHECKING:
    from bareboat.commands.project import Project
    from bareboat.system.process import Processes

# Of a merge, what it brought to the branch that it was merged into: the points of one line of commits are in order.
_LOG = (
    *("log", "--first-parent", "-m", "--raw", "--no-renames", "--no-abbrev", "--relative"),
    *("--no-color", "--no-show-signature", "--format=%H %cI"),
)
# Results of every version have these keys; of what else they have, nothing is asked.
_LOOSE = ConfigDict(extra="ignore", strict=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """What a cell came to in one commit."""

    commit: str  # all digits
    date: str  # of the commit, as ISO 8601 writes it, with its offset
    outcome: str  # passed, failed or skipped
    figures: dict[str, float]  # by the column's name, in its unit; those that are numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class _Named:
    __pydantic_config__ = _LOOSE

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Taken:
    __pydantic_config__ = _LOOSE

    column: _Named
    value: Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcome:
    __pydantic_config__ = _LOOSE

    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    __pydantic_config__ = _LOOSE

    outcome: _Outcome
    measurements: tuple[_Taken, ...]


_KEPT = TypeAdapter(_Kept)


def cell_history(project: Project, processes: Processes) -> dict[str, dict[str, tuple[Point, ...]]]:
    """By host and cell a point for each commit that changed its published result, the oldest first.

    Empty where the project is in no repository, or git is absent. What cannot be read as a result is left out.
    """
    try:
        log = processes.run([*GIT, *_LOG, "--", RESULTS], cwd=project.root)
        changes = _read_log(log)
        texts = read_blobs(processes, project.root, (blob for *_, blob in changes))
    except (EngineError, HostError):
        return {}
    kept = {blob: read for blob, text in texts.items() if (read := _read(text))}
    found: dict[str, dict[str, tuple[Point, ...]]] = {}
    for commit, date, (host, name), blob in reversed(changes):
        if blob in kept:
            cells, cell = found.setdefault(host, {}), name.removesuffix(".json")
            outcome, figures = kept[blob]
            point = Point(commit=commit, date=date, outcome=outcome, figures=figures)
            cells[cell] = (*cells.get(cell, ()), point)
    return found


def _read_log(log: str) -> list[tuple[str, str, tuple[str, str], str]]:
    """Commit, date, host and file's name, and blob of each change, the newest first."""
    changes, commit, date = [], "", ""
    for line in log.splitlines():
        if line.startswith(":"):
            about, _, path = line.partition("\t")
            *_, blob, _ = about.split(" ")
            if place := place_of(path, RESULTS):
                changes.append((commit, date, place, blob))
        elif line:
            commit, _, date = line.partition(" ")
    return changes


def _read(text: str) -> tuple[str, dict[str, float]] | None:
    """The outcome and the figures of a result; None of what is none."""
    try:
        kept = _KEPT.validate_json(text)
    except ValidationError:
        return None
    figures = {
        taken.column.name: float(taken.value)
        for taken in kept.measurements
        if isinstance(taken.value, int | float) and not isinstance(taken.value, bool)
    }
    return kept.outcome.kind, figures
