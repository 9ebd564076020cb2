"""What is pasted into a crate's files, and the commands that go with it."""

from __future__ import annotations

from dataclasses import replace

import pytest
import tomli

from bareboat.inputs.cargo import Cargo
from bareboat.inputs.ladder import read_ladder
from bareboat.inputs.rustflags import RustFlags
from bareboat.plan.paste import paste_block
from tests.unit.project import HELLO, plan_of

STEPS = {step.name: step.cargo for step in read_ladder()}
MUSL = "x86_64-unknown-linux-musl"
GNU = "x86_64-unknown-linux-gnu"


def block(cargo, *recipes, **changes):
    sample = replace(HELLO, cargo=cargo, **changes)
    return paste_block([cell.program for cell in plan_of(*(recipes or ("scratch-musl",)), samples=(sample,)).cells])


def parts(text):
    """The parts of a block by their first line."""
    return {part.partition("\n")[0].lstrip("# ").partition(",")[0]: part for part in text.split("\n\n")}


def test_a_stable_step_is_two_files_and_a_plain_cargo_build():
    found = parts(block(STEPS["packed"], "scratch-glibc", "scratch-musl"))
    assert tomli.loads(found["Cargo.toml"]) == {
        "profile": {
            "release": {"codegen-units": 1, "lto": "fat", "opt-level": "z", "panic": "abort", "strip": "symbols"}
        }
    }
    told = tomli.loads(found[".cargo/config.toml"])["target"]
    assert list(told) == [GNU, MUSL]
    assert told[MUSL]["rustflags"] == ["-Ctarget-feature=+crt-static", *STEPS["packed"].link_rustflags]
    commands = [line for line in block(STEPS["packed"]).splitlines() if line.startswith("cargo ")]
    assert commands == [f"cargo build --profile release --target {MUSL} --bin hello-world"]
    assert "needs lld" in block(STEPS["packed"])


def test_what_no_file_can_say_is_in_the_commands():
    text = block(STEPS["no-headers"])
    assert text.splitlines()[-1] == f"objcopy --strip-section-headers target/{MUSL}/release/hello-world"
    (build,) = [line for line in text.splitlines() if line.startswith("cargo ")]
    last = build.partition(" -- ")[2].split()
    assert last == [*STEPS["no-headers"].link_rustflags, "-Clink-arg=-Wl,-T,small.ld"]
    assert f"cat > small.ld <<'END'\n{STEPS['no-headers'].linker_script}END\n" in text
    assert "relocation-model" not in parts(text)[".cargo/config.toml"], "it is said once"


def test_an_unstable_step_says_what_it_needs():
    text = block(STEPS["immediate-abort"])
    assert "rustup component add rust-src" in text
    assert "\nRUSTC_BOOTSTRAP=1 cargo build --profile release -Zbuild-std=std,panic_abort " in text
    assert '"-Zunstable-options",\n    "-Cpanic=immediate-abort",\n' in text


def test_flags_and_variables_of_the_crate_itself_stay():
    text = block(Cargo(env={"A": "two words"}), rustflags=RustFlags(build=("--cfg", "it")))
    assert '    "--cfg",\n    "it",\n    "-Ctarget-feature=+crt-static",\n' in text
    assert "\nA='two words' cargo build " in text
    assert "Cargo.toml, " not in text, "it has no setting"
    assert ".cargo/config.toml" not in block(Cargo(env={"RUSTFLAGS": "-O"})), "cargo would take nothing of it"


@pytest.mark.parametrize(("value", "written"), [("1", "1"), ("true", "true"), ("z", '"z"'), ("fat", '"fat"')])
def test_values_are_written_as_cargo_takes_them(value, written):
    assert f"lto = {written}\n" in block(Cargo(settings={"lto": value}))
