"""What is asked of a cell is one form, of what its last run has found; no registry is asked and no engine."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest

from bareboat.commands.eject import EjectOptions, print_ejected
from bareboat.commands.plan_inputs import kept_results
from bareboat.commands.project import Project
from bareboat.errors import InputError
from bareboat.inputs.mend import Mend
from bareboat.result.store import save
from bareboat.result.values import Completed, Failed, Passed, Ran
from bareboat.system.process import Processes
from tests.unit.project import ROOT
from tests.unit.report.example_results import result, source
from tests.unit.schemas import read_yaml

pytestmark = pytest.mark.starts_processes("git says what it ignores in a crate of the user's own")
SLOOP = """\
[package]
name = "sloop"
version = "0.1.0"
edition = "2024"
"""


@pytest.fixture
def crate(tmp_path, monkeypatch):
    """A crate in a folder of a repository, of which no engine is needed to know all."""
    for kind in ("CACHE", "STATE"):
        monkeypatch.setenv(f"XDG_{kind}_HOME", str(tmp_path / kind))
    folder = tmp_path / "repository" / "my sloop"
    (folder / "src").mkdir(parents=True)
    (folder.parent / ".git").mkdir()
    (folder / "Cargo.toml").write_text(SLOOP)
    (folder / "Cargo.lock").write_text('version = 4\n[[package]]\nname = "sloop"\nversion = "0.1.0"\n')
    (folder / "src" / "main.rs").write_text("fn main() {}\n")
    return folder


def keep(crate, recipe, **found):
    """Keep what a run of a crate's cell has come to."""
    save(replace(result(recipe, sample="sloop"), **found), kept_results(Project(root=ROOT), crate) / "host")


def ask(cell="hello-world@alpine", **words):
    view = io.StringIO()
    options = EjectOptions(cell=cell, **words)
    return print_ejected(Project(root=ROOT), options, Processes(), view), view.getvalue()


def test_an_image_has_its_name_here_unless_another_is_given():
    answer, said = ask(kube=True)
    assert 'image: "localhost/bareboat/hello-world:alpine"\n' in answer
    assert said == "localhost/bareboat/hello-world:alpine is its name on this machine; --image names another\n"
    answer, said = ask(quadlet=True, image="ghcr.io/me/app@sha256:00")
    assert ("Image=ghcr.io/me/app@sha256:00\n" in answer, said) == (True, "")


@pytest.mark.parametrize("words", [{}, {"kube": True, "compose": True}])
def test_it_is_one_form_at_a_time(words):
    with pytest.raises(InputError, match="which form\\? Say one of --run, --compose, --kube, --quadlet"):
        ask(**words)


@pytest.mark.parametrize("image", ["a b", "a\nPodmanArgs=--privileged", "-x", "ü", "a: b", "a:"])
def test_what_is_no_name_of_an_image_gets_into_no_file(image):
    with pytest.raises(InputError, match="that is no name of an image"):
        ask(kube=True, image=image)


def test_a_workflow_pushes_no_image():
    with pytest.raises(InputError, match="--image is of no use with --github"):
        ask(github=True, image="me/app:1")


def test_what_the_last_run_found_is_in_the_containerfile(crate):
    libm = "/usr/lib/x86_64-linux-gnu/libm.so.6"
    tz = Mend(recipe="scratch-glibc-dynamic", provision="tz", why="it lacks the time zones' data")
    completed = (Completed(path=libm, to=libm, why="sloop needs it"),)
    served = Ran(running=True, ports=(8080,), stop_seconds=0.1)
    keep(crate, "scratch-glibc-dynamic", completed=completed, mended=(tz,), ran=served)
    answer, said = ask("scratch-glibc-dynamic", crate=crate, containerfile=True)
    assert f"# sloop needs it\nCOPY --from=compile {libm} {libm}\n" in answer
    assert "/usr/share/zoneinfo/ /usr/share/zoneinfo/\n" in answer
    assert answer.endswith("\nEXPOSE 8080\n")
    assert said == "it names tags, which move: where registries answer, `invoke lock --source registry` pins them\n"


def test_what_no_run_has_found_is_said(crate):
    _, said = ask("scratch-musl", crate=crate, containerfile=True)
    assert "whether it is a service is not known: `invoke build-matrix --recipe scratch-musl` finds out\n" in said
    assert "libraries that scratch-musl has not are named after `build-matrix --recipe scratch-musl`\n" in said
    assert "Cargo.lock" not in said


def test_a_cell_whose_last_run_failed_is_told_of(crate):
    keep(crate, "scratch-musl", outcome=Failed(stage="run", reason="killed by signal 11"))
    assert "its last run failed: killed by signal 11\n" in ask("scratch-musl", crate=crate, compose=True)[1]


def test_packages_of_a_crate_are_installed_in_the_public_toolchain(crate):
    table = '[package.metadata.bareboat]\ntoolchain-packages = ["libpq-dev"]\n'
    (crate / "Cargo.toml").write_text(f"{SLOOP}\n{table}")
    answer, _ = ask("debian-slim", crate=crate, containerfile=True)
    assert "install --yes --no-install-recommends libpq-dev pkgconf" in answer
    with pytest.raises(InputError, match="compiled with libpq-dev of Debian"):
        ask("scratch-musl", crate=crate, containerfile=True)


@pytest.mark.parametrize(("kind", "names"), [("registry", ()), ("bootstrap", ("open64",))])
def test_a_program_is_known_by_the_toolchain_of_its_last_run(crate, kind, names):
    made_of = replace(result("x").provenance, toolchain=source(kind))
    keep(crate, "scratch-musl-dynamic", provenance=made_of, large_file_names=names, outcome=Passed())
    if kind == "registry":
        assert "AS compile" in ask("scratch-musl-dynamic", crate=crate, containerfile=True)[0]
    else:
        with pytest.raises(InputError, match="asks for open64"):
            ask("scratch-musl-dynamic", crate=crate, containerfile=True)


def test_a_workflow_works_in_the_crates_folder_of_its_repository(crate):
    answer, said = ask("scratch-musl", crate=crate, github=True)
    assert read_yaml(answer)["defaults"]["run"]["working-directory"] == "my sloop"
    assert "bareboat plan --bases registry --format github --sample sloop >" in answer
    assert said == ""
