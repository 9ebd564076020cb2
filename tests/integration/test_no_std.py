"""Programs without std, of which two have no C library: their sizes, their hardening, and what is measured of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.harbour import ONCE, ROOT, Project
from tests.integration.test_bytes import find, told, walk

if TYPE_CHECKING:
    from pathlib import Path

# One crate is fetched with its dependencies; where no test has run before, the toolchain is made from packages.
pytestmark = [pytest.mark.podman, pytest.mark.network, ONCE]

# The most bytes that each program may have.
LIMITS = {
    "no-std@scratch-glibc": 250,
    "no-std@scratch-musl": 250,
    "no-std-origin@scratch-glibc": 270,
    "no-std-origin@scratch-musl": 270,
    "no-std-libc@scratch-glibc": 640_000,
    "no-std-libc@scratch-musl": 2_698,
}
# What is taken of every program that runs, unless the machine was busy; its memory may be too little to be counted.
TIMED = ("start_up", "first_output", "page_faults", "nothing")


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    folder: Path = tmp_path_factory.mktemp("no-std")
    words = ("--sample=no-std*", "--recipe=scratch-glibc", "--recipe=scratch-musl", "--bases=bootstrap")
    done = Project(root=ROOT).invoke("build-matrix", *words, f"--results={folder}")
    assert done.returncode == 0, done.stdout + done.stderr
    return {file.stem: json.loads(file.read_bytes()) for file in folder.glob("*/*.json")}


def taken(result: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["column"]["name"]: one for one in result["measurements"]}


def test_each_cell_says_its_line_and_counts_its_arguments(results: dict[str, dict[str, Any]]) -> None:
    assert {cell: result["outcome"]["kind"] for cell, result in results.items()} == dict.fromkeys(LIMITS, "passed")


@pytest.mark.parametrize(("cell", "limit"), LIMITS.items())
def test_it_is_small_and_its_stack_is_not_executable(results: dict[str, dict[str, Any]], cell: str, limit: int) -> None:
    found = {name: one["value"] for name, one in taken(results[cell]).items()}
    assert found["program_size"] <= limit
    libc = {"scratch-glibc": "gnu", "scratch-musl": "musl"}[cell.partition("@")[2]] if "libc@" in cell else "none"
    assert (found["libc"], found["crt"], found["linkage"]) == (libc, "static", "static")
    assert (found["nx"], found["files"], found["observed"]) == (True, 1, "starts")
    assert (results[cell]["preflight"]["predicted"], results[cell]["preflight"]["observed"]) == (True, True)


@pytest.mark.parametrize("cell", LIMITS)
def test_what_is_timed_is_taken_or_the_machine_was_busy(results: dict[str, dict[str, Any]], cell: str) -> None:
    for name in TIMED:
        one = taken(results[cell])[name]
        assert (one["value"] is None) == one["why"].startswith("the machine was busy"), one


@pytest.mark.parametrize("cell", ["no-std@scratch-musl", "no-std-libc@scratch-musl"])
def test_a_program_without_section_headers_is_told_to_the_byte(
    results: dict[str, dict[str, Any]], cell: str, tmp_path: Path
) -> None:
    # Elsewhere than where the results of this checkout are, of which .ci/run has every image compared.
    found = told(Project(root=ROOT), cell, f"--results={tmp_path}")
    walk(found["image"])
    assert found["twin"]["same"] is True, found["twin"]["says"]
    program = find(found["image"], f"/{cell.partition('@')[0]}")
    assert program["size_bytes"] == taken(results[cell])["program_size"]["value"]
    code = find(program, ".text")
    assert cell.partition("@")[0].replace("-", "_") in {one["name"] for one in code["rows"]}
