"""Every shipped recipe's Containerfile, to the letter.

BAREBOAT_RENEW_GOLDEN=1 pytest tests/unit/plan/test_containerfile.py writes golden/ beside it anew: read the difference.
"""

from __future__ import annotations

import os
import shlex
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from bareboat.inputs.cargo import Cargo
from bareboat.inputs.recipe import Copy
from bareboat.inputs.rustflags import RustFlags
from bareboat.inputs.sysroot import Sysroot
from bareboat.plan.cargo_commands import target_cache
from bareboat.plan.containerfile import CA_SECRET, CARGO_SECRET, compile_stages, render_containerfile, shipped_stage
from bareboat.plan.jobs import PlannedCopy
from tests.unit.project import SAMPLES, plan_of

GOLDEN = Path(__file__).with_name("golden")
EVERY = plan_of(samples=SAMPLES).cells
# One cell a recipe: hello-world's, where the recipe takes it.
CELLS = {cell.recipe.name: cell for cell in sorted(EVERY, key=lambda cell: cell.sample.name == "hello-world")}


def references(cell):
    return {job: job.reference for job in (cell.program.toolchain, *cell.roots)}


def with_env(env):
    cell = CELLS["scratch-glibc"]
    return replace(cell, recipe=replace(cell.recipe, runtime=replace(cell.recipe.runtime, env=env)))


