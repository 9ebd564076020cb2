"""A copy of sources: changed where they changed, and nowhere else."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from bareboat.errors import BareboatError
from bareboat.inputs.crate_files import source_digest
from bareboat.make.sources import sync_sources
from tests.unit.project import HELLO

OLD = 1_000_000_000


@pytest.fixture
def crate(tmp_path):
    folder = tmp_path / "crate"
    for place, text in {"src/main.rs": "fn main() {}", "src/bin/x.rs": "x", "build.sh": "#!/bin/sh"}.items():
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).write_text(text, encoding="utf-8")
    (folder / "build.sh").chmod(0o755)
    (folder / "link").symlink_to("src/main.rs")
    (folder / "target").mkdir()
    (folder / "target" / "object").touch()
    return folder


@pytest.fixture
def copy(tmp_path):
    return tmp_path / "copies" / "crate"


def sync(crate, copy):
    sync_sources(replace(HELLO, folder=crate, digest=source_digest(crate)), copy)
    return {str(path.relative_to(copy)) for path in copy.rglob("*") if path.is_symlink() or path.is_file()}


def age(folder):
    for path in folder.rglob("*"):
        os.utime(path, (OLD, OLD), follow_symlinks=False)


def times(folder):
    return {path.name: path.lstat().st_mtime for path in folder.rglob("*") if not path.is_dir() or path.is_symlink()}


def test_the_copy_has_the_sources_and_not_what_cargo_made(crate, copy):
    assert sync(crate, copy) == {"src/main.rs", "src/bin/x.rs", "build.sh", "link"}
    assert (copy / "link").readlink().as_posix() == "src/main.rs"
    assert os.access(copy / "build.sh", os.X_OK)


def test_only_what_changed_gets_a_new_time(crate, copy):
    sync(crate, copy)
    age(copy)
    # An older file of another checkout has changed, too, whatever its own time is.
    (crate / "src" / "main.rs").write_text("fn main() { }", encoding="utf-8")
    age(crate)
    sync(crate, copy)
    new = {name for name, time in times(copy).items() if time != OLD}
    assert new == {"main.rs"}
    assert (copy / "src" / "main.rs").read_text(encoding="utf-8") == "fn main() { }"


def test_what_is_gone_goes_and_what_a_build_script_wrote_goes_too(crate, copy):
    sync(crate, copy)
    (crate / "src" / "bin" / "x.rs").unlink()
    (copy / "generated").mkdir()
    (copy / "generated" / "y.rs").touch()
    assert sync(crate, copy) == {"src/main.rs", "build.sh", "link"}


def test_one_kind_takes_the_place_of_another(crate, copy):
    sync(crate, copy)
    (crate / "link").unlink()
    (crate / "link").mkdir()
    (crate / "link" / "a").write_text("a", encoding="utf-8")
    (crate / "build.sh").chmod(0o644)
    assert "link/a" in sync(crate, copy)
    assert not os.access(copy / "build.sh", os.X_OK)


def test_sources_that_change_meanwhile_are_told(crate, copy):
    sample = replace(HELLO, folder=crate, digest=source_digest(crate))
    (crate / "src" / "main.rs").write_text("other", encoding="utf-8")
    with pytest.raises(BareboatError, match="its files changed during the run"):
        sync_sources(sample, copy)
