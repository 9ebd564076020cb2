"""The set-up script on a real checkout, and the doctor on real Podman and a real registry."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import tomli
from packaging.requirements import Requirement

from bareboat.doctor.check import can_build
from bareboat.doctor.examine import examine
from bareboat.doctor.install_commands import install_with
from bareboat.doctor.registry import ask_registries
from bareboat.doctor.try_runtimes import LABEL, exit_program, try_runtimes
from bareboat.podman_engine.settings import podman_environment, search_path
from bareboat.system.process import Processes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).parents[2]
PINS = (ROOT / "pins.txt").read_text(encoding="utf-8").splitlines()
STUB = """
from invoke import task
@task
def doctor(c, quick=False):
    print(f"examined quick={quick}")
"""
REGISTRY = shutil.which("docker-registry", path=search_path(os.environ))

with_podman = pytest.mark.skipif(shutil.which("podman") is None, reason="no Podman here")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout whose folder has a blank in its name, pinned to one package."""
    folder = tmp_path / "my checkout"
    folder.mkdir()
    shutil.copy(ROOT / "setup.sh", folder)
    (folder / "pins.txt").write_text(next(pin for pin in PINS if pin.startswith("invoke==")) + "\n", encoding="utf-8")
    (folder / "tasks.py").write_text(STUB, encoding="utf-8")
    (folder / "bareboat").mkdir()
    main = folder / "bareboat" / "__main__.py"
    main.write_text('import sys\n\nprint(f"the command: {sys.argv[1:]}")\n', encoding="utf-8")
    return folder


def _set_up(checkout: Path) -> subprocess.CompletedProcess[str]:
    argv = [checkout / "setup.sh"]
    return subprocess.run(argv, cwd="/", check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL)


@pytest.mark.network
def test_setup_makes_the_environment_once_and_repairs_one_that_was_interrupted(checkout: Path) -> None:
    first = _set_up(checkout)
    assert first.returncode == 0, first.stdout + first.stderr
    assert "installing 1 packages" in first.stdout
    assert "examined quick=False" in first.stdout
    made = (checkout / ".venv/bareboat-stamp").stat()
    command = [checkout / ".venv/bin/bareboat", "one word"]
    plain = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    answer = subprocess.run(command, cwd="/", env=plain, check=True, capture_output=True, text=True)
    assert answer.stdout == "the command: ['one word']\n"

    second = _set_up(checkout)
    assert second.returncode == 0, second.stdout + second.stderr
    assert second.stdout.splitlines() == [
        "setup: system packages: nothing is missing",
        "setup: virtual environment: up to date",
        "setup: examining the machine (quick: the registries are left out)",
        "examined quick=True",
        "setup: done. Next: .venv/bin/invoke build-matrix",
    ]
    assert (checkout / ".venv/bareboat-stamp").stat().st_mtime_ns == made.st_mtime_ns

    (checkout / ".venv/bareboat-stamp").unlink()
    (checkout / ".venv/bin/invoke").unlink()
    for package in (checkout / ".venv/lib").glob("python3*/site-packages/pip"):
        shutil.rmtree(package)
    third = _set_up(checkout)
    assert third.returncode == 0, third.stdout + third.stderr
    assert "examined quick=False" in third.stdout


