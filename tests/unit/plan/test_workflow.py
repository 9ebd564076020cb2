"""The workflow is one to GitHub's schema, may read and nothing else, and makes a job of each cell of the plan."""

from __future__ import annotations

import json
import shlex
from pathlib import PurePosixPath

import pytest

from bareboat.plan.workflow import list_cells, render_workflow
from tests.unit.project import plan_of
from tests.unit.schemas import faults, read_yaml

(CELL,) = plan_of("scratch-musl").cells


def workflow(folder=".", options=()):
    return render_workflow(CELL, PurePosixPath(folder), options, "1.2.3")


def steps(text):
    return [step for job in read_yaml(text)["jobs"].values() for step in job["steps"]]


@pytest.mark.parametrize("folder", [".", "crates/my server", 'a "b" ö: #'])
def test_it_is_a_workflow_to_githubs_schema(folder):
    text = workflow(folder, ("--package", "it's"))
    assert faults("github-workflows", text) == []
    assert read_yaml(text)["defaults"]["run"]["working-directory"] == folder
    assert faults("github-workflows", text.replace("runs-on:", "run-on:"))


def test_it_may_read_the_repository_and_nothing_else():
    read = read_yaml(workflow())
    assert read["permissions"] == {"contents": "read"}
    assert all("permissions" not in job for job in read["jobs"].values())
    assert "pull_request_target" not in read["on"]
    checkouts = [step for step in steps(workflow()) if step.get("uses", "").startswith("actions/checkout@")]
    assert [step["with"] for step in checkouts] == [{"persist-credentials": False}] * 2


def test_every_action_is_of_a_version():
    used = [step["uses"] for step in steps(workflow()) if "uses" in step]
    assert used
    assert all(action.startswith("actions/") and action.partition("@v")[2].isdigit() for action in used)


def test_nothing_that_a_run_is_told_by_github_is_part_of_a_script():
    scripts = [step["run"] for step in steps(workflow()) if "run" in step]
    assert scripts
    assert not [script for script in scripts if "${{" in script]


def test_the_program_is_named_to_the_plan_and_to_the_matrix():
    scripts = [step["run"] for step in steps(workflow(options=("--package", "it's"))) if "run" in step]
    told = [shlex.split(line) for script in scripts for line in script.replace("\\\n", "").splitlines()]
    naming = [words for words in told if words[:2] in (["bareboat", "plan"], ["bareboat", "build-matrix"])]
    assert len(naming) == 2
    assert all(words[words.index("--package") + 1] == "it's" for words in naming)
    assert ["pipx", "install", "bareboat==1.2.3"] in told


def test_a_plan_is_a_matrix_of_its_cells():
    listed = list_cells(plan_of("scratch-musl", "alpine"))
    assert listed.splitlines() == [listed]
    assert json.loads(listed) == {
        "include": [
            {"cell": "hello-world@alpine", "sample": "hello-world", "recipe": "alpine"},
            {"cell": "hello-world@scratch-musl", "sample": "hello-world", "recipe": "scratch-musl"},
        ]
    }
