"""The table of what services answered, and the table that stands in the README."""

from __future__ import annotations

from dataclasses import replace

from bareboat.report import conformance_tables, predictions_page, service_table
from bareboat.result.values import Failed, Preflight, Probe
from tests.unit.report.example_results import DEBIAN, result


def cells(table: str) -> list[list[str]]:
    return [
        [cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if line.startswith("|")
    ]


def service(recipe: str, *probes: Probe, sample: str = "webserver"):
    return replace(result(recipe, sample=sample, libc="musl", tls="rustls, ring", size=4_000_000), probes=probes)


YES = Probe(name="truncated", passed=True, observed="200; asked 2 x UDP, 1 x TCP")
NO = Probe(name="truncated", passed=False, observed="502, dns")
HEALTHY = Probe(name="healthz", passed=True, observed="200")


def test_a_row_a_service_and_a_column_a_probe() -> None:
    page = conformance_tables({"trixie": (service("alpine", HEALTHY, YES), service("debian", HEALTHY, NO), DEBIAN)})
    first, observed = page.split("### What was observed")
    rows = cells(first)
    assert rows[0] == ["Cell", "libc", "CRT", "TLS", "DNS", "healthz", "truncated"]
    assert rows[2] == ["webserver@alpine", "musl", "", "rustls, ring", "", "yes", "yes"]
    assert rows[3][-2:] == ["yes", "no"]
    assert len(rows) == 4, "what is no service has no row"
    assert cells(observed)[2:] == [
        ["healthz", "200", "all"],
        ["truncated", "200; asked 2 x UDP, 1 x TCP", "webserver@alpine"],
        ["truncated", "502, dns", "webserver@debian"],
    ]


def test_a_probe_that_was_not_made_is_said_to_be() -> None:
    page = conformance_tables({"trixie": (service("alpine", HEALTHY, YES), service("debian", HEALTHY))})
    assert cells(page)[3][-1] == "not asked"


def test_a_host_without_services_says_so() -> None:
    assert "No service was measured here." in conformance_tables({"trixie": (DEBIAN,)})
    assert conformance_tables({}) == "No results.\n"


def test_wrong_predictions_are_counted() -> None:
    wrong = [Preflight(predicted=starts, why="x", observed=not starts, said="") for starts in (True, False, False)]
    page = predictions_page({"trixie": tuple(replace(DEBIAN, preflight=preflight) for preflight in wrong)})
    assert "Predicted to start: 0 right, 1 wrong. Predicted to fail: 0 right, 2 wrong.\n" in page


def test_the_readmes_table_of_services_begins_with_the_smallest() -> None:
    small = service("alpine", HEALTHY, sample="webserver+small")
    large = replace(small, cell="webserver@debian", measurements=DEBIAN.measurements)
    rows = cells(service_table([large, small]))
    assert [row[0] for row in rows[2:]] == ["webserver+small@alpine", "webserver@debian"]
    assert rows[0][-3:] == ["TLS", "DNS", "Peak memory"]


def test_predictions_stand_beside_what_was_observed_those_that_fail_first() -> None:
    fails = Preflight(predicted=False, why="libx.so is missing", observed=False, said="cannot open libx.so")
    unrun = replace(fails, observed=None, said="")
    starts = Preflight(predicted=True, why="", observed=True, said="")
    page = predictions_page(
        {
            "trixie": (
                replace(DEBIAN, preflight=starts),
                replace(result("alpine", outcome=Failed(stage="run", reason="x")), preflight=fails),
                replace(result("scratch-x"), preflight=unrun),
                result("unpredicted"),
            )
        }
    )
    counted = "Predicted to start: 1 right, 0 wrong. Predicted to fail: 1 right, 0 wrong. Not run: 1.\n"
    assert f"## trixie\n\n{counted}\n|" in page
    assert cells(page)[2:] == [
        ["hello-world@alpine", "fails", "libx.so is missing", "fails", "cannot open libx.so"],
        ["hello-world@scratch-x", "fails", "libx.so is missing", "not run", ""],
        ["hello-world@debian", "starts", "", "starts", ""],
    ]
