"""What is taken only when asked for: the smallest memory limit that a program survives, and the processor it needs."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from bareboat.check.cpu_level import find_qemu
from bareboat.podman_engine.settings import cgroups
from tests.integration.test_own_programs import HEEDS_RS, SERVE_RS, build, remove, write_crate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# No crate is fetched, but where no test has run before, the toolchain is made from packages.
pytestmark = [pytest.mark.podman, pytest.mark.network]

MB = 10**6
TOUCHES_RS = """
fn main() {
    let mut taken = vec![0_u8; 100_000_000];
    for place in (0..taken.len()).step_by(4096) {
        taken[place] = std::hint::black_box(1);
    }
    println!("{}", std::hint::black_box(&taken).len());
}
"""
# Executed whatever the processor is; nothing else of it needs more than the target has.
AVX2_RS = """
use std::arch::x86_64::{_mm256_add_epi32, _mm256_loadu_si256, _mm256_storeu_si256};

#[target_feature(enable = "avx2")]
fn double(numbers: &mut [i32; 8]) {
    unsafe {
        let loaded = _mm256_loadu_si256(numbers.as_ptr().cast());
        _mm256_storeu_si256(numbers.as_mut_ptr().cast(), _mm256_add_epi32(loaded, loaded));
    }
}

fn main() {
    let mut numbers = std::hint::black_box([1, 2, 3, 4, 5, 6, 7, 8]);
    unsafe { double(&mut numbers) };
    println!("{}", numbers.iter().sum::<i32>());
}
"""
LITTLE_RS = 'fn main() { println!("little") }\n'
QEMU = find_qemu()
LIMITED = os.geteuid() == 0 or cgroups() == "v2"


class Thorough:
    """Each crate's figures, taken once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.taken: dict[str, dict[str, Any]] = {}

    def figures(self, name: str, source: str, manifest: str = "") -> dict[str, Any]:
        """The measurements by their column's name."""
        if name not in self.taken:
            crate = write_crate(self.folder / name, {"src/main.rs": source}, manifest)
            results = self.folder / "results" / name
            answer = build(f"--crate={crate}", "--recipe=scratch-musl", f"--results={results}", "--thorough")
            assert answer.returncode == 0, answer.stdout + answer.stderr
            (file,) = results.rglob("*@scratch-musl.json")
            measurements = json.loads(file.read_text(encoding="utf-8"))["measurements"]
            self.taken[name] = {taken["column"]["name"]: taken for taken in measurements}
        return self.taken[name]


@pytest.fixture(scope="module")
def thorough(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Thorough]:
    crates = Thorough(tmp_path_factory.mktemp("thorough"))
    try:
        yield crates
    finally:
        remove(*((name, "scratch-musl") for name in crates.taken))


def stdout(text: str) -> str:
    return f'[package.metadata.bareboat.expect]\nstdout = "{text}\\n"\n'


@pytest.mark.skipif(not LIMITED, reason="this machine holds an ordinary user's containers to no memory limits")
def test_the_floor_of_a_program_is_above_what_it_touches(thorough: Thorough) -> None:
    touches = thorough.figures("touches", TOUCHES_RS, stdout("100000000"))["memory_floor"]["value"]
    little = thorough.figures("little", LITTLE_RS, stdout("little"))["memory_floor"]["value"]
    assert 100 * MB <= touches <= 130 * MB
    assert MB < little <= 30 * MB


@pytest.mark.skipif(LIMITED, reason="this machine holds containers to memory limits")
def test_where_no_limit_holds_there_is_a_reason_and_no_figure(thorough: Thorough) -> None:
    taken = thorough.figures("little", LITTLE_RS, stdout("little"))["memory_floor"]
    assert taken["value"] is None
    assert "memory limits" in taken["why"]


@pytest.mark.skipif(QEMU is None, reason="qemu-x86_64-static is not installed")
def test_a_program_that_executes_avx2_needs_the_third_level_and_a_plain_one_the_first(thorough: Thorough) -> None:
    needs = thorough.figures("avx2", AVX2_RS, stdout("72"))["cpu_level"]["value"]
    plain = thorough.figures("little", LITTLE_RS, stdout("little"))["cpu_level"]["value"]
    assert (needs.split()[0], plain.split()[0]) == ("x86-64-v3", "x86-64-v1")
    assert "qemu-user" in plain


def test_a_service_of_which_nothing_is_said_answers_under_the_floor_and_on_the_lesser_processor(
    thorough: Thorough,
) -> None:
    taken = thorough.figures("answers", SERVE_RS + HEEDS_RS)
    level, floor = taken["cpu_level"], taken["memory_floor"]
    assert level["value"].startswith("x86-64-v1 ") if QEMU else "not installed" in level["why"]
    assert MB < floor["value"] <= 30 * MB if LIMITED else "memory limits" in floor["why"]
