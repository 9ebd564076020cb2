"""The wheel: it holds all of the package and nothing beside it, and its console script works."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

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
    shutil.copytree(ROOT / "bareboat", sources / "bareboat", ignore=NEITHER_SOURCE_NOR_DATA)
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
    assert {"recipe.schema.json", "harbor/Cargo.lock", "harbor/src/main.rs"} <= files_in(wheel / "bareboat")


def test_the_console_script_has_the_tasks_that_invoke_has_in_a_checkout(wheel: Path, tmp_path: Path) -> None:
    installed = run("-c", LIST, cwd=tmp_path, PYTHONPATH=str(wheel))
    checkout = run("-m", "invoke", "--list", cwd=ROOT)
    assert "build-matrix" in installed
    assert tasks_of(installed) == tasks_of(checkout)


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
