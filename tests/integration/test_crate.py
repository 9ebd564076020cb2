"""A crate of the user's own, with a dependency: fetched with the host's configuration, compiled without network."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from bareboat.system.folders import find_folders
from tests.integration.harbour import ROOT, Project, podman, root_filesystem, rows

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.podman, pytest.mark.network]

CARGO_TOML = """
[package]
name = "greeter"
version = "0.1.0"
edition = "2021"

[dependencies]
itoa = "1"

[profile.release]
strip = true

[package.metadata.bareboat.expect]
stdout = "42 offline\\n"
"""
CARGO_LOCK = """
version = 4

[[package]]
name = "greeter"
version = "0.1.0"
dependencies = ["itoa"]

[[package]]
name = "itoa"
version = "1.0.19"
source = "registry+https://github.com/rust-lang/crates.io-index"
checksum = "3bd1574e617a9a6c1f8f8181bd7e841e1f20e4277607ef28945765188d6284d4"
"""
# The build script looks for a network other than loopback, and tells the program what it found.
BUILD_RS = """
fn main() {
    let devices = std::fs::read_to_string("/proc/net/dev").unwrap();
    let others = devices.lines().skip(2).filter(|line| !line.trim_start().starts_with("lo:")).count();
    println!("cargo::rustc-env=NETWORK={}", if others == 0 { "offline" } else { "online" });
}
"""
MAIN_RS = 'mod target; fn main() { println!("{} {}", itoa::Buffer::new().format(target::N), env!("NETWORK")); }\n'

# What a program can find out of its own confinement.
CONFINED_RS = r"""
fn main() {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    for name in ["Uid", "Gid", "CapEff", "CapBnd", "NoNewPrivs"] {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        println!("{}", line.split_whitespace().collect::<Vec<_>>().join(" "));
    }
    let devices = std::fs::read_to_string("/proc/net/dev").unwrap();
    println!("devices {}", devices.lines().skip(2).count());
    println!("writes {}", ["/x", "/dev/x", "/proc/x"].iter().any(|path| std::fs::write(path, "x").is_ok()));
}
"""
CONFINED = """Uid: 65532 65532 65532 65532
Gid: 65532 65532 65532 65532
CapEff: 0000000000000000
CapBnd: 0000000000000000
NoNewPrivs: 1
devices 1
writes false
"""


@pytest.fixture
def crate(tmp_path: Path) -> Path:
    folder = tmp_path / "greeter"
    (folder / "src").mkdir(parents=True)
    # A module may be called target; cargo's own folder of that name is no source.
    (folder / "src" / "target").mkdir()
    (folder / "src" / "target" / "mod.rs").write_text("pub const N: u8 = 42;\n", encoding="utf-8")
    contents = {"Cargo.toml": CARGO_TOML, "Cargo.lock": CARGO_LOCK, "build.rs": BUILD_RS, "src/main.rs": MAIN_RS}
    for name, content in contents.items():
        (folder / name).write_text(content, encoding="utf-8")
    return folder


def test_crates_come_by_network_and_build_scripts_run_without_it(crate: Path, tmp_path: Path) -> None:
    recipes = ("--recipe=scratch-musl", "--recipe=scratch-glibc")
    words = ("build-matrix", f"--crate={crate}", *recipes, "--bases=bootstrap", "--format=json")
    answer = Project(root=ROOT).invoke(*words, f"--results={tmp_path / 'results'}")
    images = ("localhost/bareboat/greeter:scratch-musl", "localhost/bareboat/greeter:scratch-glibc")
    try:
        assert answer.returncode == 0, answer.stderr + answer.stdout
        assert {row["outcome"] for row in rows(answer, "greeter").values()} == {"passed"}
        for image in images:
            assert list(root_filesystem(image, tmp_path)) == ["greeter"], "nothing of the host's came aboard"
    finally:
        podman("rmi", "--force", *images)


def test_a_program_runs_confined(crate: Path, tmp_path: Path) -> None:
    for name in ("build.rs", "Cargo.lock", "Cargo.toml"):
        (crate / name).unlink()
    expected = CONFINED.replace("\n", "\\n")
    manifest = CARGO_TOML.replace('itoa = "1"', "").replace("42 offline\\n", expected)
    lock = 'version = 4\n[[package]]\nname = "greeter"\nversion = "0.1.0"\n'
    for name, content in {"Cargo.toml": manifest, "Cargo.lock": lock, "src/main.rs": CONFINED_RS}.items():
        (crate / name).write_text(content, encoding="utf-8")
    words = ("build-matrix", f"--crate={crate}", "--recipe=scratch-musl", "--recipe=debian-slim", "--bases=bootstrap")
    answer = Project(root=ROOT).invoke(*words, f"--results={tmp_path / 'results'}")
    podman("rmi", "--force", "localhost/bareboat/greeter:scratch-musl", "localhost/bareboat/greeter:debian-slim")
    assert answer.returncode == 0, answer.stdout


def test_a_change_of_one_line_compiles_one_crate(crate: Path, tmp_path: Path) -> None:
    words = ("build-matrix", f"--crate={crate}", "--recipe=scratch-musl", "--bases=bootstrap", "--format=json")
    # A crate that was never seen: of one that was, the program is there already, and nothing is compiled beside it.
    (crate / "token").write_text(secrets.token_hex(), encoding="utf-8")
    try:
        first = Project(root=ROOT).invoke(*words, f"--results={tmp_path / 'results'}")
        assert first.returncode == 0, first.stderr
        main = crate / "src" / "main.rs"
        main.write_text(MAIN_RS.replace("{} {}", "{}  {}"), encoding="utf-8")
        second = Project(root=ROOT).invoke(*words, f"--results={tmp_path / 'results'}")
        assert "its output differs" in second.stdout, "the change is in the program"
        # Its name ends with digits of the crate's folder.
        logs = find_folders().logs.glob("program-greeter-musl-static-in-gnu-*.log")
        log = max(logs, key=lambda path: path.stat().st_mtime).read_text(encoding="utf-8")
        compiled = [line.split()[1] for line in log.splitlines() if line.strip().startswith("Compiling ")]
        assert compiled == ["greeter"]
    finally:
        podman("rmi", "--force", "localhost/bareboat/greeter:scratch-musl")


def test_in_a_crates_folder_the_command_means_that_crate_and_leaves_the_folder_as_it_is(crate: Path) -> None:
    mine = crate.rename(crate.with_name("folder of mine"))
    before = {path: path.stat().st_mtime_ns for path in mine.rglob("*")}

    def command(*words: str) -> str:
        argv = [sys.executable, "-P", "-m", "bareboat", *words, "--bases=bootstrap"]
        done = subprocess.run(
            argv, cwd=mine, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    try:
        built = json.loads(command("build-matrix", "--recipe=alpine", "--format=json"))
        assert [(row["sample"], row["base"], row["outcome"]) for row in built] == [("greeter", "alpine", "passed")]
        tree = command("closure", "scratch-glibc-dynamic")
        assert "libc.so.6" in tree
        assert "greeter" in tree
        assert {path: path.stat().st_mtime_ns for path in mine.rglob("*")} == before
    finally:
        podman(
            "rmi", "--force", *(f"localhost/bareboat/greeter:{name}" for name in ("alpine", "scratch-glibc-dynamic"))
        )
