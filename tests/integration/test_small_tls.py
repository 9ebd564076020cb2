"""The small client and server: a program asks itself, and one container of its image asks another."""

from __future__ import annotations

import os
import secrets
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest

from bareboat.podman_engine.settings import podman_environment
from bareboat.system.folders import find_folders
from tests.integration.harbour import ONCE, ROOT, Project, podman, rows

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.podman, pytest.mark.network, ONCE]

IMAGE = "localhost/bareboat/small-tls_ring:scratch-musl"
MOST_BYTES = 1_200_000
CERTIFICATES = ROOT / "rust-samples" / "small-tls" / "certificates"
CONFINED = (
    "--read-only",
    "--cap-drop=all",
    f"--mount=type=bind,source={CERTIFICATES},target=/certificates,ro",
)
SERVER = ("serve", "127.0.0.1:8443", "/certificates/server.pem", "/certificates/test-only-key.pem")
RIGHT, SECONDS = "https://localhost:8443/", 10.0


@pytest.fixture(scope="module", autouse=True)
def row(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The cell's row, of a program that has asked itself as it is expected to."""
    words = ("--sample=small-tls+ring", "--bases=bootstrap", "--format=json")
    done = Project(root=ROOT).invoke("build-matrix", *words, f"--results={tmp_path_factory.mktemp('results')}")
    assert done.returncode == 0, done.stderr + done.stdout
    (found,) = rows(done, "small-tls+ring").values()
    return found


def test_a_program_that_passed_is_small(row: dict[str, Any]) -> None:
    assert row["outcome"] == "passed"
    assert 500_000 < row["program_size_bytes"] <= MOST_BYTES


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """A container without a network in which the image serves."""
    name = f"bareboat-small-tls-{secrets.token_hex(4)}"
    podman("run", "--detach", "--network=none", f"--name={name}", *CONFINED, IMAGE, *SERVER)
    try:
        deadline = time.monotonic() + SECONDS
        while "refused" in ask(name, RIGHT, "authority").stderr and time.monotonic() < deadline:
            time.sleep(0.1)
        yield name
    finally:
        podman("rm", "--force", "--time=0", name)


def ask(server: str, url: str, authority: str) -> subprocess.CompletedProcess[str]:
    """What another container of the image says of the page, beside the server."""
    words = ["podman", "run", "--rm", f"--network=container:{server}", *CONFINED, IMAGE]
    return subprocess.run(
        [*words, "get", url, f"/certificates/{authority}.pem"],
        env={**os.environ, **podman_environment(find_folders().engine)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_two_containers_speak_with_each_other(server: str) -> None:
    answered = ask(server, RIGHT, "authority")
    assert (answered.returncode, answered.stdout) == (0, "Hello, world!\n"), answered.stderr


@pytest.mark.parametrize(
    ("url", "authority", "says"),
    [
        (RIGHT, "other-authority", "the certificate is refused: it is of another authority"),
        ("https://127.0.0.1:8443/", "authority", "the certificate is refused: it is for another name"),
        (f"{RIGHT}nothing", "authority", "answered with status 404"),
    ],
)
def test_what_is_not_right_is_refused_and_said(server: str, url: str, authority: str, says: str) -> None:
    asked = ask(server, url, authority)
    assert (asked.returncode, asked.stdout, asked.stderr.strip()) == (1, "", says)
