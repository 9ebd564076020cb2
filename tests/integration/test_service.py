"""The webserver in its harbor on real Podman, held to every probe by `build-matrix`; and one that answers wrongly."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.integration.harbour import Project, copy_project, guide_blocks

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.podman, pytest.mark.network]

CELL = "webserver@scratch-musl"
# Compiled quickly: the answers are the same, only later and larger.
QUICK = ('lto = "fat"\nstrip = true\n', "opt-level = 0\nstrip = true\n")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = copy_project(tmp_path_factory.mktemp("service") / "project", "bareboat")
    # One probe more, as CONTRIBUTING.md has it.
    (probe,) = guide_blocks("Add a probe")
    first = "pub const PROBES: &[Probe] = &[\n"
    project.edit("bareboat/harbor/src/probe.rs", first, f"{first}    {probe}")
    project.edit("rust-samples/webserver/Cargo.toml", *QUICK)
    return project


def visit(project: Project, folder: Path) -> tuple[int, dict[str, object], dict[str, dict[str, object]]]:
    """The exit code of build-matrix, the cell's result, and its probes by name."""
    words = ("build-matrix", "--sample=webserver", "--recipe=scratch-musl", "--bases=bootstrap")
    answer = project.invoke(*words, f"--results={folder}")
    (file,) = folder.glob(f"*/{CELL}.json")
    result = json.loads(file.read_text(encoding="utf-8"))
    return answer.returncode, result, {probe["name"]: probe for probe in result["probes"]}


def test_the_webserver_answers_every_probe(project: Project, tmp_path: Path) -> None:
    code, result, probes = visit(project, tmp_path)
    assert [name for name, probe in probes.items() if not probe["passed"]] == []
    assert {
        "body-2k",
        "body-50m",
        "expired",
        "handshakes",
        "silent",
        "truncated",
        "in-flight",
        "no-authorities",
    } <= set(probes)
    assert (code, result["outcome"]) == (0, {"kind": "passed"})


def test_a_webserver_that_answers_wrongly_or_does_not_end_fails_by_name(project: Project, tmp_path: Path) -> None:
    project.edit("rust-samples/webserver/src/failure.rs", "StatusCode::BAD_GATEWAY", "StatusCode::NOT_FOUND")
    project.edit("rust-samples/webserver/src/server.rs", "_ = self.terminate.recv() => {}", "")
    code, result, probes = visit(project, tmp_path)
    wrong = {name for name, probe in probes.items() if not probe["passed"]}
    assert wrong == {"wrong-host", "expired", "unknown-authority", "nxdomain", "no-authorities", "sigterm"}
    assert code == 1
    assert result["outcome"]["kind"] == "failed"  # type: ignore[index]
    assert result["outcome"]["reason"].startswith("probe 'wrong-host': 404")  # type: ignore[index]
