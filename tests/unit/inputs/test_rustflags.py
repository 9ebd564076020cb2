"""What a crate's own configuration of cargo says of compiler flags, held to what cargo does with it."""

from __future__ import annotations

import pytest

from bareboat.errors import SampleError
from bareboat.inputs.load_samples import load_crate
from bareboat.inputs.rustflags import RustFlags, matches, read_rustflags

GNU, MUSL = "x86_64-unknown-linux-gnu", "aarch64-unknown-linux-musl"


def configured(folder, text, file="config.toml"):
    (folder / ".cargo").mkdir(exist_ok=True)
    (folder / ".cargo" / file).write_text(text, encoding="utf-8")
    return read_rustflags(folder, "x").value


@pytest.mark.parametrize(
    ("text", "flags"),
    [
        ("", RustFlags()),
        ('[build]\nrustflags = ["--cfg", "a b"]\n', RustFlags(build=("--cfg", "a b"))),
        ('[build]\nrustflags = "--cfg  a"\n', RustFlags(build=("--cfg", "a"))),
        (f'[target.{GNU}]\nrustflags = "-O"\n[target.{MUSL}]\nlinker = "x"\n', RustFlags(targets=(GNU,))),
        ("[target.'cfg(unix)']\nrustflags = []\n", RustFlags(targets=("cfg(unix)",))),
        ("build = 1\ntarget = 2\n", RustFlags()),
        ('[build]\ntarget = "x"\n', RustFlags()),
    ],
)
def test_flags_are_read_as_cargo_reads_them(tmp_path, text, flags):
    assert configured(tmp_path, text) == flags


def test_the_file_without_an_ending_is_read_where_there_are_both(tmp_path):
    configured(tmp_path, '[build]\nrustflags = "a"\n')
    assert configured(tmp_path, '[build]\nrustflags = "b"\n', "config").build == ("b",)


@pytest.mark.parametrize(
    ("condition", "gnu", "musl"),
    [
        (GNU, True, False),
        ("cfg(unix)", True, True),
        ("cfg(windows)", False, False),
        ("cfg(not(windows))", True, True),
        ('cfg(target_env = "musl")', False, True),
        ('cfg(all(unix, target_arch="x86_64"))', True, False),
        ('cfg(any(windows, all(target_os = "linux", not(target_env = "gnu"))))', False, True),
        ("cfg(all())", True, True),
        ("cfg(any())", False, False),
        ("cfg(true)", True, True),
        ('cfg(target_os = "mac os, really)")', False, False),
        ("cfg(all(unix,))", True, True),
        # What cargo would refuse is told by cargo.
        ("cfg(", False, False),
        ("cfg(all(unix", False, False),
        ("cfg(unix =", False, False),
        ("cfg(some(unix))", False, False),
    ],
)
def test_a_condition_holds_for_the_targets_that_rustc_says_it_holds_for(condition, gnu, musl):
    assert (matches(condition, GNU), matches(condition, MUSL)) == (gnu, musl)


def test_a_configuration_that_is_no_toml_is_told(tmp_path):
    (tmp_path / "Cargo.toml").write_text('[package]\nname = "x"\nversion = "0.1.0"\n', encoding="utf-8")
    (tmp_path / "Cargo.lock").write_text("version = 4\n", encoding="utf-8")
    assert load_crate(tmp_path)[0].rustflags == RustFlags()
    configured(tmp_path, "[build\n")
    with pytest.raises(SampleError, match=r"\.cargo/config\.toml: not TOML"):
        load_crate(tmp_path)
