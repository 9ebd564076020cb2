"""The matrix on real Podman: what it makes, what it leaves, and what it says of what is wrong."""

from __future__ import annotations

import json
import os
import re
import secrets
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from bareboat.podman_engine.settings import SYSTEM_PATH
from bareboat.system.folders import find_folders
from tests.campaign.kill import is_timed, run_campaign
from tests.integration.harbour import (
    CELLS,
    ROOT,
    Project,
    copy_project,
    leftovers,
    podman,
    root_filesystem,
    rows,
)

pytestmark = [pytest.mark.podman, pytest.mark.network]

HERE = Project(root=ROOT)
MAIN_RS = "rust-samples/hello-world/src/main.rs"
SCRATCH = ("--recipe=scratch-glibc", "--recipe=scratch-musl")


def untimed(table: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {base: {name: row[name] for name in row if not is_timed(name)} for base, row in table.items()}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("results")


@pytest.fixture(scope="module")
def whole(results: Path) -> dict[str, dict[str, Any]]:
    """One whole run, on bases made from packages."""
    answer = HERE.invoke("build-matrix", "--bases=bootstrap", "--all", "--format=json", f"--results={results}")
    assert answer.returncode == 0, answer.stderr
    return {f"{row['sample']}@{row['base']}": row for row in json.loads(answer.stdout)}


@pytest.fixture(scope="module")
def matrix(whole: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The rows of hello-world by base."""
    return {row["base"]: row for row in whole.values() if row["sample"] == "hello-world"}


@pytest.fixture
def spoiled(tmp_path: Path) -> Project:
    return copy_project(tmp_path / "project")


def test_every_recipe_passes_and_is_what_it_says(matrix: dict[str, dict[str, Any]]) -> None:
    assert {f"hello-world@{base}" for base in matrix} == set(CELLS)
    unexpected = [base for base, row in matrix.items() if row["outcome"] != "passed" and not row["expected"]]
    assert unexpected == []
    linkages = {base: (row["libc"], row["crt"]) for base, row in matrix.items()}
    assert linkages["scratch-musl"] == linkages["alpine"] == ("musl", "static")
    assert linkages["scratch-glibc"] == linkages["distroless-static"] == ("gnu", "static")
    assert linkages["debian"] == linkages["distroless-cc"] == ("gnu", "dynamic")
    assert all(row["pie"] and row["nx"] and row["relro"] == "full" and row["stripped"] for row in matrix.values())


@pytest.mark.parametrize(
    ("base", "most"),
    [
        ("scratch-musl", 440_000),
        ("scratch-glibc", 1_300_000),
        ("distroless-static", 4_000_000),
        ("distroless-cc", 16_000_000),
    ],
)
def test_small_images_are_small(matrix: dict[str, dict[str, Any]], base: str, most: int) -> None:
    assert 0 < matrix[base]["size_bytes"] <= most


@pytest.mark.parametrize(("base", "official"), [("debian", 124_000_000), ("debian-slim", 81_000_000)])
def test_debian_is_as_large_as_the_official_image(matrix: dict[str, dict[str, Any]], base: str, official: int) -> None:
    assert matrix[base]["size_bytes"] == pytest.approx(official, rel=0.05)


def test_every_prediction_comes_true(whole: dict[str, dict[str, Any]]) -> None:
    failing = {cell for cell, row in whole.items() if row["predicted"] == "fails"}
    assert failing == {
        "hello-world@alpine-glibc-dynamic",
        "hello-world@distroless-static-dynamic",
        "hello-world@scratch-glibc-no-libgcc",
        "hello-world@scratch-glibc-no-loader",
        "newer-glibc@debian-bookworm",
    }
    assert [cell for cell, row in whole.items() if row["predicted"] != row["observed"]] == []


def test_a_second_run_builds_nothing_and_runs_nothing(whole: dict[str, dict[str, Any]], results: Path) -> None:
    time.sleep(1.0)  # events are told apart by the second
    since = str(int(time.time()))
    runs = find_folders().runs
    begun = runs.stat().st_mtime_ns
    answer = HERE.invoke("build-matrix", "--bases=bootstrap", "--all", "--format=json", f"--results={results}")
    assert answer.returncode == 0
    assert {f"{row['sample']}@{row['base']}": row for row in json.loads(answer.stdout)} == whole
    assert f"nothing to do: all {len(whole)} cells are unchanged" in answer.stderr
    events = podman("events", "--stream=false", f"--since={since}", "--format={{.Type}} {{.Status}}").splitlines()
    assert not [event for event in events if event.split() in (["container", "create"], ["image", "build"])]
    assert runs.stat().st_mtime_ns == begun, "no run begins, with a service, where nothing is to be done"


def test_alpine_has_its_shell_and_its_package_manager(matrix: dict[str, dict[str, Any]]) -> None:
    assert matrix
    base = "localhost/bareboat/base/alpine:bootstrap"
    assert podman("run", "--rm", "--network=none", base, "sh", "-c", "echo $((6 * 7))") == "42"
    assert {"musl", "busybox", "apk-tools"} <= set(podman("run", "--rm", "--network=none", base, "apk", "info").split())


def settings_of(image: str) -> dict[str, Any]:
    """How an image runs; labels are Bareboat's and Buildah's own, and a working folder of / is what none is.

    Buildah gives an image from scratch a PATH, though nothing may be there.
    """
    said = json.loads(podman("image", "inspect", "--format={{json .Config}}", image))
    said["Env"] = [line for line in said.get("Env") or () if line != f"PATH={SYSTEM_PATH}"]
    return {key: value for key, value in said.items() if value and key != "Labels" and value != "/"}


@pytest.mark.parametrize("cell", CELLS)
def test_the_printed_containerfile_gives_the_same_root_filesystem_and_settings(
    matrix: dict[str, dict[str, Any]], cell: str, tmp_path: Path
) -> None:
    assert matrix
    text = HERE.invoke("containerfile", cell, "--bases=bootstrap").stdout
    assert text.startswith(f"# {cell}: ")
    tag = f"localhost/printed:{os.getpid()}"
    # Cache mounts of old Buildah lie in a folder that all users share; a private one keeps the tests' users apart.
    run_root = podman("info", "--format={{.Store.RunRoot}}")
    sample = str(ROOT / "rust-samples" / "hello-world")
    try:
        podman("--runroot", run_root, "build", "-f", "-", "-t", tag, sample, stdin=text, env={"TMPDIR": str(tmp_path)})
        sample_name, _, recipe = cell.partition("@")
        shipped = f"localhost/bareboat/{sample_name}:{recipe}"
        assert root_filesystem(tag, tmp_path) == root_filesystem(shipped, tmp_path)
        assert settings_of(tag) == settings_of(shipped)
    finally:
        podman("rmi", "--force", tag)
        caches = [str(folder) for folder in tmp_path.glob("buildah-cache*")]
        podman("unshare", "rm", "-rf", *caches) if os.geteuid() else None


def test_a_recipe_that_declares_another_libc_fails_alone(spoiled: Project, tmp_path: Path) -> None:
    spoiled.edit("recipes/scratch-musl.toml", 'libc = "musl"', 'libc = "gnu"')
    words = ("build-matrix", "--bases=bootstrap", *SCRATCH, "--format=json", f"--results={tmp_path}")
    answer = spoiled.invoke(*words)
    assert answer.returncode == 1
    table = rows(answer)
    assert table["scratch-glibc"]["outcome"] == "passed"
    assert table["scratch-musl"]["outcome"] == "failed"
    assert table["scratch-musl"]["stage"] == "measure"
    assert "declares libc gnu, the program has musl" in table["scratch-musl"]["reason"]


def test_a_sample_that_does_not_compile_shows_what_cargo_says(spoiled: Project, tmp_path: Path) -> None:
    spoiled.edit(MAIN_RS, "println!", "printline!")
    words = ("build-matrix", "--bases=bootstrap", *SCRATCH, f"--results={tmp_path}")
    answer = spoiled.invoke(*words)
    assert answer.returncode == 1
    assert "cannot find macro `printline`" in answer.stdout
    assert "the whole log:" in answer.stdout
    assert "failed at compile" in answer.stdout


def test_a_sample_whose_output_differs_shows_the_difference(spoiled: Project, tmp_path: Path) -> None:
    spoiled.edit(MAIN_RS, "Hello, world!", "Goodbye, world!")
    words = ("build-matrix", "--bases=bootstrap", "--recipe=scratch-glibc", f"--results={tmp_path}")
    answer = spoiled.invoke(*words)
    assert answer.returncode == 1
    assert r"-'Hello, world!\n'" in answer.stdout
    assert r"+'Goodbye, world!\n'" in answer.stdout


def test_a_program_that_does_not_end_is_ended(spoiled: Project, tmp_path: Path) -> None:
    spoiled.edit(MAIN_RS, "println!", "std::thread::sleep(std::time::Duration::from_secs(600)); println!")
    spoiled.edit("rust-samples/hello-world/Cargo.toml", "stdout =", "timeout_seconds = 1.0\nstdout =")
    words = ("build-matrix", "--bases=bootstrap", "--recipe=scratch-glibc", f"--results={tmp_path}")
    answer = spoiled.invoke(*words)
    assert answer.returncode == 1
    assert "did not end within 1 s" in answer.stdout
    assert leftovers() == []


def test_two_runs_at_once_do_each_job_once(matrix: dict[str, dict[str, Any]], tmp_path: Path) -> None:
    assert matrix
    project = copy_project(tmp_path / "project")
    project.edit(MAIN_RS, "fn main() {", f"fn main() {{\n    // {secrets.token_hex(8)}\n")
    words = ("build-matrix", "--bases=bootstrap", *SCRATCH, f"--results={tmp_path}", "--format=json")
    runs = [project.start(*words, "--sample=hello-world") for _ in range(2)]
    said = [run.communicate() for run in runs]
    assert [run.returncode for run in runs] == [0, 0], said
    first, second = (untimed({row["base"]: row for row in json.loads(out)}) for out, _ in said)
    assert first == second
    done = re.findall(r"\] ((?:program|image) [^:]+): (?:built|passed)", "".join(text for _, text in said))
    assert len(done) == len(set(done)) == 2 * len(SCRATCH), "each program and each image once"


def test_two_crates_by_two_commands_do_not_wait_for_each_other(tmp_path: Path) -> None:
    runs = []
    for name in ("one-of-two", "two-of-two"):
        project = copy_project(tmp_path / name)
        (project.root / "rust-samples" / "hello-world").rename(project.root / name)
        for file in ("Cargo.toml", "Cargo.lock"):
            project.edit(f"{name}/{file}", "hello-world", name)
        words = ("build-matrix", "--bases=bootstrap", *SCRATCH, f"--crate={project.root / name}", "--format=json")
        runs.append((name, project.start(*words, f"--results={tmp_path}")))
    for name, run in runs:
        out, said = run.communicate()
        assert run.returncode == 0, said
        assert {(row["sample"], row["outcome"]) for row in json.loads(out)} == {(name, "passed")}
        # But for what is timed, which has the processors alone.
        assert [line for line in said.splitlines() if "wait" in line and "timing" not in line] == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_nothing(number: int, tmp_path: Path) -> None:
    run = HERE.start("build-matrix", "--bases=bootstrap", "--force", f"--results={tmp_path}")
    time.sleep(1.5)
    run.send_signal(number)
    _, said = run.communicate(timeout=10)
    assert run.returncode == 130
    assert "stopped" in said
    assert leftovers() == []


def test_killed_runs_leave_nothing_and_lose_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    assert run_campaign(20, secrets.randbelow(2**32)) == 0, capfd.readouterr().err


def test_an_image_that_a_killed_run_wrote_half_is_swept(spoiled: Project) -> None:
    made = spoiled.invoke("scratch", "--libc=musl", "--bases=bootstrap", "--quiet")
    store = Path(podman("info", "--format={{.Store.GraphRoot}}"))
    # As a kill leaves it: known, and without its manifest; no listing of images goes past it.
    (store / "overlay-images" / made.stdout.strip().removeprefix("sha256:") / "manifest").unlink()
    (find_folders().runs / "0a1b2c3d.lock").touch()
    again = spoiled.invoke("scratch", "--libc=musl", "--bases=bootstrap")
    assert again.returncode == 0, again.stderr
    assert "the last run was cut short" in again.stderr
    assert spoiled.invoke("scratch", "--libc=musl", "--bases=bootstrap", "--quiet").stdout == made.stdout
    podman("images", "--all")


def test_a_machine_without_podman_is_told_what_to_do(tmp_path: Path) -> None:
    answer = HERE.invoke("build-matrix", "--bases=bootstrap", f"--results={tmp_path}", env={"PATH": str(tmp_path)})
    assert answer.returncode == 3
    assert "podman is not installed" in answer.stderr
    assert "`invoke setup` says what installs it" in answer.stderr
    assert answer.stdout == ""
