"""Programs without a C library that use std: what they do all the same, and what they cannot do."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from bareboat.inputs.load_samples import load_samples
from tests.integration.harbour import ONCE, ROOT, Project, saved

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.podman, pytest.mark.network, ONCE]

SAMPLES = ("eyra", "eyra+names", "eyra+mustang")
ACTS = ("arguments", "environment", "threads", "thread-locals", "channels", "tcp", "catch-unwind", "thread-panics")


@dataclass(frozen=True, kw_only=True)
class Built:
    rows: dict[str, dict[str, Any]]
    program: Path


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    folder = tmp_path_factory.mktemp("eyra")
    words = ("build-matrix", *(f"--sample={sample}" for sample in SAMPLES), "--all", "--bases=bootstrap")
    answer = Project(root=ROOT).invoke(*words, "--format=json", f"--results={folder / 'results'}")
    assert answer.returncode == 0, answer.stderr + answer.stdout
    program = folder / "program"
    with saved("localhost/bareboat/eyra:scratch-glibc", folder) as image:
        program.write_bytes(image.read("/eyra"))
    program.chmod(0o755)
    return Built(rows={row["sample"]: row for row in json.loads(answer.stdout)}, program=program)


def test_std_works_without_a_c_library(built: Built) -> None:
    row = built.rows["eyra"]
    assert row["outcome"] == "passed", "and with it every run that is expected"
    sample = next(sample for sample in load_samples(ROOT / "rust-samples") if sample.name == "eyra")
    assert tuple(run.name for run in sample.expectations) == ("", *ACTS)
    assert (row["libc"], row["crt"], row["linkage"]) == ("none", "static", "static-pie")
    assert (row["pie"], row["relro"], row["nx"]) == (True, "full", True)


def test_names_are_found_only_where_there_is_a_program_for_them(built: Built, tmp_path: Path) -> None:
    row = built.rows["eyra+names"]
    assert (row["outcome"], row["stage"], row["expected"]) == (
        *("failed", "run"),
        "eyra has names looked up by the program getent, and there is none",
    )
    getent = shutil.which("getent")
    assert getent
    (tmp_path / "getent").symlink_to(getent)

    def look_up(path: Path) -> subprocess.CompletedProcess[str]:
        argv = [str(built.program), "names"]
        return subprocess.run(argv, env={"PATH": str(path)}, capture_output=True, text=True, check=False)

    # The same bytes, on a machine that has it.
    assert look_up(tmp_path).stdout == "localhost is 127.0.0.1\n"
    assert look_up(tmp_path / "nowhere").stderr == "names: I/O error (os error 5)\n"


def test_mustang_does_nothing_on_a_target_that_rustc_knows(built: Built) -> None:
    row = built.rows["eyra+mustang"]
    assert (row["outcome"], row["stage"], row["libc"]) == ("failed", "measure", "gnu")
    assert row["reason"] == "eyra+mustang declares libc none, the program has gnu"
    assert row["expected"]
