"""docs/ship-a-service.md, from its first line to its last, in an empty folder."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import subprocess
import sys
import time
import urllib.request
from typing import TYPE_CHECKING

import pytest

from tests.integration.harbour import ROOT, podman

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.podman, pytest.mark.network]

PATIENCE_SECONDS = 60
GUIDE = (ROOT / "docs" / "ship-a-service.md").read_text(encoding="utf-8")


def block(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```$", GUIDE, re.DOTALL | re.MULTILINE)


def test_the_guide_is_followed_from_an_empty_folder(tmp_path: Path) -> None:
    (manifest,), (source,) = block("toml"), block("rust")
    (tmp_path / "src").mkdir()
    (tmp_path / "Cargo.toml").write_text(manifest, encoding="utf-8")
    (tmp_path / "src" / "main.rs").write_text(source, encoding="utf-8")
    commands = [line for lines in block("sh") for line in lines.splitlines()]
    assert len(commands) < 10
    said = {}
    try:
        for command in commands:
            if command == "bareboat run":
                visit(command, tmp_path)
                continue
            done = run(command, tmp_path)
            assert done.returncode == 0, f"{command}\n{done.stderr}\n{done.stdout}"
            said[command.removeprefix("bareboat ")] = done.stdout
        matrix = next(answer for command, answer in said.items() if command.startswith("build-matrix"))
        assert [line.split()[:3] for line in matrix.splitlines() if "serves 8080: HTTP 200" in line]
        assert re.search(r"^Take scratch-musl \([\d.]+ [kM]B\), the smallest of the \d+ bases", matrix, re.MULTILINE)
        assert re.search(r"^It listens on 8080 \(HTTP 200\) .* after SIGTERM with exit code 0\.$", matrix, re.MULTILINE)
        assert "it starts" in said["closure scratch-musl"]
        assert "--publish=8080:8080 localhost/bareboat/hello-service:scratch-musl" in said["eject scratch-musl --run"]
        containerfile = said["eject scratch-musl --containerfile"]
        assert "COPY --from=compile /out/hello-service /hello-service" in containerfile
        assert "EXPOSE 8080" in containerfile
        image = "--image ghcr.io/me/hello-service:1"
        assert "PublishPort=8080:8080" in said[f"eject scratch-musl --quadlet {image}"]
        assert 'ports: ["8080:8080"]' in said[f"eject scratch-musl --compose {image}"]
        assert "containerPort: 8080" in said[f"eject scratch-musl --kube {image}"]
        assert sorted(path.name for path in tmp_path.iterdir()) == ["Cargo.toml", "src"], "nothing is written there"
    finally:
        images = podman("images", "--format={{.Repository}}:{{.Tag}}").split()
        made = [image for image in images if image.startswith("localhost/bareboat/hello-service:")]
        podman("rmi", "--force", "--ignore", *made)


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """A command of the guide, with `bareboat` as an installed one is."""
    child = start(command, folder)
    out, err = child.communicate()
    return subprocess.CompletedProcess(command, child.returncode, out, err)


def start(command: str, folder: Path) -> subprocess.Popen[str]:
    own, *words = shlex.split(command)
    assert own == "bareboat"
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "bareboat", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def visit(command: str, folder: Path) -> None:
    """Start a service as the guide does, ask it where the guide says that it is, and end it by SIGTERM."""
    child = start(command, folder)
    try:
        assert child.stderr
        said = ""
        while (line := child.stderr.readline()) and "Ctrl-C stops it" not in line:
            said += line
        (url,) = re.findall(r"its port 8080 is (http://127\.0\.0\.1:8080/)$", said, re.MULTILINE)
        assert answer(url) == b"Hello, world!\n"
        child.terminate()
        child.communicate(timeout=PATIENCE_SECONDS)
        assert child.returncode == 0
    finally:
        child.kill()
        child.communicate()


def answer(url: str) -> bytes:
    """What is served there, once it is."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5) as got:
            return bytes(got.read())
        time.sleep(0.05)
    raise AssertionError(f"nothing answers at {url}")
