"""The registry path against a real registry on loopback, to which docker.io is mapped by a private registries.conf."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import socketserver
import subprocess
import threading
import time
from typing import TYPE_CHECKING

import pytest
import tomli

from bareboat.podman_engine.settings import search_path
from tests.integration.harbour import Project, copy_project, leftovers, podman, rows

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
def serving(folder: Path, more: str = "") -> Iterator[int]:
    """A registry on a port of loopback; `more` are lines of its configuration."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = int(listener.getsockname()[1])
    settings = folder / "registry.yml"
    settings.write_text(
        f"version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {folder / 'blobs'}}}}}\n"
        f"http: {{addr: '127.0.0.1:{port}'}}\n{more}",
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


class Front(socketserver.ThreadingTCPServer):
    """Stands before a registry on another port of loopback, and breaks every connection while `left` bytes are over."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, behind: int) -> None:
        super().__init__(("127.0.0.1", 0), Passing)
        self.behind = behind
        self.left = 0


class Passing(socketserver.BaseRequestHandler):
    """One connection to the front, passed on."""

    server: Front

    def handle(self) -> None:
        with socket.create_connection(("127.0.0.1", self.server.behind)) as behind:
            back = threading.Thread(target=self._pass, args=(behind, self.request))
            back.start()
            self._pass(self.request, behind)
            back.join()

    def _pass(self, source: socket.socket, to: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while (data := source.recv(2**16)) and self.server.left > 0:
                self.server.left -= len(data)
                to.sendall(data)
        for end in (source, to):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


def write_mapping(folder: Path, port: int) -> dict[str, str]:
    """The environment in which Podman takes what listens on that port for docker.io."""
    conf = folder / "registries.conf"
    conf.write_text(
        f'[[registry]]\nprefix = "docker.io"\nlocation = "127.0.0.1:{port}"\ninsecure = true\n', encoding="utf-8"
    )
    return {"CONTAINERS_REGISTRIES_CONF": str(conf)}


@pytest.fixture
def mapped(tmp_path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """A registry's port, and the environment in which Podman takes it for docker.io."""
    with serving(tmp_path) as port:
        yield port, write_mapping(tmp_path, port)


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


def test_a_registry_that_dies_in_the_middle_is_told_of_and_the_next_run_goes_on(
    mapped: tuple[int, dict[str, str]], project: Project, tmp_path: Path
) -> None:
    port, _ = mapped
    # What the store has is not fetched again: a layer is needed that it has not.
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "noise").write_bytes(os.urandom(4_000_000))
    text = "FROM localhost/bareboat/base/alpine:bootstrap\nCOPY noise /noise\n"
    built = podman("build", "--quiet", "--file=-", str(tmp_path / "new"), stdin=text)
    podman("push", "--tls-verify=false", built, f"docker://127.0.0.1:{port}/library/alpine:3.23")
    podman("rmi", "--force", built)
    words = ("build-matrix", "--bases=registry", "--format=json", f"--results={tmp_path / 'results'}")
    with Front(port) as front:
        threading.Thread(target=front.serve_forever).start()
        environment = write_mapping(tmp_path, front.server_address[1])
        try:
            # More than manifest and configuration, less than the layer.
            front.left = 1_000_000
            broken = project.invoke(*words, env=environment)
            assert broken.returncode == 1
            (row,) = json.loads(broken.stdout)
            assert (row["outcome"], row["stage"]) == ("failed", "base")
            assert f"podman pull {REFERENCE}" in broken.stderr
            assert "Traceback" not in broken.stderr
            assert leftovers() == []
            front.left = 10**9
            again = project.invoke(*words, env=environment)
            assert again.returncode == 0, again.stderr
            assert rows(again)["alpine"]["outcome"] == "passed"
        finally:
            front.shutdown()
            podman("rmi", "--force", "--ignore", "localhost/bareboat/hello-world:alpine", REFERENCE)


def test_auto_falls_back_to_packages_when_a_registry_is_silent(project: Project, tmp_path: Path) -> None:
    answer = project.invoke("plan", env=write_mapping(tmp_path, 1))
    assert answer.returncode == 0
    assert "bases from bootstrap" in answer.stdout
    assert "no registry is used and the recipe has no [base.bootstrap]" in answer.stdout
