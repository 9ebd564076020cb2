"""The registry path against a real registry on loopback, to which docker.io is mapped by a private registries.conf."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import time
from typing import TYPE_CHECKING

import pytest
import tomli

from bareboat.podman_engine.settings import search_path
from tests.integration.harbour import Project, copy_project, podman, rows

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.podman, pytest.mark.network]

REFERENCE = "docker.io/library/alpine:3.23"
RECIPE = f"""
summary = "Alpine from a registry"
[compile]
toolchain = "musl"
libc = "musl"
crt = "static"
[base]
image = "{REFERENCE}"
"""


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = int(listener.getsockname()[1])
    settings = folder / "registry.yml"
    settings.write_text(
        f"version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {folder / 'blobs'}}}}}\n"
        f"http: {{addr: '127.0.0.1:{port}'}}\n",
        encoding="utf-8",
    )
    program = shutil.which("docker-registry", path=search_path(os.environ))
    assert program, "docker-registry is not installed: ./setup.sh"
    with (folder / "registry.log").open("wb") as log:
        server = subprocess.Popen([program, "serve", str(settings)], stdout=log, stderr=log)
    try:
        while server.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            time.sleep(0.02)
        assert server.poll() is None, (folder / "registry.log").read_text()
        yield port
    finally:
        server.terminate()
        server.wait()


@pytest.fixture
def mapped(tmp_path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """A registry's port, and the environment in which Podman takes it for docker.io."""
    with serving(tmp_path) as port:
        conf = tmp_path / "registries.conf"
        conf.write_text(
            f'[[registry]]\nprefix = "docker.io"\nlocation = "127.0.0.1:{port}"\ninsecure = true\n', encoding="utf-8"
        )
        yield port, {"CONTAINERS_REGISTRIES_CONF": str(conf)}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """One recipe with a registry image alone; the toolchain is the one made from packages."""
    project = copy_project(tmp_path / "project")
    for recipe in (project.root / "recipes").glob("*.toml"):
        recipe.unlink()
    (project.root / "recipes" / "alpine.toml").write_text(RECIPE, encoding="utf-8")
    for toolchain, image in (("gnu", "docker.io/library/rust:1-slim"), ("musl", "docker.io/library/rust:1-alpine")):
        project.edit(f"recipes/toolchains/{toolchain}.toml", f'image = "{image}"\n', "")
    (project.root / "recipes" / "recipes.lock").unlink(missing_ok=True)
    return project


def test_a_base_comes_from_a_registry_pinned_by_its_digest(
    mapped: tuple[int, dict[str, str]], project: Project, tmp_path: Path
) -> None:
    port, environment = mapped
    made = project.invoke("containerfile", "hello-world@alpine", "--bases=bootstrap")
    assert made.returncode == 2, "without a bootstrap and a registry there is no such cell"
    base = "localhost/bareboat/base/alpine:bootstrap"
    podman("push", "--tls-verify=false", base, f"docker://127.0.0.1:{port}/library/alpine:3.23")
    words = ("build-matrix", "--format=json", f"--results={tmp_path / 'results'}")
    try:
        answer = project.invoke(*words, env=environment)
        assert answer.returncode == 0, answer.stderr
        assert "bases: from the registries, which answer" in answer.stderr
        row = rows(answer)["alpine"]
        assert (row["outcome"], row["base_source"]) == ("passed", "registry")
        lock = tomli.loads((project.root / "recipes" / "recipes.lock").read_text(encoding="utf-8"))
        digest = lock["amd64"]["registry"][REFERENCE]
        assert (
            f"library/alpine@{digest}" in project.invoke("containerfile", "hello-world@alpine", env=environment).stdout
        )
        result = json.loads(next((tmp_path / "results").rglob("*.json")).read_text(encoding="utf-8"))
        assert result["provenance"]["base"]["digest"] == digest
        again = project.invoke(*words, env=environment)
        assert "bases: of registries, as when everything was made" in again.stderr
        assert "nothing to do" in again.stderr
    finally:
        podman("rmi", "--force", "localhost/bareboat/hello-world:alpine", "docker.io/library/alpine:3.23")


def test_a_pull_that_fails_says_what_the_registry_said(
    mapped: tuple[int, dict[str, str]], project: Project, tmp_path: Path
) -> None:
    _, environment = mapped
    words = ("build-matrix", "--bases=registry", f"--results={tmp_path / 'results'}")
    answer = project.invoke(*words, env=environment)
    assert answer.returncode == 1
    assert "alpine failed at base" in answer.stdout
    assert "manifest unknown" in answer.stdout


def test_auto_falls_back_to_packages_when_a_registry_is_silent(project: Project, tmp_path: Path) -> None:
    conf = tmp_path / "registries.conf"
    conf.write_text('[[registry]]\nprefix = "docker.io"\nlocation = "127.0.0.1:1"\ninsecure = true\n', encoding="utf-8")
    answer = project.invoke("plan", env={"CONTAINERS_REGISTRIES_CONF": str(conf)})
    assert answer.returncode == 0
    assert "bases from bootstrap" in answer.stdout
    assert "no registry is used and the recipe has no [base.bootstrap]" in answer.stdout
