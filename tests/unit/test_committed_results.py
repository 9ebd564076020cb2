"""The committed results are those of today's recipes, samples, lock and code, from one compiler on one machine a host.

Read from git's index, not from the folder: measuring on another machine, or of another day's packages, changes the
folder's, and is no fault. What is to be committed is staged first.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from bareboat.commands.pages import load_today
from bareboat.commands.project import Project
from bareboat.matrix.changes import find_changes
from bareboat.result.store import SCHEMA, hosts, load_all
from bareboat.result.values import Failed

ROOT = Path(__file__).parents[2]
CURE = "measure anew on a clean checkout (CONTRIBUTING.md), then `git add results`"


@pytest.fixture(scope="module")
def committed(tmp_path_factory):
    """Every host's results."""
    folder = tmp_path_factory.mktemp("index")
    if (ROOT / ".git").exists():
        git = ["git", "-C", str(ROOT)]
        listed = subprocess.run([*git, "ls-files", "-z", "results"], capture_output=True, check=True).stdout
        command = [*git, "checkout-index", f"--prefix={folder}/", "-z", "--stdin"]
        subprocess.run(command, input=listed, check=True)
    else:
        (folder / "results").symlink_to(ROOT / "results")
    return {host: load_all(folder / "results" / host) for host in hosts(folder / "results")}


@pytest.fixture(scope="module")
def results(committed):
    found = [(host, result) for host, results in committed.items() for result in results]
    assert len(found) > 1
    return found


@pytest.fixture(scope="module")
def measured(results):
    """Those whose image or whose failure was measured; a compile that fails comes to no image, and names no host."""
    return [(host, result) for host, result in results if result.provenance]


def test_there_are_an_ordinary_users(committed):
    assert any(host.endswith("-rootless") for host in committed)


def test_what_differs_today_is_nothing(measured):
    today = load_today(Project(root=ROOT))
    changes = {f"{host}/{result.cell}": find_changes(result, today) for host, result in measured}
    assert {cell: why for cell, why in changes.items() if why} == {}, CURE


def test_each_passed_or_failed_as_its_recipe_says(results):
    def is_good(result):
        return result.fails_as_expected or not isinstance(result.outcome, Failed)

    assert [f"{host}/{result.cell}" for host, result in results if not is_good(result)] == []


def test_only_a_compile_that_fails_has_no_provenance(results):
    assert {result.outcome.stage for _, result in results if not result.provenance} <= {"compile"}


def test_each_lies_with_the_host_that_measured_it(measured):
    assert {host for host, result in measured if result.provenance.host.name != host} == set()


def test_each_is_of_a_commit_and_of_all_of_it(measured):
    commits = {result.provenance.commit for _, result in measured}
    assert all(len(commit) == 40 for commit in commits), f"{commits}: {CURE}"  # a hash, without `+dirty`


def test_a_hosts_are_of_one_machine_and_one_compiler(measured):
    for host in {host for host, _ in measured}:
        made = [result.provenance for name, result in measured if name == host]
        assert {one.compiler.startswith("rustc ") for one in made} == {True}
        assert len({one.host for one in made}) == 1, host
        assert len({(one.compiler, one.toolchain.digest) for one in made}) == 1, host


def test_each_is_written_as_results_are_today(committed):
    assert {result.schema_version for results in committed.values() for result in results} == {SCHEMA}
