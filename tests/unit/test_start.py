"""A command starts fast: it imports the libraries that it needs, and no other."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ENGINE = {"podman", "requests", "rich"}
LIBRARY = {*ENGINE, "pydantic", "tabulate", "debian", "bareboat.inputs.recipe", "bareboat.commands.ask"}
# Invoke ends a process when it has printed a list, so what was imported is told on the way out.
SCRIPT = """
import atexit, sys
atexit.register(lambda: sys.stderr.write(" ".join(sys.modules)))
from {module} import program
program.run(sys.argv)
"""


def imported(folder, *argv, module="bareboat.tasks"):
    command = [sys.executable, "-c", SCRIPT.format(module=module), *argv]
    environment = {**os.environ, "XDG_CACHE_HOME": str(folder)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout
    modules = set(done.stderr.split())
    assert {"invoke", "bareboat.tasks"} <= modules
    return modules


@pytest.mark.parametrize("argv", [["--list"], ["--help", "build-matrix"]], ids=" ".join)
@pytest.mark.parametrize("module", ["tasks", "bareboat.tasks"])
@pytest.mark.starts_processes("this process has imported everything")
def test_what_tells_of_tasks_imports_no_library(tmp_path, module, argv):
    assert not imported(tmp_path, *argv, module=module) & LIBRARY


@pytest.mark.parametrize(
    "argv",
    [
        ["recipes"],
        ["samples"],
        ["plan", "--bases", "bootstrap"],
        ["containerfile", "hello-world@scratch-musl", "--bases", "bootstrap"],
        ["explain", "hello-world@scratch-musl"],
    ],
    ids=" ".join,
)
@pytest.mark.starts_processes("this process has imported everything")
def test_what_needs_no_engine_imports_none(tmp_path, argv):
    assert not imported(tmp_path, *argv) & {*ENGINE, "bareboat.doctor.examine", "bareboat.make"}


@pytest.mark.parametrize("forbidden", ["", "1"], ids=["kept", "forbidden"])
@pytest.mark.parametrize("module", ["tasks", "bareboat.tasks"])
@pytest.mark.parametrize("command", ["ours", "invoke"])
@pytest.mark.starts_processes("what Python keeps is a process's")
def test_what_python_compiled_is_kept_unless_that_is_forbidden(tmp_path, command, module, forbidden):
    started = ["-c", f"import sys; from {module} import program; program.run(sys.argv)"]
    (tmp_path / "tasks.py").write_text(f"from {module} import program\nnamespace = program.namespace\n")
    folder = ROOT if module == "tasks" else tmp_path
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(tmp_path / "kept"), "XDG_CACHE_HOME": str(tmp_path)}
    environment |= {"PYTHONDONTWRITEBYTECODE": forbidden, "PYTHONPATH": str(ROOT)}
    words = [sys.executable, *(started if command == "ours" else ["-m", "invoke"]), "samples"]
    subprocess.run(words, cwd=folder, env=environment, capture_output=True, check=True)
    kept = {path.name.partition(".")[0] for path in (tmp_path / "kept").rglob("*.pyc")}
    assert ("load_recipes" in kept) is not bool(forbidden)
