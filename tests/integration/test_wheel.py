"""The wheel: it holds all of the package and nothing beside it, and its console script works."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.integration.harbour import podman

ROOT = Path(__file__).parents[2]
NEITHER_SOURCE_NOR_DATA = shutil.ignore_patterns("target", "__pycache__")
BUILD = "import sys; from setuptools import build_meta; build_meta.build_wheel(sys.argv[1])"
LIST = """
from importlib.metadata import entry_points
(script,) = entry_points(group="console_scripts", name="bareboat")
script.load()(["bareboat", "--list"])
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that an unpacked wheel is; it is built of a copy, because a build leaves folders in the sources."""
    sources, built, unpacked = (tmp_path_factory.mktemp(name) for name in ("sources", "built", "unpacked"))
    for file in ROOT.iterdir():
        if file.is_file() and not file.name.startswith("."):
            shutil.copy(file, sources)
    shutil.copytree(ROOT / "recipes", sources / "recipes")
    # The link to the recipes is a link here, too, as in a checkout that pip builds a wheel of.
    shutil.copytree(ROOT / "bareboat", sources / "bareboat", ignore=NEITHER_SOURCE_NOR_DATA, symlinks=True)
    done = subprocess.run(
        [sys.executable, "-c", BUILD, built], cwd=sources, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    (archive,) = built.iterdir()
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(unpacked)
    return unpacked


def test_the_wheel_installs_the_package_and_nothing_beside_it(wheel: Path) -> None:
    names = sorted(path.name for path in wheel.iterdir() if path.suffix != ".dist-info")
    assert names == ["bareboat"]


def test_all_of_the_package_is_in_the_wheel(wheel: Path, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "bareboat", tmp_path / "bareboat", ignore=NEITHER_SOURCE_NOR_DATA)
    assert files_in(wheel / "bareboat") == files_in(tmp_path / "bareboat")
    shipped = {"recipe.schema.json", "harbor/Cargo.lock", "harbor/src/main.rs", "recipes/toolchains/gnu.toml"}
    assert shipped <= files_in(wheel / "bareboat")


def test_the_console_script_has_the_tasks_that_invoke_has_in_a_checkout(wheel: Path, tmp_path: Path) -> None:
    installed = run("-c", LIST, cwd=tmp_path, PYTHONPATH=str(wheel))
    checkout = run("-m", "invoke", "--list", cwd=ROOT)
    assert "build-matrix" in installed
    assert tasks_of(installed) == tasks_of(checkout)


def test_the_installed_command_plans_a_crate_where_it_lies(wheel: Path, tmp_path: Path) -> None:
    folder = crate(tmp_path)
    text = run("-m", "bareboat", "plan", "--bases=bootstrap", cwd=folder, PYTHONPATH=str(wheel))
    assert "image three-lines@scratch-musl" in " ".join(text.split())
    assert "three-lines" in run("-m", "bareboat", "samples", cwd=folder, PYTHONPATH=str(wheel))
    assert "distroless-cc" in run("-m", "bareboat", "recipes", cwd=tmp_path, PYTHONPATH=str(wheel))


def test_the_installed_command_says_what_it_wants_where_there_is_no_crate(wheel: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "bareboat", "build-matrix"]
    environment = {**os.environ, "PYTHONPATH": str(wheel)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: which crate? Go to the folder of one")


@pytest.mark.podman
def test_the_installed_command_builds_a_crate_and_writes_into_no_folder_but_its_own(
    wheel: Path, tmp_path: Path
) -> None:
    folder = crate(tmp_path)
    before = files_in(folder), files_in(wheel)
    words = ("-P", "-m", "bareboat", "build-matrix", "--recipe=scratch-musl", "--recipe=alpine", "--bases=bootstrap")
    variables = {"PYTHONPATH": str(wheel), "PYTHONDONTWRITEBYTECODE": "1", "XDG_STATE_HOME": str(tmp_path / "state")}
    answer = run(*words, "--format=csv", cwd=folder, **variables)
    podman("rmi", "--force", *(f"localhost/bareboat/three-lines:{base}" for base in ("scratch-musl", "alpine")))
    assert answer.count("passed") == 2
    assert (files_in(folder), files_in(wheel)) == before
    kept = {Path(name).name for name in files_in(tmp_path / "state")}
    assert kept == {"recipes.lock", "three-lines@alpine.json", "three-lines@scratch-musl.json"}


def crate(folder: Path) -> Path:
    """A crate of three lines in a folder of another name, with the lock that cargo made."""
    crate = folder / "anywhere"
    (crate / "src").mkdir(parents=True)
    package = '[package]\nname = "three-lines"\nversion = "0.1.0"\n'
    (crate / "Cargo.toml").write_text(f'{package}edition = "2024"\n', encoding="utf-8")
    (crate / "Cargo.lock").write_text(f"version = 4\n[{package}".replace("[[package]", "[[package]]"), encoding="utf-8")
    (crate / "src" / "main.rs").write_text('fn main() {\n    println!("hello");\n}\n', encoding="utf-8")
    return crate


def run(*words: str, cwd: Path, **environment: str) -> str:
    command = [sys.executable, *words]
    done = subprocess.run(
        command, cwd=cwd, env={**os.environ, **environment}, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def tasks_of(listing: str) -> list[str]:
    return [line for line in listing.splitlines() if line.startswith("  ")]


def files_in(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