@pytest.mark.network
def test_setup_says_what_failed_and_fails(checkout: Path) -> None:
    (checkout / "pins.txt").write_text("invoke==0.0.0\n", encoding="utf-8")
    done = _set_up(checkout)
    assert done.returncode != 0
    assert "this failed: env PIP_USER=0 .venv/bin/python -m pip install" in done.stdout
    assert "invoke==0.0.0" in done.stdout
    assert not (checkout / ".venv/bareboat-stamp").exists()


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="no shellcheck here")
@pytest.mark.parametrize("script", ["setup.sh", ".ci/run", ".ci/debian-13", ".ci/functions"])
def test_shellcheck_finds_nothing(script: str) -> None:
    done = subprocess.run(
        ["shellcheck", "--external-sources", script], cwd=ROOT, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout


def test_pins_hold_every_dependency_of_the_project() -> None:
    project = tomli.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    pinned = {_canonical(name): version for name, _, version in (pin.partition("==") for pin in PINS)}
    for requirement in map(Requirement, wanted):
        assert pinned[_canonical(requirement.name)] in requirement.specifier, requirement


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_setup_installs_what_the_doctor_advises() -> None:
    tools = ("newuidmap", "slirp4netns", "netavark", "iptables", "nft", "mmdebstrap", "qemu-img", "debugfs", "dpkg-deb")
    script = set(re.findall(r"[a-z0-9.-]+", (ROOT / "setup.sh").read_text(encoding="utf-8")))
    advised = install_with("apt-get", (*tools, "debian keyring")).partition("--no-install-recommends")[2].split()
    assert set(advised) <= script


@with_podman
@pytest.mark.podman
def test_the_doctor_finds_a_machine_on_which_this_suite_runs_fit(tmp_path: Path) -> None:
    processes = Processes()
    environment = podman_environment(tmp_path)
    checks = examine(processes, environment, tmp_path, quick=True)
    assert can_build(checks), checks
    found = {check.name: check for check in checks}
    assert "starts containers" in found["runtime"].finding
    assert not [name for name in found if name.startswith("registry")]
    argv = ("podman", "images", "--quiet", "--filter", f"label={LABEL}={os.getpid()}")
    assert processes.run(argv, env=environment) == ""
    assert processes.run(("podman", "ps", "--all", "--quiet", "--filter", f"label={LABEL}"), env=environment) == ""
    known = (tmp_path / "runtimes.json").stat().st_mtime_ns
    assert examine(processes, podman_environment(tmp_path), tmp_path, quick=True) == checks
    assert (tmp_path / "runtimes.json").stat().st_mtime_ns == known


@with_podman
@pytest.mark.podman
def test_a_runtime_that_cannot_start_a_container_is_named_and_not_chosen(tmp_path: Path, monkeypatch) -> None:
    broken = tmp_path / "bin/youki"
    broken.parent.mkdir()
    broken.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", f"{broken.parent}:{os.environ['PATH']}")
    tried = try_runtimes(Processes(), podman_environment(tmp_path), tmp_path, remembered=False)
    assert tried.refused["youki"]
    assert tried.starting
    assert "youki" not in tried.starting


@with_podman
@pytest.mark.podman
@pytest.mark.skipif(REGISTRY is None, reason="no docker-registry here")
def test_a_registry_is_asked_the_way_registries_conf_says(tmp_path: Path) -> None:
    processes = Processes()
    environment = podman_environment(tmp_path)
    with _registry(tmp_path) as port:
        name, local = f"localhost:{port}/library/tiny:1", f"gcr.io/library/tiny:{port}"
        _push(processes, environment, tmp_path, name)
        settings = tmp_path / "registries.conf"
        settings.write_text(
            f'[[registry]]\nprefix = "docker.io"\nlocation = "localhost:{port}"\ninsecure = true\n'
            '[[registry]]\nprefix = "gcr.io"\nlocation = "localhost:1"\ninsecure = true\n',
            encoding="utf-8",
        )
        asking = {**environment, "CONTAINERS_REGISTRIES_CONF": str(settings)}
        # What is in the store already must not pass for the registry's answer.
        processes.run(("podman", "tag", name, local), env=environment)
        try:
            tiny, absent = "docker.io/library/tiny:1", "docker.io/library/absent:1"
            reasons = ask_registries(processes, asking, [tiny, absent, local])
            assert reasons == {tiny: "", absent: reasons[absent], local: "connection refused"}
            assert reasons[absent]
        finally:
            processes.run(("podman", "rmi", "--force", name, local), env=environment)


def _push(processes: Processes, environment: Mapping[str, str], folder: Path, name: str) -> None:
    (folder / "exit").write_bytes(exit_program("x86_64"))
    subprocess.run(["tar", "-C", folder, "-cf", folder / "layer.tar", "exit"], check=True)
    processes.run(("podman", "import", "--quiet", str(folder / "layer.tar"), name), env=environment)
    processes.run(("podman", "push", "--quiet", "--tls-verify=false", name), env=environment)


@contextlib.contextmanager
def _registry(folder: Path) -> Iterator[int]:
    """A registry on a free port of this machine, gone with the block."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = folder / "registry.yml"
    settings.write_text(
        f"version: 0.1\nstorage: {{filesystem: {{rootdirectory: {folder}/blobs}}}}\n"
        f"http: {{addr: 'localhost:{port}'}}\n",
        encoding="utf-8",
    )
    with subprocess.Popen(
        [REGISTRY, "serve", settings], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as server:
        try:
            _wait_for(port)
            yield port
        finally:
            server.terminate()


def _wait_for(port: int) -> None:
    for _ in range(200):
        with contextlib.suppress(OSError), socket.create_connection(("localhost", port), timeout=1):
            return
        time.sleep(0.05)
    pytest.fail("the registry did not start")
