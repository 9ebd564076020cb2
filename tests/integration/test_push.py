"""Images of cells on their way out: into a real registry on loopback that asks for credentials, and into archives."""

from __future__ import annotations

import base64
import json
import os
from typing import TYPE_CHECKING

import pytest

from bareboat.archive import open_image
from tests.integration.harbour import ROOT, Project, podman
from tests.integration.test_own_programs import BOOTSTRAP, remove, write_crate
from tests.integration.test_registry import serving

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.podman, pytest.mark.network]

PASSWORD = "open sesame 42"
HASHED = "me:$2b$05$abcdefghijklmnopqrstuuZFjH57Rl3EXSetbREE0bqBhcUkJQP6u\n"  # the same, as bcrypt has it
BASES = ("scratch-musl", "alpine")


class Registry:
    """A registry, and the environment in which Podman takes it for one without TLS."""

    def __init__(self, folder: Path, port: int) -> None:
        self.host, self.folder = f"127.0.0.1:{port}", folder
        conf = folder / "registries.conf"
        conf.write_text(f'[[registry]]\nlocation = "{self.host}"\ninsecure = true\n', encoding="utf-8")
        self.stranger = {"CONTAINERS_REGISTRIES_CONF": str(conf), "REGISTRY_AUTH_FILE": self._auth("stranger.json", {})}
        token = base64.b64encode(f"me:{PASSWORD}".encode()).decode()
        self.member = {**self.stranger, "REGISTRY_AUTH_FILE": self._auth("me.json", {self.host: {"auth": token}})}

    def _auth(self, name: str, known: dict[str, dict[str, str]]) -> str:
        (self.folder / name).write_text(json.dumps({"auths": known}), encoding="utf-8")
        return str(self.folder / name)


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    folder = tmp_path_factory.mktemp("registry")
    (folder / "users").write_text(HASHED, encoding="utf-8")
    with serving(folder, f"auth: {{htpasswd: {{realm: test, path: {folder / 'users'}}}}}\n") as port:
        yield Registry(folder, port)


@pytest.fixture(scope="module")
def crate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A crate with a program that works, and one that does not."""
    sources = {
        "src/bin/works.rs": 'fn main() { println!("works") }\n',
        "src/bin/breaks.rs": 'fn main() { panic!("broken on purpose") }\n',
    }
    try:
        yield write_crate(tmp_path_factory.mktemp("push") / "pushed", sources)
    finally:
        remove(*((f"pushed-{program}", base) for program in ("works", "breaks") for base in BASES))


def push(crate: Path, program: str, *words: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    options = (f"--crate={crate}", f"--bin={program}", BOOTSTRAP)
    return Project(root=ROOT).invoke("push", "scratch-musl", *words, *options, env=env)


def test_an_image_comes_to_its_registry_by_all_its_names_and_the_digest_is_told(
    crate: Path, registry: Registry
) -> None:
    reference = f"{registry.host}/me/app"
    done = push(crate, "works", f"{reference}:1.2", "--tag=1", "--tag=latest", env=registry.member)
    assert done.returncode == 0, done.stderr
    names = done.stdout.splitlines()
    assert [name.partition("@")[0] for name in names] == [f"{reference}:{tag}" for tag in ("1.2", "1", "latest")]
    (digest,) = {name.partition("@")[2] for name in names}
    assert len(digest) == len("sha256:") + 64
    try:
        for name in names:
            podman("pull", "--quiet", name, env=registry.member)
        assert podman("run", "--rm", "--network=none", f"{reference}@{digest}", env=registry.member) == "works"
    finally:
        podman("rmi", "--force", "--ignore", *names)
    # Nothing is done again but the push, and it is the same image.
    again = push(crate, "works", f"{reference}:1.2", env=registry.member)
    assert (again.returncode, again.stdout) == (0, f"{names[0]}\n"), again.stderr
    assert PASSWORD not in done.stderr + again.stderr


def test_who_has_no_credentials_is_told_how_to_get_in(crate: Path, registry: Registry) -> None:
    done = push(crate, "works", f"{registry.host}/me/app:1", env=registry.stranger)
    assert (done.returncode, done.stdout) == (1, "")
    *_, said, cure = done.stderr.splitlines()
    assert said.startswith(f"error: {registry.host}/me/app:1: ")
    assert "authentication required" in said
    assert cure == f"  `podman login {registry.host}`, as somebody who may write there"


def test_a_registry_that_is_not_there_is_told(crate: Path, registry: Registry) -> None:
    conf = registry.folder / "nowhere.conf"
    conf.write_text('[[registry]]\nlocation = "127.0.0.1:1"\ninsecure = true\n', encoding="utf-8")
    environment = {**registry.member, "CONTAINERS_REGISTRIES_CONF": str(conf)}
    done = push(crate, "works", "127.0.0.1:1/me/app:1", env=environment)
    assert (done.returncode, done.stdout) == (1, "")
    assert "connection refused" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_does_not_work_is_pushed_only_when_that_is_said(crate: Path, registry: Registry) -> None:
    reference = f"{registry.host}/me/broken:1"
    refused = push(crate, "breaks", reference, env=registry.member)
    assert (refused.returncode, refused.stdout) == (1, "")
    *_, said, cure = refused.stderr.splitlines()
    assert (
        said
        == "error: pushed-breaks@scratch-musl failed at run: it panicked at src/bin/breaks.rs:1:13: broken on purpose"
    )
    assert cure == "  --failed pushes it all the same"
    pushed = push(crate, "breaks", reference, "--failed", env=registry.member)
    assert (pushed.returncode, pushed.stdout.partition("@")[0]) == (0, reference), pushed.stderr


@pytest.mark.parametrize("base", BASES)
def test_the_image_of_one_cell_is_named_and_written_whatever_its_run_came_to(
    crate: Path, base: str, tmp_path: Path
) -> None:
    name, archive = f"localhost/mine:{base}-{os.getpid()}", tmp_path / "image.tar"
    words = (f"--crate={crate}", "--bin=breaks", f"--recipe={base}", f"--results={tmp_path / 'results'}", BOOTSTRAP)
    try:
        done = Project(root=ROOT).invoke("build-matrix", *words, f"--tag={name}", f"--output=oci-archive:{archive}")
        assert done.returncode == 1, done.stderr
        image = open_image(archive)
        assert image.references == (name,)
        assert podman("image", "inspect", "--format={{.Id}}", name) == image.id.removeprefix("sha256:")
        assert "breaks" in image.files()
    finally:
        podman("rmi", "--force", "--ignore", name)


def test_a_name_is_for_one_cell(crate: Path) -> None:
    words = (f"--crate={crate}", "--bin=works", "--recipe=scratch-*", "--tag=mine")
    done = Project(root=ROOT).invoke("build-matrix", *words, BOOTSTRAP)
    assert (done.returncode, done.stdout) == (2, "")
    assert "--tag and --output are for one cell, and there are " in done.stderr
