"""What was written as JSON is read back as far as a comparison needs it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from bareboat.errors import ResultError
from bareboat.report import render
from bareboat.report.compare import compare
from bareboat.report.read_records import read_records
from bareboat.result.measurement import NOT_ASKED, Measurement
from bareboat.result.values import Failed
from tests.unit.report.example_results import BROKEN, SKIPPED
from tests.unit.report.test_compare import COLUMNS, RULES, cell, started

TIMED = cell(size=1000, files=3, libc="musl", start=started(0.5, 0.4, 0.6), peak=7)


def read(results):
    return read_records(render(results, "json").encode(), "before.json", COLUMNS.values())


def test_all_that_is_compared_comes_back():
    (back,) = read([TIMED])["trixie"]
    assert {*back.measurements} == {*TIMED.measurements}
    assert (back.cell, back.platform, back.outcome) == (TIMED.cell, TIMED.platform, TIMED.outcome)
    assert {change.verdict for change in compare({"trixie": [back]}, {"trixie": [TIMED]}, RULES).changes} == {"same"}


def test_the_interval_comes_back_and_judges():
    slower = replace(TIMED, measurements=(started(0.9, 0.8, 1.0),))
    found = compare(read([TIMED]), {"trixie": [slower]}, RULES)
    assert [change.verdict for change in found.changes] == ["same", "worse"]


def test_why_a_figure_was_not_taken_comes_back():
    absent = Measurement(column=COLUMNS["peak"], value=None, why=NOT_ASKED)
    (back,) = read([cell(size=1, peak=absent)])["trixie"]
    assert absent in back.measurements


def test_a_cell_that_came_to_nothing_is_of_the_host_of_the_others():
    failed = replace(BROKEN, outcome=Failed(stage="run", reason="no", expected="it cannot"))
    found = read([TIMED, failed, SKIPPED])["trixie"]
    assert [one.outcome for one in found] == [TIMED.outcome, failed.outcome, SKIPPED.outcome]
    assert list(read([SKIPPED])) == [""]


def test_a_column_that_the_file_does_not_know_is_not_compared():
    (back,) = read([cell(size=1)])["trixie"]
    assert [one.column.name for one in back.measurements] == ["size"]


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"[1]", b'[{"sample": "a"}]', b"\xff", b'[{"sample": [], "base": "b"}]', b"sample,base\na,b\n"],
)
def test_another_file_is_told_as_such(content):
    with pytest.raises(ResultError, match=r"before\.json: is not what `invoke report --format json` writes: "):
        read_records(content, "before.json", COLUMNS.values())


def test_an_outcome_that_there_is_not_is_told():
    record = json.loads(render([TIMED], "json"))[0] | {"outcome": "sunk"}
    with pytest.raises(ResultError, match="before"):
        read_records(json.dumps([record]).encode(), "before.json", ())
