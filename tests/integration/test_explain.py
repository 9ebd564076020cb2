"""Why cells and images fail, and what to take: told of results and of images of any maker, held to what runs show."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.integration.harbour import ROOT, Project, podman
from tests.programs import program

if TYPE_CHECKING:
    import subprocess

# Where no test has run before, the bases are made from packages.
pytestmark = [pytest.mark.podman, pytest.mark.network]

BASES = ("scratch-musl", "scratch-glibc-no-loader", "alpine")
IMAGE = "localhost/explained:1"


def ask(*words: str) -> subprocess.CompletedProcess[str]:
    return Project(root=ROOT).invoke(*words)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The option for the results of hello-world on three bases."""
    option = f"--results={tmp_path_factory.mktemp('explain') / 'results'}"
    recipes = (f"--recipe={base}" for base in BASES)
    built = ask("build-matrix", "--sample=hello-world", *recipes, "--bases=bootstrap", option)
    assert built.returncode == 0, built.stderr
    return option


def test_a_cell_that_was_made_to_fail_says_what_is_missing_and_what_has_it(results: str) -> None:
    told = ask("explain", "hello-world@scratch-glibc-no-loader", results)
    assert told.returncode == 0, told.stderr
    assert "the interpreter /lib64/ld-linux-x86-64.so.2 is not in the image." in told.stdout
    assert "no such file or directory" in told.stdout
    assert 'to = "/lib64/ld-linux-x86-64.so.2"' in told.stdout
    assert "It works on scratch-musl (" in told.stdout


def test_a_base_is_recommended_that_has_a_shell(results: str) -> None:
    told = ask("recommend", "--sample=hello-world", "--need=shell", "--max-size=20MB", results)
    assert told.returncode == 0, told.stderr
    assert told.stdout.startswith("Take alpine (")
    assert "Left out: scratch-musl: no shell (/bin/sh)." in told.stdout
    none = ask("recommend", "--sample=hello-world", "--need=shell", "--max-size=1MB", results)
    assert none.returncode == 1, none.stderr
    assert none.stdout.startswith("Nothing that was measured has all that is needed.")


def is_started(content: bytes, folder: Path) -> bool:
    """Make an image of one program, and run it: whether it came to its own first instruction, and ended well."""
    (folder / "app").write_bytes(content)
    (folder / "app").chmod(0o755)
    lines = 'FROM scratch\nCOPY app /app\nUSER 65532:65532\nENTRYPOINT ["/app"]\n'
    podman("build", f"--tag={IMAGE}", "--file=-", str(folder), stdin=lines)
    try:
        podman("run", "--rm", "--network=none", IMAGE)
    except AssertionError:
        return False
    return True


@pytest.mark.parametrize(
    ("kind", "code", "words"),
    [
        ("static", 0, f"{IMAGE} would start: it runs /app, linked statically, as user 65532."),
        ("dynamic", 1, "/app is there, but the loader that it names is not: /lib64/ld-linux-x86-64.so.2"),
        ("script", 1, "/app is there, but it is a script for /bin/sh, which is not"),
    ],
)
def test_an_image_of_any_maker_is_said_to_start_where_it_does(tmp_path: Path, kind: str, code: int, words: str) -> None:
    made = {"static": program, "dynamic": Path("/bin/true").read_bytes, "script": lambda: b"#!/bin/sh\n"}
    try:
        assert is_started(made[kind](), tmp_path) is (code == 0)
        told = ask("explain", IMAGE)
    finally:
        podman("rmi", "--force", "--ignore", IMAGE)
    assert (told.returncode, told.stderr) == (code, "")
    assert words in told.stdout


def test_an_image_that_is_not_there_is_told_in_one_line() -> None:
    told = ask("explain", "localhost/nowhere:1")
    assert told.returncode == 2
    assert told.stderr.startswith("error: there is no image localhost/nowhere:1\n")
