"""Compares results with earlier ones, cell by cell and figure by figure, and judges what became worse. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from bareboat.report.table import outcome_text
from bareboat.result.measurement import NOT_ASKED, Column, Measurement
from bareboat.result.values import Failed, Passed
from bareboat.system.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from bareboat.result.measurement import Better, Figure, Spread
    from bareboat.result.values import Host, Result

Verdict = Literal["worse", "better", "changed", "not judged", "same"]
# What a program takes that does nothing: where that is another, so is the machine, whatever its number.
CONTROL = "nothing"
OUTCOME = Column(name="outcome", heading="Outcome", unit="text", order=0)
# What is told where it differs: figures may then differ for that alone.
_FACTS = ("machine", "kernel", "podman", "runtime", "storage_driver")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One figure of one cell, before and now."""

    host: str  # that measured it now
    cell: str
    old: Measurement
    new: Measurement  # its column is the one that is judged by
    verdict: Verdict

    @property
    def percent(self) -> float | None:
        """By how much it grew; None where it is no number, or was 0."""
        old, new = _number(self.old.value), _number(self.new.value)
        return None if old is None or new is None or old == 0 else (new - old) / abs(old) * 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """All figures that both sides have, and what only one of them has."""

    changes: tuple[Change, ...] = ()  # sorted by host and cell, those of a cell as the table has its columns
    gone: tuple[str, ...] = ()  # `HOST/CELL` of what was there before alone
    added: tuple[str, ...] = ()  # `HOST/CELL` of what is there now alone
    notes: tuple[str, ...] = ()  # a sentence each of what does not compare, or compares less well

    @property
    def counts(self) -> Counter[Verdict]:
        """How many figures came to each verdict."""
        return Counter(change.verdict for change in self.changes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What figures are judged by."""

    threshold_percent: float  # what is worse by no more is no regression
    # Today's columns, by name: they outrank what a result of an older version says of its own.
    columns: Mapping[str, Column]
    timed: frozenset[str] = frozenset()  # the names of those whose figure is another in each run

    def column(self, measurement: Measurement) -> Column:
        """The column that a figure is judged by."""
        today = self.columns.get(measurement.column.name)
        return today if today and today.version == measurement.column.version else measurement.column

    def is_timed(self, old: Measurement, new: Measurement) -> bool:
        """Whether two runs of one image may differ by chance in this figure."""
        return bool(
            new.column.name in self.timed or new.column.unit == "seconds" or old.spread is not None or new.spread
        )


def compare(old: Mapping[str, Iterable[Result]], new: Mapping[str, Iterable[Result]], rules: Rules) -> Comparison:
    """What became of `old` in `new`; both by host. A host is held to itself, or where each side has one, to that."""
    changes, gone, added, notes = list[Change](), list[str](), list[str](), list[str]()
    pairs = _pairs(old, new)
    for before, now in pairs:
        if before != now:
            notes.append(f"{printable(now)} is compared with {printable(before)}")
        there, here = ({result.cell: result for result in side} for side in (old[before], new[now]))
        both = sorted(there.keys() & here.keys())
        gone += _alone(now, there, here)
        added += _alone(now, here, there)
        notes += _facts_that_differ(now, [(there[cell], here[cell]) for cell in both])
        changes += [change for cell in both for change in _compare_cell(now, there[cell], here[cell], rules)]
    alone = sorted({*new} - {now for _, now in pairs})
    notes += [
        f"{printable(host)} was not measured then: its results have nothing to be compared with" for host in alone
    ]
    notes += [
        f"{printable(host)} was measured then, and there are no results of it now"
        for host in sorted({*old} - {before for before, _ in pairs})
    ]
    return Comparison(changes=tuple(changes), gone=tuple(gone), added=tuple(added), notes=tuple(dict.fromkeys(notes)))


def _pairs(old: Mapping[str, object], new: Mapping[str, object]) -> list[tuple[str, str]]:
    """The hosts that are held to each other."""
    if not old.keys() & new.keys() and len(old) == len(new) == 1:
        return [(next(iter(old)), next(iter(new)))]
    return [(host, host) for host in sorted(old.keys() & new.keys())]


def _alone(host: str, one: Mapping[str, Result], other: Mapping[str, Result]) -> list[str]:
    """`HOST/CELL` of what only one side has; what is made to fail is left out of most tables, and missed by nobody."""
    return [f"{host}/{cell}" for cell in sorted(one.keys() - other.keys()) if not one[cell].fails_as_expected]


def _facts_that_differ(host: str, pairs: Sequence[tuple[Result, Result]]) -> Iterator[str]:
    """A sentence of what is another in the machine or engine; a pair has one cell's results."""
    for fact in _FACTS:
        moved = dict.fromkeys(
            (getattr(before, fact), getattr(now, fact)) for before, now in _hosts(pairs) if _differs(before, now, fact)
        )
        name = fact.replace("_", " ")
        yield from (f"{printable(host)}: another {name}: {printable(f'{was} -> {now}')}" for was, now in moved)


def _hosts(pairs: Iterable[tuple[Result, Result]]) -> Iterator[tuple[Host, Host]]:
    for old, new in pairs:
        if old.provenance and new.provenance:
            yield old.provenance.host, new.provenance.host


def _differs(before: Host, now: Host, fact: str) -> bool:
    # What a version did not say is unknown, and no other.
    values = {getattr(before, fact), getattr(now, fact)}
    return len(values) > 1 and "" not in values


def _same_machine(old: Result, new: Result) -> bool:
    return all(before.machine == now.machine != "" for before, now in _hosts([(old, new)]))


def _same_control(old: Result, new: Result) -> bool:
    """Whether the control of both took as long; where it was not taken, nothing speaks against it."""
    taken = [one.spread for result in (old, new) for one in result.measurements if one.column.name == CONTROL]
    spreads = [spread for spread in taken if spread]
    return len(spreads) < 2 or _overlap(*spreads)  # noqa: PLR2004 (one of each)


def _compare_cell(host: str, old: Result, new: Result, rules: Rules) -> Iterator[Change]:
    yield _compare_outcomes(host, old, new)
    there = {one.column.name: one for one in old.measurements}
    known = _same_machine(old, new) and _same_control(old, new)
    taken = [(rules.column(one), one) for one in new.measurements if one.column.name in there]
    for column, one in sorted(taken, key=lambda pair: (pair[0].order, pair[0].name)):
        before, now = there[column.name], Measurement(column=column, value=one.value, spread=one.spread, why=one.why)
        # A figure that has changed its meaning is another figure; one that was not asked for is none.
        if before.column.version == column.version and NOT_ASKED not in {before.why, now.why}:
            verdict = _judge(before, now, rules, known=known)
            yield Change(host=host, cell=new.cell, old=before, new=now, verdict=verdict)


def _compare_outcomes(host: str, old: Result, new: Result) -> Change:
    # A cell that is declared to fail now was given up on purpose.
    worse = isinstance(old.outcome, Passed) and isinstance(new.outcome, Failed) and not new.fails_as_expected
    better = isinstance(old.outcome, Failed) and isinstance(new.outcome, Passed)
    was, now = _outcome(old), _outcome(new)
    verdict: Verdict = "worse" if worse else "better" if better else "same" if was.value == now.value else "changed"
    return Change(host=host, cell=new.cell, old=was, new=now, verdict=verdict)


def _outcome(result: Result) -> Measurement:
    word, _, why = outcome_text(result).partition(": ")
    return Measurement(column=OUTCOME, value=word, why=why)


def _judge(old: Measurement, new: Measurement, rules: Rules, *, known: bool) -> Verdict:
    """What became of a figure; `known` says whether it is of the same machine in the same state."""
    if _plain(old.value) == _plain(new.value):
        return "same"
    was, now = _number(old.value), _number(new.value)
    if was is None or now is None:
        return "changed"
    if not rules.is_timed(old, new):
        return _direction(was, now, new.column.better, rules.threshold_percent)
    if not (known and old.spread and new.spread):
        return "not judged"
    if _overlap(old.spread, new.spread):
        return "same"
    return _direction(was, now, new.column.better, rules.threshold_percent)


def _direction(was: float, now: float, better: Better, threshold_percent: float) -> Verdict:
    if not better:
        return "changed"
    if (now < was) == (better == "less"):
        return "better"
    return "worse" if abs(now - was) * 100 > threshold_percent * abs(was) else "changed"


def _overlap(one: Spread, other: Spread) -> bool:
    """Whether the runs that two medians were taken from lie among each other.

    The interval of a median says nothing of another container, in which all runs may be a little slower.
    """
    return one.p10 <= other.p90 and other.p10 <= one.p90


def _number(value: Figure) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _plain(value: Figure) -> Figure:
    # What was written as JSON has no control characters any more.
    return printable(value) if isinstance(value, str) else value
