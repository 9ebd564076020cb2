"""A place to run the tasks in, on real Podman, as a user does: by their command line."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bareboat.archive import open_image
from bareboat.bootstrap import remove_scratch
from bareboat.inputs.load_recipes import load_recipes
from bareboat.podman_engine.settings import podman_environment
from bareboat.system.folders import find_folders
from bareboat.system.process import Processes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).parents[2]
BOOK = load_recipes(ROOT / "recipes")
# Of a test that compiles for minutes: .ci/run has it tried once, as root, and sets the variable for what comes then.
ONCE = pytest.mark.skipif("TRIED_BEFORE" in os.environ, reason="it was tried before, and compiles for minutes")
CELLS = tuple(f"hello-world@{recipe.name}" for recipe in BOOK.recipes if not recipe.samples)


@dataclass(frozen=True, kw_only=True)
class Project:
    """A checkout: this one, or a copy whose recipes and samples a test may spoil."""

    root: Path

    def invoke(self, *words: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            invocation(*words),
            cwd=self.root,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def start(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            invocation(*words),
            cwd=self.root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def edit(self, path: str, old: str, new: str) -> None:
        file = self.root / path
        text = file.read_text(encoding="utf-8")
        assert old in text
        file.write_text(text.replace(old, new), encoding="utf-8")


def invocation(*words: str) -> list[str]:
    return [sys.executable, "-m", "invoke", *words]


def copy_project(folder: Path, *more: str) -> Project:
    """Recipes and samples are copied, and what more is named; the library is not, unless it is."""
    folder.mkdir()
    for name in ("recipes", "rust-samples", *more):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("target", "__pycache__"))
    shutil.copy(ROOT / "tasks.py", folder)
    if "bareboat" not in more:
        (folder / "bareboat").symlink_to(ROOT / "bareboat")
    return Project(root=folder)


def guide_blocks(heading: str) -> list[str]:
    """The indented blocks of a section of CONTRIBUTING.md, without their indentation."""
    guide = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = guide.split(f"\n## {heading}\n")[1].partition("\n## ")[0]
    found = re.findall(r"(?:^    .*\n|^\n(?=\n*    ))+", section, flags=re.MULTILINE)
    return [re.sub(r"^    ", "", block, flags=re.MULTILINE).strip("\n") + "\n" for block in found]


def rows(answer: subprocess.CompletedProcess[str], sample: str = "hello-world") -> dict[str, dict[str, Any]]:
    """The JSON table of a sample by base."""
    return {row["base"]: row for row in json.loads(answer.stdout) if row["sample"] == sample}


def podman(*words: str, stdin: str = "", cwd: Path | None = None, env: Mapping[str, str] | None = None) -> str:
    """Podman as the host has it, in the configuration that works here."""
    folder = find_folders().engine
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        ["podman", *words],
        input=stdin,
        cwd=cwd,
        env={**os.environ, **podman_environment(folder), **(env or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"podman {' '.join(words)}: {done.stderr}"
    return done.stdout.strip()


@contextmanager
def passable_folder() -> Iterator[Path]:
    """A folder that mmdebstrap's user namespace can enter, which it cannot below what pytest makes private."""
    folder = Path("/var/tmp") / f"bareboat-test-{os.geteuid()}-{secrets.token_hex(4)}"
    folder.mkdir(mode=0o711)
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        remove_scratch(folder, Processes())
    assert not folder.exists()


@contextmanager
def saved(image: str, folder: Path) -> Iterator[Any]:
    archive = folder / "saved.tar"
    podman("save", "--format=docker-archive", f"--output={archive}", image)
    try:
        yield open_image(archive)
    finally:
        archive.unlink()


def root_filesystem(image: str, folder: Path) -> dict[str, tuple[object, ...]]:
    with saved(image, folder) as opened:
        return {
            path: (file.kind, file.mode, file.uid, file.gid, file.size_bytes, file.sha256, file.target)
            for path, file in opened.files().items()
        }


def leftovers() -> list[str]:
    """What a run must not leave: containers, processes and temporary files of Bareboat's."""
    folders = find_folders()
    names = podman("ps", "--all", "--external", "--format={{.Names}}").split()
    ours = re.compile(r"\bbareboat-[0-9a-f]{8}-[0-9a-f]{8}\b")
    left = [name for name in names if ours.fullmatch(name)]
    left += [str(path) for path in (*folders.runs.iterdir(), *folders.passage.parent.glob(f"{folders.passage.name}*"))]
    marks = (str(folders.runs), str(folders.passage), "localhost/bareboat")
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            mine = process.stat().st_uid == os.geteuid()
        except OSError:
            continue
        if mine and (ours.search(words) or any(mark in words for mark in marks)):
            left.append(words)
    return left


def descendants(process: int) -> list[int]:
    """The processes that a process has started, and those that they have."""
    children = [
        int(child) for file in Path(f"/proc/{process}/task").glob("*/children") for child in file.read_text().split()
    ]
    return [one for child in children for one in (*descendants(child), child)]
