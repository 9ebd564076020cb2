"""Every table says where its figures come from, and none mixes two toolchains or two machines without saying so."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

import pytest

from bareboat.report import conformance_tables, predictions_page, readme_table, render, results_page, service_table
from bareboat.report.origin import origin_lines
from bareboat.result.values import Preflight, Probe
from tests.unit.report.example_results import DEBIAN, HOST, SCRATCH, SKIPPED, TOOLCHAIN

OLD = f"sha256:{'f' * 64}"


def of(result, **fields):
    return replace(result, provenance=replace(result.provenance, **fields))


OLDER = of(SCRATCH, toolchain=replace(TOOLCHAIN, digest=OLD), compiler="rustc 1.80.0")
ELSEWHERE = of(SCRATCH, host=replace(HOST, machine="0badcafe"))
TABLES = {
    "text": lambda *results: render(results, "text"),
    "markdown": lambda *results: render(results, "markdown"),
    "readme": lambda *results: readme_table(results),
    "service": lambda *results: service_table(results),
    "results": lambda *results: results_page({"trixie": results}),
    "predictions": lambda *results: predictions_page({"trixie": tuple(map(predicted, results))}),
    "conformance": lambda *results: conformance_tables({"trixie": tuple(map(probed, results))}),
}


def predicted(result):
    return replace(result, preflight=Preflight(predicted=True, why="", observed=True, said=""))


def probed(result):
    return replace(result, probes=(Probe(name="a", passed=True, observed="200"),))


@pytest.fixture(params=TABLES)
def table(request):
    return TABLES[request.param]


def test_what_is_the_same_for_all_rows_is_said_once(table):
    said = table(DEBIAN, SCRATCH)
    sentence = "Compiled by rustc 1.90.0 of toolchain sha256:0123456789ab."
    assert said.count(sentence) == 1
    assert said.count("Measured on trixie, kernel 6.12.0, Podman 5.4.2, crun 1.21.") == 1
    assert "| Toolchain" not in said


def test_two_toolchains_are_named_row_by_row_and_below(table):
    said = table(DEBIAN, OLDER)
    assert "Compiled in 2 different toolchains, which each row names; their figures do not compare." in said
    assert "Toolchain" in said
    rows = {name: line for line in said.splitlines() for name in ("debian", "scratch-musl") if name in line}
    assert "Compiled by" not in said
    lines = said.splitlines()
    assert any("debian" in line and "rustc 1.90.0 of toolchain sha256:0123456789ab" in line for line in lines)
    assert any("scratch-musl" in line and "rustc 1.80.0 of toolchain sha256:ffffffffffff" in line for line in lines)
    assert set(rows) == {"debian", "scratch-musl"}


def test_another_machine_of_the_same_system_is_marked_row_by_row_and_below(table):
    said = table(DEBIAN, ELSEWHERE)
    assert "Measured on 2 different machines or engines, which each row names." in said
    assert any("scratch-musl" in line and "0badcafe" in line for line in said.splitlines())


@pytest.mark.parametrize("field", ["name", "kernel", "podman", "runtime", "machine"])
def test_each_difference_of_machines_is_one(field):
    other = of(SCRATCH, host=replace(HOST, **{field: "other"}))
    assert any(line.startswith("Measured on 2 different") for line in origin_lines((DEBIAN, other)))


def test_a_row_that_came_to_no_toolchain_is_of_none():
    assert len(origin_lines((DEBIAN, SKIPPED))) == 2
    assert origin_lines((SKIPPED,)) == ()
    assert "Toolchain" not in render((DEBIAN, SKIPPED), "text")


def test_csv_and_json_say_it_of_each_row():
    read = json.loads(render((DEBIAN, OLDER), "json"))
    assert {(each["base"], each["toolchain_digest"], each["compiler"]) for each in read} == {
        ("debian", TOOLCHAIN.digest, "rustc 1.90.0"),
        ("scratch-musl", OLD, "rustc 1.80.0"),
    }
    rows = list(csv.DictReader(io.StringIO(render((DEBIAN, ELSEWHERE), "csv"))))
    assert {(row["base"], row["host"], row["machine"], row["podman"]) for row in rows} == {
        ("debian", "trixie", "", "5.4.2"),
        ("scratch-musl", "trixie", "0badcafe", "5.4.2"),
    }
