"""What became of figures: which are judged, by what, and what is only told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bareboat.report.compare import Rules, compare
from bareboat.result.measurement import NOT_ASKED, Column, Measurement, Spread
from bareboat.result.values import Failed, Skipped
from tests.unit.report.example_results import HOST, result

SIZE = Column(name="size", heading="Size", unit="bytes", order=10, better="less")
RATE = Column(name="rate", heading="Rate", unit="count", order=20, better="more")
FILES = Column(name="files", heading="Files", unit="count", order=30)
START = Column(name="start", heading="Start-up", unit="seconds", order=40, better="less")
PEAK = Column(name="peak", heading="Peak", unit="bytes", order=50, better="less")
LIBC = Column(name="libc", heading="libc", unit="text", order=60)
CONTROL = Column(name="nothing", heading="Control", unit="seconds", order=9)
COLUMNS = {column.name: column for column in (SIZE, RATE, FILES, START, PEAK, LIBC, CONTROL)}
RULES = Rules(threshold_percent=1, columns=COLUMNS, timed=frozenset({"peak"}))
MACHINE = replace(HOST, machine="0badcafe")


def spread(low, high):
    return Spread(runs=20, p10=low, p90=high, low=low, high=high)


def cell(*, outcome=None, host=MACHINE, **figures):
    """A result; a figure is a value, or a whole measurement."""
    made = result("scratch-musl", outcome=outcome)
    taken = tuple(
        value if isinstance(value, Measurement) else Measurement(column=COLUMNS[name], value=value)
        for name, value in figures.items()
    )
    return replace(made, measurements=taken, provenance=replace(made.provenance, host=host))


def started(seconds, low, high):
    return Measurement(column=START, value=seconds, spread=spread(low, high))


def found(old, new, rules=RULES):
    return compare({"here": [old]}, {"here": [new]}, rules)


def verdict(old, new, rules=RULES):
    """Of the one figure that both have; the outcome stands before it."""
    outcome, figure = found(old, new, rules).changes
    assert outcome.verdict == "same"
    return figure.verdict


@pytest.mark.parametrize(
    ("name", "old", "new", "expected"),
    [
        ("size", 1000, 1000, "same"),
        ("size", 1000, 1010, "changed"),
        ("size", 1000, 1011, "worse"),
        ("size", 1000, 999, "better"),
        ("size", 0, 1, "worse"),
        ("size", 1000, None, "changed"),
        ("rate", 1000, 989, "worse"),
        ("rate", 1000, 990, "changed"),
        ("rate", 1000, 1001, "better"),
        ("files", 1, 100, "changed"),
        ("libc", "musl", "glibc", "changed"),
        ("libc", None, "glibc", "changed"),
        ("libc", "a\nb", "a b", "same"),
    ],
)
def test_a_figure_is_judged_by_which_way_is_better_and_by_the_threshold(name, old, new, expected):
    assert verdict(cell(**{name: old}), cell(**{name: new})) == expected


def test_a_threshold_of_none_lets_nothing_pass():
    strict = replace(RULES, threshold_percent=0)
    assert verdict(cell(size=10**9), cell(size=10**9 + 1), strict) == "worse"
    assert verdict(cell(size=10**9), cell(size=10**9), strict) == "same"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (started(1.0, 0.9, 1.1), started(1.3, 1.2, 1.4), "worse"),
        (started(1.0, 0.9, 1.25), started(1.3, 1.2, 1.4), "same"),
        (started(1.0, 0.9, 1.2), started(1.3, 1.2, 1.4), "same"),
        (started(1.3, 1.2, 1.4), started(1.0, 0.9, 1.1), "better"),
        (started(1.0, 0.999, 1.001), started(1.005, 1.004, 1.006), "changed"),
        (Measurement(column=START, value=1.0), started(1.3, 1.2, 1.4), "not judged"),
        (started(1.0, 0.9, 1.1), Measurement(column=START, value=1.3), "not judged"),
    ],
)
def test_what_is_timed_is_worse_only_where_the_intervals_lie_apart(old, new, expected):
    assert verdict(cell(start=old), cell(start=new)) == expected


@pytest.mark.parametrize(("control", "expected"), [(1.0, "worse"), (1.4, "not judged")])
def test_where_what_does_nothing_takes_longer_no_time_is_judged(control, expected):
    before, now = (Measurement(column=CONTROL, value=at, spread=spread(at - 0.1, at + 0.1)) for at in (1.0, control))
    old = cell(start=started(1.0, 0.9, 1.1), control=before, size=1)
    new = cell(start=started(2.0, 1.9, 2.1), control=now, size=2)
    verdicts = {change.new.column.name: change.verdict for change in found(old, new).changes}
    assert (verdicts["start"], verdicts["size"]) == (expected, "worse")


def test_what_is_timed_without_an_interval_is_not_judged_whatever_its_unit():
    assert verdict(cell(peak=100), cell(peak=200)) == "not judged"
    assert verdict(cell(peak=100), cell(peak=200), replace(RULES, timed=frozenset())) == "worse"


@pytest.mark.parametrize(("then", "now"), [("0badcafe", "c0ffee00"), ("", ""), ("0badcafe", "")])
def test_what_another_machine_timed_is_not_judged_and_its_sizes_are(then, now):
    old = cell(host=replace(HOST, machine=then), start=started(1.0, 0.9, 1.1), size=1)
    new = cell(host=replace(HOST, machine=now), start=started(9.0, 8.9, 9.1), size=2)
    assert [change.verdict for change in found(old, new).changes] == ["same", "worse", "not judged"]


def test_another_machine_or_engine_is_told_once_and_what_is_unknown_is_no_other():
    old = replace(MACHINE, kernel="6.1.0")
    (note,) = found(cell(host=old), cell()).notes
    assert note == "here: another kernel: 6.1.0 -> 6.12.0"
    assert found(cell(host=replace(MACHINE, machine="")), cell()).notes == ()
    both = [replace(cell(host=old), cell=name) for name in ("a@x", "b@x")]
    there = [replace(cell(), cell=name) for name in ("a@x", "b@x")]
    assert compare({"here": both}, {"here": there}, RULES).notes == (note,)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (None, Failed(stage="run", reason="exit code 1"), "worse"),
        (None, Failed(stage="run", reason="exit code 1", expected="it cannot"), "changed"),
        (None, Skipped(reason="no base"), "changed"),
        (Failed(stage="run", reason="x"), None, "better"),
        (Failed(stage="run", reason="x"), Failed(stage="run", reason="y"), "same"),
        (Failed(stage="compile", reason="x"), Failed(stage="run", reason="y"), "changed"),
    ],
)
def test_a_cell_that_passed_and_fails_has_become_worse(old, new, expected):
    (change,) = found(cell(outcome=old), cell(outcome=new)).changes
    assert change.verdict == expected


def test_a_failure_says_why():
    (change,) = found(cell(), cell(outcome=Failed(stage="run", reason="exit code 1"))).changes
    assert (change.old.value, change.new.value, change.new.why) == ("passed", "failed at run", "exit code 1")


def test_todays_column_outranks_what_an_older_result_says_of_it():
    plain = Measurement(column=replace(SIZE, better="", heading="Bytes"), value=1)
    change = found(cell(size=plain), cell(size=replace(plain, value=2))).changes[1]
    assert (change.verdict, change.new.column.heading) == ("worse", "Size")


def test_a_figure_of_another_meaning_or_not_asked_for_or_of_one_side_is_not_compared():
    older = Measurement(column=replace(SIZE, version=0), value=1)
    assert len(found(cell(size=older), cell(size=2)).changes) == 1
    absent = Measurement(column=PEAK, value=None, why=NOT_ASKED)
    assert len(found(cell(peak=1), cell(peak=absent)).changes) == 1
    assert len(found(cell(size=1), cell(files=1)).changes) == 1


def test_what_is_gone_and_what_is_new_is_told_but_for_what_is_made_to_fail():
    one, two = cell(), replace(cell(), cell="hello-world@new")
    fails = replace(two, outcome=Failed(stage="run", reason="x", expected="it cannot"))
    both = compare({"here": [one]}, {"here": [two]}, RULES)
    assert (both.gone, both.added) == (("here/hello-world@scratch-musl",), ("here/hello-world@new",))
    assert compare({"here": [one]}, {"here": [one, fails]}, RULES).added == ()


def test_a_host_is_held_to_itself_and_where_each_side_has_one_to_that():
    worse = cell(size=2)
    several = compare({"a": [cell(size=1)], "b": [cell(size=2)]}, {"b": [worse], "c": [worse]}, RULES)
    assert [(change.host, change.verdict) for change in several.changes] == [("b", "same")] * 2
    assert several.notes == (
        "c was not measured then: its results have nothing to be compared with",
        "a was measured then, and there are no results of it now",
    )
    single = compare({"a": [cell(size=1)]}, {"b": [worse]}, RULES)
    assert [change.verdict for change in single.changes] == ["same", "worse"]
    assert single.notes == ("b is compared with a",)
