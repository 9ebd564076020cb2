"""A disk that is full, at each place that a run writes to: one clear error, and the next run goes on."""

from __future__ import annotations

import os
import subprocess
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest

from bareboat.system.folders import find_folders
from tests.integration.harbour import ROOT, Project

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [
    pytest.mark.podman,
    pytest.mark.network,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small file system"),
]

WORDS = ("build-matrix", "--sample=hello-world", "--recipe=scratch-musl", "--recipe=alpine", "--bases=bootstrap")


@contextmanager
def full(folder: Path) -> Iterator[None]:
    """A file system with no room left, at a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k,mode=0755", "tmpfs", folder], check=True)
    try:
        with (folder / "filling").open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(bytes(4096))
        yield
    finally:
        subprocess.run(["umount", folder], check=True)


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """A cache of the test's own, which has the user's bases."""
    cache, user = tmp_path / "cache" / "bareboat", find_folders()
    cache.mkdir(parents=True)
    (cache / "roots").mkdir()
    for path in user.roots.iterdir():
        (cache / "roots" / path.name).symlink_to(path)
    return cache


@pytest.mark.parametrize("place", ["runs", "programs", "targets", "sources", "logs", "engine", "results"])
def test_a_full_disk_is_told_of_and_the_next_run_goes_on(cache: Path, place: str, tmp_path: Path) -> None:
    here = Project(root=ROOT)
    results = tmp_path / "results"
    options = (*WORDS, f"--results={results}")
    environment = {"XDG_CACHE_HOME": str(cache.parent)}
    with full(results if place == "results" else cache / place):
        answer = here.invoke(*options, "--force", env=environment)
    said = answer.stdout + answer.stderr
    assert answer.returncode == 1, said
    assert "o space left on device" in said
    assert "Traceback" not in said
    again = here.invoke(*options, env=environment)
    assert again.returncode == 0, again.stderr
    assert not list(cache.rglob(".*.tmp-*"))
