"""A C library of the user's own, on real Podman: musl's files laid out as one, changed, and with something missing."""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.harbour import ONCE, Project, copy_project, podman, root_filesystem, rows

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.podman, pytest.mark.network, ONCE]

RECIPE = """
summary = "Nothing but the program, a C library of our own inside it"

[compile]
toolchain = "musl"
libc = "other"
crt = "static"
sysroot = "own"

[base]
scratch = true
"""
FILES = ("crt1.o", "rcrt1.o", "crti.o", "crtn.o", "libc.a")
TOOLCHAIN, MUSL = "localhost/bareboat/toolchain/gnu:bootstrap", "/usr/lib/x86_64-linux-musl"
CELL, IMAGE = "hello-world@scratch-own", "localhost/bareboat/hello-world:scratch-own"
MARK = b"a write of our own"
# In the place of musl's: its own system call, and a text that nobody else has.
WRITE_C = f"""
static const char mark[] __attribute__((used, section(".rodata.mark"))) = "{MARK.decode()}";
long write(int file, const void *text, unsigned long size) {{
    long done;
    __asm__ volatile("" : : "r"(mark));
    __asm__ volatile("syscall" : "=a"(done) : "a"(1), "D"(file), "S"(text), "d"(size) : "rcx", "r11", "memory");
    return done;
}}
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A project with a recipe of such a C library, whose folder is musl's own; scratch-musl is built."""
    made = copy_project(tmp_path_factory.mktemp("sysroot") / "project")
    (made.root / "recipes" / "scratch-own.toml").write_text(RECIPE, encoding="utf-8")
    own = made.root / "recipes" / "own"
    own.mkdir()
    for name in FILES:
        (own / name).touch()
    try:
        plain = build(made, "scratch-musl")
        assert plain.returncode == 0, plain.stderr
        in_toolchain(own, f"cp {' '.join(f'{MUSL}/{name}' for name in FILES)} .")
        yield made
    finally:
        podman("rmi", "--force", "--ignore", IMAGE)


@pytest.fixture
def own(project: Project) -> Iterator[Path]:
    """The folder, which is as it was when the test has ended."""
    folder = project.root / "recipes" / "own"
    kept = {file.name: file.read_bytes() for file in folder.iterdir()}
    yield folder
    shutil.rmtree(folder)
    folder.mkdir()
    for name, content in kept.items():
        (folder / name).write_bytes(content)


def in_toolchain(folder: Path, command: str) -> None:
    """Do something in a folder with the tools of the toolchain."""
    mount = f"--volume={folder}:/own"
    podman("run", "--rm", "--network=none", mount, "--workdir=/own", TOOLCHAIN, "/bin/sh", "-ec", command)


def build(project: Project, recipe: str = "scratch-own") -> subprocess.CompletedProcess[str]:
    words = ("--sample=hello-world", f"--recipe={recipe}", "--bases=bootstrap", "--format=json")
    return project.invoke("build-matrix", *words, f"--results={project.root / 'measured'}")


def result(project: Project, cell: str = CELL) -> dict[str, Any]:
    (path,) = (project.root / "measured").glob(f"*/{cell}.json")
    found: dict[str, Any] = json.loads(path.read_bytes())
    return found


def shipped(tmp_path: Path) -> bytes:
    """The program in the image."""
    container = podman("create", IMAGE)
    try:
        podman("cp", f"{container}:/hello-world", str(tmp_path / "program"))
    finally:
        podman("rm", container)
    return (tmp_path / "program").read_bytes()


def test_musl_as_a_c_library_of_ones_own_links_runs_and_is_measured(project: Project) -> None:
    answer = build(project)
    assert answer.returncode == 0, answer.stderr
    row = rows(answer)["scratch-own"]
    assert (row["outcome"], row["libc"], row["crt"], row["linkage"]) == (
        "passed",
        "other (musl)",
        "static",
        "static-pie",
    )
    # Of the same files comes the same program.
    made = [
        result(project, cell)["provenance"]["made"]["program_sha256"] for cell in (CELL, "hello-world@scratch-musl")
    ]
    assert made[0] == made[1]
    again = build(project)
    assert "nothing to do: all 1 cells are unchanged" in again.stderr


