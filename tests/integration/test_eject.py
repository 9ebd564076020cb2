"""What is taken home of a cell, by those that it is for: Podman builds it, plays it, and makes a unit of it."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.harbour import ROOT, Project, podman, root_filesystem

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.podman, pytest.mark.network]

HERE = Project(root=ROOT)
RECIPES = ("scratch-musl", "scratch-glibc-dynamic-net", "debian-slim", "distroless-static")
# No registry is asked: what we make in the place of public images stands in for them, whatever has their names here.
STANDING_IN = {
    "docker.io/library/rust:1-slim": "toolchain/gnu",
    "docker.io/library/rust:1-alpine": "toolchain/gnu",
    "docker.io/library/debian:trixie-slim": "base/debian-slim",
    "gcr.io/distroless/static-debian13:nonroot": "base/distroless-static",
}
CONTEXTS = [
    f"--build-context={public}=container-image://localhost/bareboat/{ours}:bootstrap"
    for public, ours in STANDING_IN.items()
]
QUADLETS = [Path(folder) / "quadlet" for folder in ("/usr/libexec/podman", "/usr/lib/podman")]


@pytest.fixture(scope="module", autouse=True)
def _built(tmp_path_factory: pytest.TempPathFactory) -> None:
    words = [f"--recipe={recipe}" for recipe in RECIPES]
    results = tmp_path_factory.mktemp("results")
    answer = HERE.invoke("build-matrix", "--bases=bootstrap", "--sample=hello-world", *words, f"--results={results}")
    assert answer.returncode == 0, answer.stderr


def eject(recipe: str, form: str, *words: str) -> str:
    answer = HERE.invoke("eject", f"hello-world@{recipe}", f"--{form}", *words)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


@pytest.mark.parametrize("recipe", RECIPES)
def test_the_containerfile_of_public_images_gives_the_same_root_filesystem(recipe: str, tmp_path: Path) -> None:
    text = eject(recipe, "containerfile")
    named = set(re.findall(r"(?:^FROM |--from=)(\S+[/]\S+)", text, flags=re.MULTILINE))
    assert named <= set(STANDING_IN)
    tag = f"localhost/ejected:{os.getpid()}"
    # Cache mounts of old Buildah lie in a folder that all users share; a private one keeps the tests' users apart.
    run_root = podman("info", "--format={{.Store.RunRoot}}")
    sample = str(ROOT / "rust-samples" / "hello-world")
    words = ("build", *CONTEXTS, "--file=-", f"--tag={tag}", sample)
    try:
        podman("--runroot", run_root, *words, stdin=text, env={"TMPDIR": str(tmp_path)})
        shipped = f"localhost/bareboat/hello-world:{recipe}"
        assert root_filesystem(tag, tmp_path) == root_filesystem(shipped, tmp_path)
    finally:
        podman("rmi", "--force", "--ignore", tag)
        caches = [str(folder) for folder in tmp_path.glob("buildah-cache*")]
        podman("unshare", "rm", "-rf", *caches) if os.geteuid() else None


PAUSES = [Path(folder, "catatonit") for folder in ("/usr/libexec/podman", "/usr/lib/podman", "/usr/bin")]


@pytest.fixture
def played(tmp_path: Path) -> Iterator[dict[str, Any]]:
    """What Podman makes of the pod, which it does not start."""
    if not any(path.exists() for path in PAUSES):
        pytest.skip("this Podman has no catatonit, by which a pod is held: Debian only recommends it")
    pod = tmp_path / "pod.yaml"
    pod.write_text(eject("scratch-musl", "kube"), encoding="utf-8")
    try:
        podman("kube", "play", "--start=false", "--network=none", str(pod))
        names = podman("ps", "--all", "--filter=pod=hello-world", "--format={{.Names}}").split()
        (name,) = [name for name in names if name.endswith("-hello-world")]
        (container,) = json.loads(podman("container", "inspect", name))
        yield container
    finally:
        podman("pod", "rm", "--force", "--ignore", "hello-world")


def test_podman_plays_the_pod_confined_as_it_was_run(played: dict[str, Any]) -> None:
    assert played["Config"]["User"] == "65532:65532"
    assert played["HostConfig"]["ReadonlyRootfs"] is True
    assert not played["EffectiveCaps"]
    assert "no-new-privileges" in played["HostConfig"]["SecurityOpt"]
    assert played["HostConfig"]["Memory"] >= 512 * 10**6
    assert [mount["Destination"] for mount in played["Mounts"]] == ["/tmp"]


def test_podman_makes_a_unit_of_the_quadlet(tmp_path: Path) -> None:
    quadlet = next((path for path in QUADLETS if path.exists()), None)
    if quadlet is None:
        pytest.skip("this Podman has no quadlets: they came with 4.4")
    (tmp_path / "hello-world.container").write_text(eject("scratch-musl", "quadlet"), encoding="utf-8")
    done = subprocess.run(
        [quadlet, "-dryrun", "-user"],
        env={**os.environ, "QUADLET_UNIT_DIRS": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "unsupported key" not in done.stderr
    (start,) = [line for line in done.stdout.splitlines() if line.startswith("ExecStart=")]
    for word in ("--read-only", "--cap-drop", "--security-opt", "--pids-limit", "hello-world:scratch-musl"):
        assert word in start
