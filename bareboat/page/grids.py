"""The table of all results, the grid of what services answered, and what was predicted. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bareboat.page.shown import Shown, show
from bareboat.report.figures import value_text
from bareboat.report.table import AS_EXPECTED, column_name, columns, measurement_of, sort_results

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bareboat.result.measurement import Column
    from bareboat.result.values import Preflight, Probe, Result

# The columns that are there before anybody asks for all, from the left.
_FEW = ("size", "start_up", "time_to_serve", "peak", "transfer", "transfer_size", "files", "libc", "crt", "tls", "dns")
_FIGURES = frozenset({"bytes", "seconds", "count"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """The top of a column."""

    text: str
    meaning: str
    few: bool  # whether it is there before anybody asks for all
    numeric: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One result."""

    host: str
    result: Result
    outcome: str
    said: tuple[Shown, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """How one host's services answered."""

    host: str
    names: tuple[str, ...]  # of probes
    rows: tuple[tuple[Result, tuple[Probe | None, ...]], ...]
    made: Mapping[str, str]  # by cell: libc, linkage and TLS in a line


@dataclass(frozen=True, slots=True, kw_only=True)
class Predicted:
    """What came of one host's predictions."""

    host: str
    right: int
    wrong: int
    fails: tuple[tuple[Result, Preflight], ...]  # predicted to fail, or wrongly predicted


def make_table(hosts: Mapping[str, Sequence[Result]]) -> tuple[tuple[Heading, ...], tuple[Row, ...]]:
    """A column for each measurement and a row for each result, those that passed first."""
    pairs = [(host, result) for host, results in hosts.items() for result in sort_results(results)]
    everything = [result for _, result in pairs]
    size = next((taken.column for one in everything if (taken := measurement_of(one, "size"))), None)
    named = sorted([*([size] if size else []), *columns(everything)], key=_place)
    rows = tuple(
        Row(
            host=host,
            result=result,
            outcome=AS_EXPECTED if result.fails_as_expected else result.outcome.kind,
            said=tuple(show(measurement_of(result, column_name(column))) for column in named),
        )
        for host, result in pairs
    )
    filled = [any(row.said[place].text for row in rows) for place in range(len(named))]
    return tuple(_heading(column, some=some) for column, some in zip(named, filled, strict=True)), rows


def _place(column: Column) -> int:
    name = column_name(column)
    return _FEW.index(name) if name in _FEW else len(_FEW)


def _heading(column: Column, *, some: bool) -> Heading:
    few = some and column_name(column) in _FEW
    return Heading(text=column.heading, meaning=column.meaning, few=few, numeric=column.unit in _FIGURES)


def make_grids(hosts: Mapping[str, Sequence[Result]]) -> tuple[Grid, ...]:
    """A grid for each host that a service was measured on."""
    grids = []
    for host, results in hosts.items():
        services = [result for result in results if result.probes]
        names = tuple(dict.fromkeys(probe.name for result in services for probe in result.probes))
        answers = [{probe.name: probe for probe in result.probes} for result in services]
        if services:
            rows = tuple(
                (result, tuple(probes.get(name) for name in names))
                for result, probes in zip(services, answers, strict=True)
            )
            grids.append(Grid(host=host, names=names, rows=rows, made={one.cell: _made(one) for one in services}))
    return tuple(grids)


def _made(result: Result) -> str:
    found = (measurement_of(result, name) for name in ("libc", "crt", "tls"))
    return ", ".join(value_text(taken).partition(" (")[0] for taken in found if taken and value_text(taken))


def make_predictions(hosts: Mapping[str, Sequence[Result]]) -> tuple[Predicted, ...]:
    """What came of each host's predictions."""
    found = []
    for host, results in hosts.items():
        flights = [(one, one.preflight) for one in results if one.preflight and one.preflight.observed is not None]
        wrong = [flight for _, flight in flights if flight.predicted != flight.observed]
        if flights:
            fails = tuple(pair for pair in flights if not pair[1].predicted or not pair[1].observed)
            found.append(Predicted(host=host, right=len(flights) - len(wrong), wrong=len(wrong), fails=fails))
    return tuple(found)
