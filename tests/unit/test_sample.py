"""Samples: what is read from a crate, and what is said of a wrong one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bareboat.errors import SampleError
from bareboat.sample import load_crate, load_samples

SAMPLES = Path(__file__).parents[2] / "rust-samples"


@pytest.fixture
def crate(tmp_path):
    return Path(shutil.copytree(SAMPLES / "hello-world", tmp_path / "samples" / "hello-world"))


def edit(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_hello_world_is_expected_to_say_so():
    sample = next(sample for sample in load_samples(SAMPLES) if sample.name == "hello-world")
    assert (sample.binary, sample.needs_crates) == ("hello-world", False)
    assert (sample.expectation.stdout, sample.expectation.exit_code) == ("Hello, world!\n", 0)


def test_a_crate_without_a_lock_is_told_how_to_get_one(crate):
    (crate / "Cargo.lock").unlink()
    with pytest.raises(SampleError, match=r"hello-world/Cargo\.lock: there is no such file: `cargo generate-lockfile"):
        load_samples(crate.parent)


def test_a_folder_without_a_manifest_is_named(crate):
    (crate / "Cargo.toml").unlink()
    with pytest.raises(SampleError, match=r"samples/hello-world/Cargo\.toml: there is no such file"):
        load_samples(crate.parent)


def test_a_workspace_is_told_to_name_a_member(crate):
    (crate / "Cargo.toml").write_text('[workspace]\nmembers = ["a"]\n', encoding="utf-8")
    with pytest.raises(SampleError, match="name the member's folder"):
        load_crate(crate)


@pytest.mark.parametrize(
    ("new", "said"),
    [
        ("stout =", r"expect\.stout: unknown key \(did you mean 'stdout'\?\)"),
        ('exit_code = "0"\nstdout =', r"expect\.exit_code: input should be a valid integer"),
        ("exit_code = 256\nstdout =", r"expect\.exit_code: input should be less than or equal to 255"),
    ],
)
def test_a_wrong_expectation_is_named(crate, new, said):
    edit(crate / "Cargo.toml", "stdout =", new)
    with pytest.raises(SampleError, match=said):
        load_crate(crate)


def test_the_digest_is_that_of_the_sources_alone(crate):
    before = load_crate(crate).digest
    for name in ("target", ".git"):
        (crate / name).mkdir()
        (crate / name / "x").write_text("x", encoding="utf-8")
    assert load_crate(crate).digest == before
    seen = {before}
    changes = (
        lambda: edit(crate / "src" / "main.rs", "Hello", "Hallo"),
        lambda: (crate / "src" / "main.rs").chmod(0o755),
        (crate / "src" / "new.rs").touch,
        lambda: (crate / "src" / "new.rs").rename(crate / "src" / "newer.rs"),
    )
    for change in changes:
        change()
        digest = load_crate(crate).digest
        assert digest not in seen
        seen.add(digest)


def test_crates_of_a_registry_are_needed_when_the_lock_says_so(crate):
    lock = crate / "Cargo.lock"
    text = lock.read_text(encoding="utf-8")
    lock.write_text(f'{text}\n[[package]]\nname = "a"\nversion = "1.0.0"\nsource = "registry+x"\n', encoding="utf-8")
    assert load_crate(crate).needs_crates


def test_the_binary_is_the_one_that_cargo_run_would_take(crate):
    manifest = crate / "Cargo.toml"
    manifest.write_text(
        manifest.read_text(encoding="utf-8") + '\n[[bin]]\nname = "one"\npath = "x"\n', encoding="utf-8"
    )
    assert load_crate(crate).binary == "one"
    edit(manifest, "[package]", '[package]\ndefault-run = "two"')
    assert load_crate(crate).binary == "two"
