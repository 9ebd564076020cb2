"""Questions that are answered from what there is."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest

from bareboat.commands.ask import ContainerfileOptions, PlanOptions, print_containerfile, print_plan, print_samples
from bareboat.commands.plan_inputs import check_engine
from bareboat.commands.project import Project, find_project
from bareboat.engine.fake import HOST
from bareboat.errors import HostError
from bareboat.system.process import Processes
from tests.unit.project import AMD, ROOT

PACKAGE = ROOT / "bareboat"

ASKS_GIT = pytest.mark.starts_processes("git says what it ignores in a crate of the user's own")


def plan(*names, **more):
    options = PlanOptions(sample=names[:1], recipe=names[1:], bases="bootstrap", **more)
    return print_plan(Project(root=ROOT), options, Processes(), io.StringIO())


@pytest.fixture
def crate(tmp_path, monkeypatch):
    """A crate whose folder is called otherwise than it is."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "folder of mine"
    (folder / "src").mkdir(parents=True)
    (folder / "Cargo.toml").write_text('[package]\nname = "sloop"\nversion = "0.1.0"\nedition = "2024"\n')
    (folder / "Cargo.lock").write_text('version = 4\n[[package]]\nname = "sloop"\nversion = "0.1.0"\n')
    (folder / "src" / "main.rs").write_text("fn main() {}\n")
    return folder


def test_a_machine_on_which_nothing_was_tried_is_refused_with_one_line_that_says_what_works(monkeypatch):
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    with pytest.raises(HostError) as caught:
        plan("hello-world", "scratch-musl")
    assert str(caught.value) == "this machine is aarch64, and Bareboat works on x86_64 (linux/amd64) alone"
    check_engine(HOST, AMD)
    with pytest.raises(HostError, match=r"machine of arm64, and Bareboat works on linux/amd64 alone"):
        check_engine(replace(HOST, architecture="arm64"), AMD)


def test_the_plan_of_a_service_has_the_harbor_and_what_is_timed(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    text = plan("webserver", "scratch-musl")
    jobs = [" ".join(line.split()[1:3]) for line in text.splitlines()[2:-2]]
    assert jobs == [
        "toolchain gnu",
        "program webserver",
        "program harbor",
        "program bareboat-gauge",
        "image webserver@scratch-musl",
        "timed webserver@scratch-musl",
    ]


@ASKS_GIT
def test_a_crate_of_the_users_own_is_planned_by_its_packages_name_and_on_nothing_that_is_made_to_fail(crate):
    cells = [word for word in plan(crate=crate).split() if word.startswith("sloop@")]
    assert {"sloop@debian", "sloop@scratch-musl"} <= set(cells)
    made_to_fail = {"sloop@scratch-glibc-no-loader", "sloop@scratch-glibc-no-libgcc", "sloop@distroless-static-dynamic"}
    assert not made_to_fail & set(cells)
    assert "sloop@scratch-glibc-no-loader" not in plan("sloop", "scratch-glibc*", crate=crate)
    assert "sloop@scratch-glibc-no-loader" in plan("sloop", "scratch-glibc-no-loader", crate=crate)


@ASKS_GIT
def test_a_plan_is_a_job_matrix_of_all_that_a_crate_would_be_tried_on(crate):
    cells = json.loads(plan(crate=crate, format="github"))["include"]
    planned = [word.strip(",") for word in plan(crate=crate).split() if word.startswith("sloop@")]
    assert [cell["cell"] for cell in cells] == list(dict.fromkeys(planned))
    assert {cell["sample"] for cell in cells} == {"sloop"}


@ASKS_GIT
@pytest.mark.parametrize("cell", ["alpine", "sloop@alpine"])
def test_a_crate_of_the_users_own_has_containerfiles(crate, cell):
    options = ContainerfileOptions(cell=cell, crate=crate, bases="bootstrap")
    text = print_containerfile(Project(root=ROOT), options, Processes(), io.StringIO())
    assert "COPY --from=compile" in text
    assert "sloop" in text


@ASKS_GIT
def test_who_stands_in_a_crates_folder_means_that_crate(crate, monkeypatch):
    monkeypatch.chdir(crate)
    project = find_project(PACKAGE)
    assert (project.root, project.crate) == (ROOT, crate)
    assert project.complete({"crate": "", "force": False}) == {"crate": crate, "force": False}
    assert project.complete({"crate": "../other"}) == {"crate": "../other"}
    assert project.complete({"force": True}) == {"force": True}
    assert "sloop" in print_samples(project, Processes(), io.StringIO())


def test_who_stands_in_a_project_means_its_samples(crate, monkeypatch):
    (crate / "recipes").mkdir()
    monkeypatch.chdir(crate)
    assert find_project(PACKAGE) == Project(root=Path.cwd())
    monkeypatch.chdir(PACKAGE)
    assert find_project(PACKAGE) == Project(root=ROOT)
    monkeypatch.chdir(ROOT)
    assert find_project(PACKAGE).complete({"crate": ""}) == {"crate": ""}
