"""Which compiler a crate asks for, as rustup reads it, and whether the one that there is will do."""

from __future__ import annotations

import os

import pytest

from bareboat.inputs.rust_toolchain import is_asked_for, read_channel
from tests.unit.inputs.crates import write


@pytest.mark.parametrize(
    ("contents", "channel"),
    [
        ({}, None),
        ({"rust-toolchain.toml": '[toolchain]\nchannel = "1.75.0"\n'}, "1.75.0"),
        ({"rust-toolchain": '[toolchain]\nchannel = "beta"\n'}, "beta"),
        ({"rust-toolchain": "nightly-2024-05-01\n"}, "nightly-2024-05-01"),
        ({"rust-toolchain": "1.75\n", "rust-toolchain.toml": '[toolchain]\nchannel = "1.80"\n'}, "1.75"),
        ({"rust-toolchain.toml": '[toolchain]\npath = "/opt/rust"\n'}, "/opt/rust"),
        ({"rust-toolchain.toml": '[toolchain]\ncomponents = ["clippy"]\n'}, ""),
        ({"rust-toolchain.toml": "[toolchain]\nchannel = 1\n"}, ""),
        ({"rust-toolchain.toml": "no TOML at all"}, ""),
        ({"rust-toolchain": ""}, ""),
    ],
)
def test_the_channel_is_read_as_rustup_reads_it(tmp_path, contents, channel):
    assert read_channel(write(tmp_path, contents)) == channel


def test_what_is_no_file_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "rust-toolchain")
    assert read_channel(tmp_path) is None


STABLE = "rustc 1.95.0 (59807616e 2026-04-14) (built from a source tarball)"
NIGHTLY = "rustc 1.97.0-nightly (59807616e 2026-04-14)"


@pytest.mark.parametrize(
    ("channel", "compiler"),
    [
        ("", STABLE),
        ("stable", STABLE),
        ("1.95", STABLE),
        ("1.95.0", STABLE),
        ("1.95.0-x86_64-unknown-linux-gnu", STABLE),
        ("nightly", NIGHTLY),
    ],
)
def test_a_compiler_of_the_channel_is_asked_for(channel, compiler):
    assert is_asked_for(channel, compiler)


@pytest.mark.parametrize(
    ("channel", "compiler"),
    [
        ("1.9", STABLE),
        ("1.95.1", STABLE),
        ("beta", STABLE),
        ("nightly-2024-05-01", NIGHTLY),
        ("stable", NIGHTLY),
        ("1.97.0", NIGHTLY),
        ("/opt/rust", STABLE),
        ("stable", "no compiler"),
    ],
)
def test_a_compiler_of_another_is_not(channel, compiler):
    assert not is_asked_for(channel, compiler)
