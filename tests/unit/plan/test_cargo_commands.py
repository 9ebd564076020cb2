"""What a compile is told of the ladder: settings, flags of the program's own crate, a linker script, std, objcopy."""

from __future__ import annotations

import shlex
import subprocess
from dataclasses import replace

import pytest

from bareboat.inputs.cargo import Cargo
from bareboat.inputs.ladder import read_ladder
from bareboat.plan.cargo_commands import STD_PLACE, compile_commands, crates_commands, target_cache
from bareboat.plan.containerfile import compile_stages
from tests.unit.project import HELLO, plan_of

STEPS = {step.name: step for step in read_ladder()}
SCRIPT = 'SECTIONS {\n\t/DISCARD/ : { *(.comment) } "%\\ü\'"\n}\n'


def job_of(cargo=None, **changes):
    sample = replace(HELLO, cargo=cargo or Cargo(), **changes)
    return plan_of("scratch-musl", samples=(sample,)).cells[0].program


def commands(cargo=None, **changes):
    return compile_commands(job_of(cargo, **changes))


def test_a_compile_that_asks_for_nothing_new_is_told_what_it_always_was():
    flags = """'target."cfg(all())".rustflags=["-C", "target-feature=+crt-static"]'"""
    assert commands() == (
        "export CARGO_TARGET_DIR=/target/hello-world CARGO_BUILD_BUILD_DIR=/target/build",
        (
            f"cargo build --config {flags} --profile release --locked --offline"
            " --target x86_64-unknown-linux-musl --bin hello-world"
        ),
        "install -D -m 0755 /target/hello-world/x86_64-unknown-linux-musl/release/hello-world /out/hello-world",
    )


def test_settings_are_in_the_environment_and_have_a_target_folder_of_their_own():
    cargo = Cargo(settings={"opt-level": "z", "panic": "abort"})
    assert commands(cargo)[0].endswith(" CARGO_PROFILE_RELEASE_OPT_LEVEL=z CARGO_PROFILE_RELEASE_PANIC=abort")
    assert target_cache(job_of(cargo), "") != target_cache(job_of(), "")


def test_flags_for_every_crate_stand_behind_the_linkage():
    assert '"target-feature=+crt-static", "-Zfmt-debug=none"]' in commands(Cargo(rustflags=("-Zfmt-debug=none",)))[1]


def test_flags_for_every_crate_are_not_lost_beside_a_variable():
    exported = commands(Cargo(env={"RUSTFLAGS": "-O"}, rustflags=("-Zx",)))[0]
    assert exported.endswith(" RUSTFLAGS='-O -C target-feature=+crt-static -Zx'")


def test_flags_of_the_programs_own_crate_are_the_last_words_of_cargo_rustc_and_no_dependency_is_compiled_for_them():
    cargo = Cargo(link_rustflags=("-Crelocation-model=static", "-Clink-arg=-Wl,-O2,a b"))
    build = commands(cargo)[1]
    assert build.startswith("cargo rustc ")
    assert build.endswith(" --bin hello-world -- -Crelocation-model=static '-Clink-arg=-Wl,-O2,a b'")
    assert target_cache(job_of(cargo), "") == target_cache(job_of(), "")


@pytest.mark.starts_processes("a shell writes the linker script")
def test_a_linker_script_reaches_the_linker_to_the_byte(tmp_path):
    _, write, build, _ = commands(Cargo(linker_script=SCRIPT))
    place = shlex.split(write)[-1]
    assert build.endswith(f" -- -Clink-arg=-Wl,-T,{place}")
    subprocess.run(["sh", "-c", write.replace(place, f"{tmp_path}/x.ld")], check=True)
    assert (tmp_path / "x.ld").read_bytes() == SCRIPT.encode()


def test_another_script_is_another_flag_so_that_cargo_links_anew():
    places = {shlex.split(commands(Cargo(linker_script=text))[1])[-1] for text in ("a", "b")}
    assert len(places) == 2


def test_a_program_is_written_once_more_when_it_is_in_its_place():
    assert commands(Cargo(objcopy=("--strip-section-headers",)))[-2:] == (
        "install -D -m 0755 /target/hello-world/x86_64-unknown-linux-musl/release/hello-world /out/hello-world",
        "objcopy --strip-section-headers /out/hello-world",
    )


def test_std_is_found_beside_the_compiler_and_its_crates_beside_the_programs():
    text = "\n".join(commands(Cargo(build_std=("std", "panic_abort"))))
    assert f"ln -sfn {STD_PLACE}/usr/lib/rustlib/src " in text
    assert "RUSTC_BOOTSTRAP=1" in text
    assert " -Zbuild-std=std,panic_abort " in text
    assert "--config /crates/vendor.toml" not in text
    text = "\n".join(commands(Cargo(build_std=("std",)), needs_crates=True))
    # The last of two that name a source has it.
    assert text.index("--config /crates/vendor.toml") < text.index("source.crates-io.replace-with=")


def test_the_package_with_std_is_mounted_for_the_compile_alone():
    plain, std = (compile_stages(job_of(cargo), "toolchain") for cargo in (Cargo(), Cargo(build_std=("std",))))
    mount = "--mount=type=bind,from=localhost/bareboat/package/rust-web-src:bootstrap,target=/run/std"
    assert mount in std
    assert STD_PLACE not in plain


def test_the_crates_of_a_program_are_asked_for_without_unstable_options():
    (asked,) = crates_commands(job_of(Cargo(build_std=("std",)), stands_alone=False))
    assert "-Z" not in asked


@pytest.mark.parametrize("name", STEPS)
def test_each_step_is_a_compile_of_its_own(name):
    said = {one: commands(step.cargo) for one, step in STEPS.items()}
    assert [one for one, text in said.items() if text == said[name]] == [name]