@pytest.mark.parametrize("name", sorted(CELLS))
def test_a_recipes_containerfile_is_the_golden_one(name):
    cell, path = CELLS[name], GOLDEN / f"{name}.containerfile"
    text = render_containerfile(cell, references(cell))
    if os.environ.get("BAREBOAT_RENEW_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def test_there_is_a_golden_file_for_each_recipe_and_no_other():
    assert {path.stem for path in GOLDEN.iterdir()} == set(CELLS)


@pytest.mark.parametrize("needs_crates", [False, True])
@pytest.mark.parametrize("name", sorted(CELLS))
def test_target_and_linkage_are_always_said(name, needs_crates):
    program = CELLS[name].program
    program = replace(program, sample=replace(program.sample, needs_crates=needs_crates))
    text = compile_stages(program, "toolchain")
    sign = "+" if program.crt == "static" else "-"
    assert f"--target {program.target} " in text
    assert f"target-feature={sign}crt-static" in text
    assert "--locked --offline" in text


def test_crates_are_fetched_in_a_stage_of_their_own_with_the_hosts_files_for_that_step_alone():
    program = CELLS["scratch-glibc"].program
    text = compile_stages(replace(program, sample=replace(program.sample, needs_crates=True)), "toolchain")
    fetching, compiling = text.split("FROM crates AS compile\n")
    assert fetching.startswith("FROM toolchain AS crates\n")
    for secret in (CA_SECRET, CARGO_SECRET):
        assert f"type=secret,id={secret}" in fetching
        assert secret not in compiling
    assert " --config /crates/vendor.toml --profile " in compiling


def test_a_crate_without_dependencies_has_no_stage_that_fetches():
    text = compile_stages(CELLS["scratch-glibc"].program, "toolchain")
    assert [line for line in text.splitlines() if line.startswith("FROM ")] == ["FROM toolchain AS compile"]
    assert "secret" not in text


@pytest.mark.parametrize("alone", [True, False])
def test_sources_come_after_the_crates_where_manifest_and_lock_are_enough_to_fetch(alone):
    program = CELLS["scratch-glibc"].program
    sample = replace(program.sample, needs_crates=True, stands_alone=alone)
    text = compile_stages(replace(program, sample=sample), "toolchain")
    assert text.count("COPY . .") == 1
    assert (text.index("COPY . .") > text.index("vendor --locked --respect-source-config /crates/vendor")) == alone
    assert ("COPY Cargo.toml Cargo.lock ./" in text) == alone


def test_features_and_profile_are_said():
    program = CELLS["scratch-glibc"].program
    cargo = Cargo(features=("a", "b/c"), default_features=False, profile="small")
    text = compile_stages(replace(program, sample=replace(program.sample, cargo=cargo)), "toolchain")
    assert " --profile small --no-default-features --features a,b/c --locked" in text
    assert "/small/hello-world /out/hello-world" in text


@pytest.mark.parametrize(
    ("rustflags", "flags"),
    [
        (RustFlags(), '["-C", "target-feature=+crt-static"]'),
        (RustFlags(build=("--cfg", "it's")), '["--cfg", "it\'s", "-C", "target-feature=+crt-static"]'),
        # Cargo joins those of a target itself, and takes none of `build` beside them.
        (RustFlags(build=("--cfg", "x"), targets=("cfg(unix)",)), '["-C", "target-feature=+crt-static"]'),
        (
            RustFlags(build=("--cfg", "x"), targets=("cfg(windows)",)),
            '["--cfg", "x", "-C", "target-feature=+crt-static"]',
        ),
    ],
)
def test_a_crates_own_flags_are_not_lost(rustflags, flags):
    program = CELLS["scratch-glibc"].program
    text = compile_stages(replace(program, sample=replace(program.sample, rustflags=rustflags)), "x")
    option = f'target."cfg(all())".rustflags={flags}'
    assert f"cargo build --config {shlex.quote(option)} --profile" in text
    assert "RUSTFLAGS" not in text


def test_flags_that_a_variant_has_in_its_environment_have_the_linkage_beside_them():
    program = CELLS["scratch-glibc"].program
    sample = replace(program.sample, cargo=Cargo(env={"RUSTFLAGS": "-C target-cpu=x86-64-v3"}))
    text = compile_stages(replace(program, sample=sample), "x")
    assert "RUSTFLAGS='-C target-cpu=x86-64-v3 -C target-feature=+crt-static'" in text
    assert "rustflags" not in text


def test_a_compile_with_an_environment_has_it_quoted_and_a_target_folder_of_its_own():
    program = CELLS["scratch-glibc"].program
    texts = []
    for env in ({}, {"B": "it's", "A_1": "x"}, {"B": "other"}):
        sample = replace(program.sample, cargo=Cargo(env=env))
        texts.append(compile_stages(replace(program, sample=sample), "toolchain"))
    assert " A_1=x B='it'\"'\"'s' && " in texts[1]
    assert len({word for text in texts for word in text.split() if "target=/target" in word}) == len(texts)


def test_no_two_compiles_of_other_flags_share_a_target_folder():
    programs = {cell.program for cell in CELLS.values()}
    caches = {word for one in programs for word in compile_stages(one, "x").split() if "target=/target" in word}
    assert len(caches) == len(programs) >= 4


def caches_of(text):
    """The target folder that a compile mounts, and the one below it that the program is linked in."""
    words = text.split()
    return [word for word in words if "target=/target" in word] + [word for word in words if "TARGET_DIR=" in word]


def test_objects_of_another_compiler_are_not_reused():
    program = CELLS["scratch-glibc"].program
    texts = [compile_stages(program, "x", digest) for digest in ("", f"sha256:{'a' * 64}", f"sha256:{'b' * 64}")]
    assert len({caches_of(text)[0] for text in texts}) == 3
    assert "id=bareboat-hello-world-gnu-x86_64-unknown-linux-gnu-static-aaaaaaaaaaaa," in texts[1]


def test_variants_share_compiled_dependencies_and_no_final_link():
    program = CELLS["scratch-glibc"].program
    variant = replace(program.sample, name="hello-world+small", cargo=Cargo(profile="small"))
    plain, small = (caches_of(compile_stages(job, "x")) for job in (program, replace(program, sample=variant)))
    assert plain[0] == small[0]
    assert plain[1] != small[1]
    assert "CARGO_BUILD_BUILD_DIR=/target/build" in compile_stages(program, "x")


def test_an_odd_name_is_quoted():
    cell = CELLS["scratch-glibc"]
    odd = replace(cell.program.sample, binary="my app")
    assert "--bin 'my app'" in compile_stages(replace(cell.program, sample=odd), "toolchain")


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("", '""'),
        ("two words # no comment", '"two words # no comment"'),
        ('say "hi"', r'"say \"hi\""'),
        ("it's", '"it\'s"'),
        # An unescaped $ would be replaced by a variable of the build, and ENV knows no \u00e9.
        ("$HOME ${HOME}", r'"\$HOME \${HOME}"'),
        ("C:\\new\\", r'"C:\\new\\"'),
        ("café", '"café"'),
    ],
)
def test_a_variable_reaches_the_image_as_it_is(value, written):
    assert f"\nENV VALUE={written}\nUSER " in shipped_stage(with_env({"VALUE": value}), {})