def test_what_changes_in_it_is_linked_anew(project: Project, own: Path, tmp_path: Path) -> None:
    assert MARK not in shipped(tmp_path)
    (own / "write.c").write_text(WRITE_C, encoding="ascii")
    in_toolchain(own, "musl-gcc -O2 -fPIC -c write.c -o write.lo && ar r libc.a write.lo && rm write.c write.lo")
    answer = build(project)
    assert answer.returncode == 0, answer.stderr
    assert MARK in shipped(tmp_path)
    assert result(project)["outcome"]["kind"] == "passed"


def test_without_the_start_file_for_anywhere_a_program_has_its_place(project: Project, own: Path) -> None:
    (own / "rcrt1.o").unlink()
    answer = build(project)
    assert answer.returncode == 0, answer.stderr
    row = rows(answer)["scratch-own"]
    assert (row["libc"], row["linkage"], row["pie"]) == ("other (musl)", "static", False)


def test_one_that_lacks_a_function_fails_with_the_linkers_words_and_no_figure(project: Project, own: Path) -> None:
    in_toolchain(own, "ar d libc.a write.lo writev.lo")
    answer = build(project)
    assert answer.returncode == 1
    row = rows(answer)["scratch-own"]
    assert (row["outcome"], row["stage"]) == ("failed", "compile")
    assert row["reason"].startswith("own lacks what the program asks for: undefined symbol: ")
    assert "write" in row["reason"]
    assert row.get("size") is None
    found = result(project)
    assert (found["measurements"], found["provenance"]) == ([], None)
    assert "undefined symbol: write" in found["outcome"]["detail"]
    assert ">>> referenced by" in found["outcome"]["detail"]
    told = project.invoke("explain", CELL, f"--results={project.root / 'measured'}")
    assert "own lacks what the program asks for: undefined symbol: " in told.stdout, told.stderr


def test_a_folder_that_is_none_is_one_error_before_anything_is_compiled(project: Project, own: Path) -> None:
    (own / "crtn.o").unlink()
    (own / "libc.a").unlink()
    for words in (("build-matrix", "--recipe=scratch-own"), ("plan",), ("containerfile", CELL)):
        answer = project.invoke(*words)
        assert (answer.returncode, answer.stdout) == (2, "")
        assert answer.stderr == f"error: scratch-own.toml: compile.sysroot: {own.resolve()} lacks crtn.o, libc.a\n"


@pytest.mark.parametrize("command", [("containerfile", "--bases=bootstrap"), ("eject", "--containerfile")])
def test_its_containerfile_gives_the_same_image_with_the_folder_as_a_context(
    project: Project, tmp_path: Path, command: tuple[str, str]
) -> None:
    assert build(project).returncode == 0
    answer = project.invoke(command[0], CELL, command[1])
    assert answer.returncode == 0, answer.stderr
    assert "--build-context bareboat-sysroot=" in answer.stdout + answer.stderr
    # What we make in its place stands in for the public toolchain.
    contexts = [
        f"--build-context=bareboat-sysroot={project.root / 'recipes' / 'own'}",
        f"--build-context=docker.io/library/rust:1-alpine=container-image://{TOOLCHAIN}",
    ]
    tag = f"localhost/printed:{os.getpid()}"
    # Cache mounts of old Buildah lie in a folder that all users share; a private one keeps the tests' users apart.
    run_root = podman("info", "--format={{.Store.RunRoot}}")
    words = ("build", *contexts, "--file=-", f"--tag={tag}", str(project.root / "rust-samples" / "hello-world"))
    try:
        podman("--runroot", run_root, *words, stdin=answer.stdout, env={"TMPDIR": str(tmp_path)})
        assert root_filesystem(tag, tmp_path) == root_filesystem(IMAGE, tmp_path)
    finally:
        podman("rmi", "--force", "--ignore", tag)
        caches = [str(folder) for folder in tmp_path.glob("buildah-cache*")]
        podman("unshare", "rm", "-rf", *caches) if os.geteuid() else None


def test_relibc_has_a_row_with_its_reason_on_request(project: Project, tmp_path: Path) -> None:
    words = ("--sample=smallest", "--recipe=scratch-relibc", "--bases=bootstrap", f"--results={tmp_path / 'results'}")
    answer = project.invoke("build-matrix", *words, "--format=json")
    assert answer.returncode == 0, answer.stderr
    (row,) = json.loads(answer.stdout)
    assert (row["base"], row["outcome"]) == ("scratch-relibc", "skipped")
    assert "relibc is no crate, no Debian package and no target of rustc" in row["reason"]
