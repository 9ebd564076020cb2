"""Bases really made of packages: what is in them, how large they are, and that they come out the same each time."""

from __future__ import annotations

import hashlib
import os
import secrets
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bareboat.bootstrap import make_root_filesystem
from bareboat.bootstrap.host import unshare_prefix
from bareboat.inputs.base import Debian
from bareboat.inputs.load_recipes import load_recipes
from bareboat.make.root import PATH
from bareboat.system.process import Processes
from tests.integration.harbour import ROOT, passable_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.network

PATIENCE_SECONDS = 60
KILLED = """
import sys
from pathlib import Path
from bareboat.bootstrap import make_root_filesystem
from bareboat.system.process import Processes
from bareboat.inputs.base import Debian
folder = Path(sys.argv[1])
make_root_filesystem(
    Debian(kind="debian", suite="trixie"), folder=folder, recipes=folder, processes=Processes(), log=folder / "log"
)
"""
BOOTSTRAPS = {recipe.name: recipe.base.bootstrap for recipe in load_recipes(ROOT / "recipes").recipes}


@pytest.fixture
def place() -> Iterator[Path]:
    with passable_folder() as folder:
        yield folder


def make(what: str | Debian, place: Path, tmp_path: Path) -> tuple[Path, dict[str, str]]:
    folder = place / secrets.token_hex(4)
    folder.mkdir(mode=0o711)
    folder.chmod(0o711)
    made = make_root_filesystem(
        BOOTSTRAPS[what] if isinstance(what, str) else what,
        folder=folder,
        recipes=ROOT / "recipes",
        processes=Processes(),
        log=tmp_path / "log",
    )
    return made.tar, {package.name: package.sha256 for package in made.packages}


def run_in(tar: Path, *command: str) -> str:
    """What a command of the root filesystem says, run in it."""
    root = tar.with_name("unpacked")
    root.mkdir()
    script = 'tar -C "$1" -xf "$2" && root=$1 && shift 2 && exec /usr/sbin/chroot "$root" "$@"'
    # The PATH of the system inside, not of whoever runs the tests: an ordinary user's may lack /sbin, where apk is.
    inside = {"PATH": PATH.removeprefix("PATH=")}
    return Processes().run([*unshare_prefix(), "sh", "-c", script, "sh", str(root), str(tar), *command], env=inside)


def running(mark: str) -> list[str]:
    """The command lines of this machine that name `mark`."""
    found = []
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(process.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue
    return [line for line in found if mark in line]


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@pytest.mark.parametrize(
    ("name", "least", "most"), [("distroless-static", 1_800_000, 2_800_000), ("alpine", 8_000_000, 9_000_000)]
)
def test_a_base_is_small_and_the_same_each_time(name: str, least: int, most: int, place: Path, tmp_path: Path) -> None:
    first, packages = make(name, place, tmp_path)
    second, again = make(name, place, tmp_path)
    assert sha256(first) == sha256(second)
    assert packages == again
    assert all(len(digest) == 64 for digest in packages.values())
    assert least <= first.stat().st_size <= most


def test_distroless_static_holds_what_its_name_promises(place: Path, tmp_path: Path) -> None:
    tar, packages = make("distroless-static", place, tmp_path)
    with tarfile.open(tar) as archive:
        members = {member.name.removeprefix("./"): member for member in archive}

        def text(path: str) -> str:
            file = archive.extractfile(members[path])
            assert file is not None
            return file.read().decode()

        assert text("etc/ssl/certs/ca-certificates.crt").count("BEGIN CERTIFICATE") > 100
        assert "nonroot:x:65532:65532" in text("etc/passwd")
        assert "hosts:" in text("etc/nsswitch.conf")
        for package in packages:
            assert f"Package: {package}\n" in text(f"var/lib/dpkg/status.d/{package}")
            assert f"usr/share/doc/{package}/copyright" in members
    assert "usr/share/zoneinfo/Europe/Paris" in members
    assert not [name for name in members if name.endswith(("/sh", "/bash", "/dpkg")) and "bin/" in name]


def test_alpine_is_whole(place: Path, tmp_path: Path) -> None:
    tar, packages = make("alpine", place, tmp_path)
    bootstrap = BOOTSTRAPS["alpine"]
    assert set(packages) == {*bootstrap.packages, bootstrap.project}
    assert set(packages.values()) == {bootstrap.sha256}
    with tarfile.open(tar) as archive:
        members = {member.name.removeprefix("./"): member for member in archive}
        database = archive.extractfile(members["lib/apk/db/installed"])
        assert database is not None
        installed = {line[2:] for line in database.read().decode().splitlines() if line.startswith("P:")}
    assert installed == set(bootstrap.packages)
    assert members["bin/sh"].linkname == "/bin/busybox"
    # The links are made by a trigger and in no database: without them the system has hardly a command.
    assert len([name for name, member in members.items() if member.linkname == "/bin/busybox"]) > 250
    assert {"etc/shadow", "bin/busybox", "sbin/apk", "lib/ld-musl-x86_64.so.1"} <= set(members)


@pytest.mark.parametrize(
    ("suite", "kind", "official"),
    [("trixie", "slim", 81_000_000), ("bookworm", "slim", 78_000_000), ("bookworm", "full", 121_000_000)],
)
def test_debian_is_as_large_as_the_official_one(
    suite: str, kind: str, official: int, place: Path, tmp_path: Path
) -> None:
    slim = kind == "slim"
    tar, packages = make(Debian(kind="debian", suite=suite, slim=slim), place, tmp_path)
    assert tar.stat().st_size == pytest.approx(official, rel=0.05)
    assert {"apt", "bash", "libc6"} <= set(packages)
    with tarfile.open(tar) as archive:
        # dpkg leaves out the pages, and keeps links to them.
        files = {member.name.removeprefix("./") for member in archive if member.isreg()}
    assert "usr/share/doc/bash/copyright" in files
    assert slim != bool([name for name in files if name.startswith("usr/share/man/")])


def test_apk_finds_its_own_system_whole(place: Path, tmp_path: Path) -> None:
    tar, _ = make("alpine", place, tmp_path)
    # `apk audit` says a line for each file that differs from the database.
    said = run_in(tar, "/bin/sh", "-c", "apk info | sort && apk audit --system")
    assert said.split() == sorted(BOOTSTRAPS["alpine"].packages)


def test_the_loader_of_distroless_finds_libc(place: Path, tmp_path: Path) -> None:
    tar, _ = make("distroless-cc", place, tmp_path)
    loader = f"/lib64/ld-linux-{os.uname().machine.replace('_', '-')}.so.2"
    library = f"/usr/lib/{os.uname().machine}-linux-gnu/libgcc_s.so.1"
    assert f"libc.so.6 => /lib/{os.uname().machine}-linux-gnu/libc.so.6" in run_in(tar, loader, "--list", library)


def test_a_bootstrap_dies_with_bareboat_and_all_it_left_can_be_removed(place: Path) -> None:
    run = subprocess.Popen([sys.executable, "-c", KILLED, str(place)], cwd=ROOT)
    # Installing has begun: the system has files of many owners, and processes are at work in it.
    wait_until(lambda: bool(list(place.glob("mmdebstrap.*/var/lib/dpkg/info/*.list"))))
    run.send_signal(signal.SIGKILL)
    run.wait()
    wait_until(lambda: not running(str(place)))
    assert list(place.glob("mmdebstrap.*"))
