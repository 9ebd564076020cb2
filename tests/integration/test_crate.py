"""A crate of the user's own, with a dependency: fetched with the host's configuration, compiled without network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

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
MAIN_RS = 'fn main() { println!("{} {}", itoa::Buffer::new().format(42), env!("NETWORK")); }\n'


@pytest.fixture
def crate(tmp_path: Path) -> Path:
    folder = tmp_path / "greeter"
    (folder / "src").mkdir(parents=True)
    contents = {"Cargo.toml": CARGO_TOML, "Cargo.lock": CARGO_LOCK, "build.rs": BUILD_RS, "src/main.rs": MAIN_RS}
    for name, content in contents.items():
        (folder / name).write_text(content, encoding="utf-8")
    return folder


def test_crates_come_by_network_and_build_scripts_run_without_it(crate: Path, tmp_path: Path) -> None:
    words = ("build-matrix", f"--crate={crate}", "--recipe=scratch-*", "--bases=bootstrap", "--format=json")
    answer = Project(root=ROOT).invoke(*words, f"--results={tmp_path / 'results'}")
    images = ("localhost/bareboat/greeter:scratch-musl", "localhost/bareboat/greeter:scratch-glibc")
    try:
        assert answer.returncode == 0, answer.stderr + answer.stdout
        assert {row["outcome"] for row in rows(answer).values()} == {"passed"}
        for image in images:
            assert list(root_filesystem(image, tmp_path)) == ["greeter"], "nothing of the host's came aboard"
    finally:
        podman("rmi", "--force", *images)