def test_variables_come_in_order_of_name():
    one, other = (shipped_stage(with_env(env), {}) for env in ({"B": "2", "A": "1"}, {"A": "1", "B": "2"}))
    assert one == other
    assert 'ENV A="1"\nENV B="2"\n' in one


def test_the_shipped_stage_is_base_program_user_and_entry_point():
    cell = CELLS["debian"]
    assert shipped_stage(cell, {cell.base: "docker.io/library/debian:trixie"}).splitlines() == [
        "FROM docker.io/library/debian:trixie",
        "COPY --from=compile /out/hello-world /hello-world",
        "USER 65532:65532",
        'ENTRYPOINT ["/hello-world"]',
    ]


def test_each_copy_is_a_line_that_says_why():
    lines = shipped_stage(CELLS["scratch-glibc-dynamic"], {}).splitlines()
    libc = "/usr/lib/x86_64-linux-gnu/libc.so.6"
    at = lines.index(f"COPY --from=compile {libc} {libc}")
    assert lines[at - 1].startswith("# the C library")
    assert len([line for line in lines if line.startswith("COPY ")]) == 4


def test_a_package_is_copied_from_its_own_image():
    cell = CELLS["scratch-musl-net"]
    text = render_containerfile(cell, references(cell))
    assert "COPY --from=localhost/bareboat/package/tzdata:bootstrap /usr/share/zoneinfo/ /usr/share/zoneinfo/" in text


def with_copy(**fields):
    copy = Copy(**{"source": "toolchain", "to": "/x", "path": "/x", "why": "because", **fields})
    cell = CELLS["scratch-glibc"]
    source = None if copy.is_made else cell.program.toolchain
    return replace(cell, copies=(PlannedCopy(copy=copy, source=source),))


def test_mode_and_owner_are_said_and_the_folders_above_are_made_before():
    cell = with_copy(to="/a/b/x", mode="0600", owner="1:2")
    text = render_containerfile(cell, references(cell))
    assert "COPY --from=compile --chown=1:2 --chmod=0600 /x /a/b/x" in text
    # --chown would give away the folders that COPY makes, too.
    assert "install -d /made/a/b" in text
    assert text.index("COPY --from=made /made/ /") < text.index("COPY --from=compile --chown")


@pytest.mark.parametrize("text", ["plain\n", "two\nlines and 'quotes' \"too\" $HOME \\n %d\n", "café\t\x00"])
@pytest.mark.starts_processes("a shell reads what a Containerfile says")
def test_a_text_reaches_the_image_to_the_byte(text):
    cell = with_copy(source="recipe", path=None, text=text, to="/etc/x")
    (command,) = [line for line in render_containerfile(cell, references(cell)).splitlines() if "printf" in line]
    script = command.removesuffix(" && \\").partition(" > ")[0]
    assert subprocess.run(["sh", "-c", script], capture_output=True, check=True).stdout == text.encode()


SYSROOT = Sysroot(path="own", folder=Path("/own"), digest="0123456789abcdef" * 4, movable=True)


def test_a_c_library_of_ones_own_is_mounted_in_musls_place_and_named_in_a_flag():
    program = CELLS["scratch-musl"].program
    text = compile_stages(replace(program, sysroot=SYSROOT), "toolchain")
    place = "/run/sysroot/0123456789ab"
    assert f"--mount=type=bind,from=bareboat-sysroot,target={place}" in text
    assert text.index(f"ln -sf {place}/* ") < text.index("cargo rustc ")
    assert f" -- -Lnative={place} && " in text
    assert "/own" not in text
    cell = replace(CELLS["scratch-musl"], program=replace(program, sysroot=SYSROOT))
    said = render_containerfile(cell, references(cell)).splitlines()[1]
    assert said == "# its C library is handed on by --build-context bareboat-sysroot=FOLDER"
    # Nothing that is compiled with it is taken for what is compiled without.
    assert target_cache(replace(program, sysroot=SYSROOT), "") != target_cache(program, "")
    fixed = compile_stages(replace(program, sysroot=replace(SYSROOT, movable=False)), "toolchain")
    assert f" -- -Lnative={place} -Crelocation-model=static && " in fixed
