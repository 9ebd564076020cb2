"""The ladder on real Podman: what each step saves, what breaks a program, and what is pasted gives the same program."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.harbour import ONCE, ROOT, Project, podman

if TYPE_CHECKING:
    from pathlib import Path

# Where no test has run before, the bases are made from packages.
pytestmark = [pytest.mark.podman, pytest.mark.network, ONCE]

MANIFEST = """
[package]
name = "{name}"
version = "0.1.0"
edition = "2021"

[package.metadata.bareboat.expect]
"""
# Each has its main file and what is expected of it.
CRATES = {
    "catches": (
        'fn main() { println!("{}", std::panic::catch_unwind(|| panic!()).is_err()); }\n',
        'stdout = "true\\n"\n',
    ),
    "logs": (
        (
            'fn main() {\n    std::panic::set_hook(Box::new(|why| {\n        eprintln!("lost: {why}");\n'
            '        std::process::exit(3)\n    }));\n    panic!("no more beans");\n}\n'
        ),
        'exit_code = 3\nstderr_has = "no more beans"\n',
    ),
    "greets": ('fn main() { println!("hello"); }\n', 'stdout = "hello\\n"\n'),
}
TOOLCHAIN = "localhost/bareboat/toolchain/gnu:bootstrap"
TARGET = "x86_64-unknown-linux-musl"


def crate(folder: Path, name: str) -> Path:
    main, expected = CRATES[name]
    here = folder / name
    contents = {
        "Cargo.toml": MANIFEST.format(name=name) + expected,
        "Cargo.lock": f'version = 4\n[[package]]\nname = "{name}"\nversion = "0.1.0"\n',
        "src/main.rs": main,
    }
    for place, content in contents.items():
        (here / place).parent.mkdir(parents=True, exist_ok=True)
        (here / place).write_text(content, encoding="utf-8")
    return here


def climb(*words: str) -> dict[str, Any]:
    """What the ladder comes to on scratch-musl: the rows by step, and the rest."""
    done = Project(root=ROOT).invoke(
        "ladder", *words, "--recipe=scratch-musl", "--bases=bootstrap", "--format=json", "--quiet"
    )
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return {**told, "steps": {row["step"]: row for row in told["steps"]}}


def test_each_step_of_the_sample_saves_what_it_says(tmp_path: Path) -> None:
    told = climb("--step=strip", "--step=no-headers", f"--results={tmp_path}")
    plain, strip, last = (told["steps"][name] for name in ("plain", "strip", "no-headers"))
    assert {row["outcome"] for row in told["steps"].values()} == {"passed"}
    assert plain["program_bytes"] - strip["program_bytes"] == strip["saved_bytes"] > 0
    assert strip["program_bytes"] - last["program_bytes"] == last["saved_bytes"] > 0
    assert "recommended" not in told


@pytest.mark.parametrize(
    ("name", "steps", "broken", "taken"),
    [
        ("catches", ("strip", "abort", "packed"), {"abort": "failed", "packed": "skipped"}, "strip"),
        # A panic that is one instruction calls no hook.
        ("logs", ("strip", "packed", "immediate-abort"), {"immediate-abort": "failed"}, "packed"),
        ("greets", ("strip", "abort", "packed"), {}, "packed"),
    ],
)
def test_a_crate_is_told_to_take_only_what_it_passes(
    name: str, steps: tuple[str, ...], broken: dict[str, str], taken: str, tmp_path: Path
) -> None:
    told = climb(
        f"--crate={crate(tmp_path, name)}", *(f"--step={step}" for step in steps), f"--results={tmp_path / 'r'}"
    )
    outcomes = {step: row["outcome"] for step, row in told["steps"].items()}
    assert outcomes == {**dict.fromkeys(("plain", *steps), "passed"), **broken}
    (recommended,) = told["recommended"]
    assert recommended["step"] == taken
    assert recommended["program_bytes"] == told["steps"][taken]["program_bytes"]


@pytest.mark.parametrize("step", ["packed", "no-headers"])
def test_what_is_pasted_gives_a_program_of_the_same_size(step: str, tmp_path: Path) -> None:
    here = crate(tmp_path, "greets")
    told = climb(f"--crate={here}", f"--step={step}", f"--results={tmp_path / 'r'}")
    (recommended,) = told["recommended"]
    commands = paste(recommended["paste"], here)
    podman(
        *("run", "--rm", "--network=none", f"--volume={here}:/src", "--workdir=/src", "--env=CARGO_HOME=/tmp/cargo"),
        *(TOOLCHAIN, "sh", "-euc", commands),
    )
    made = here / "target" / TARGET / "release" / "greets"
    assert made.stat().st_size == recommended["program_bytes"] < told["steps"]["plain"]["program_bytes"]


def paste(block: str, here: Path) -> str:
    """Put the parts of a block where they say that they belong; what is left of it, which are commands."""
    commands = []
    for part in block.split("\n\n"):
        if part.startswith("# Cargo.toml"):
            with (here / "Cargo.toml").open("a", encoding="utf-8") as manifest:
                manifest.write(f"\n{part}\n")
        elif part.startswith("# .cargo/config.toml"):
            (here / ".cargo").mkdir()
            (here / ".cargo" / "config.toml").write_text(part, encoding="utf-8")
        else:
            commands.append(part)
    return "\n".join(commands)
