"""What git ignores is no source of a crate, whether the crate is in a repository or not."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import partial

import pytest

from bareboat.inputs.crate_files import source_files
from bareboat.inputs.extent import find_extent
from bareboat.inputs.git_ignored import ignored_by_git
from bareboat.system.process import Processes
from tests.unit.inputs.crates import write

pytestmark = [
    pytest.mark.starts_processes("git says what it ignores"),
    pytest.mark.skipif(shutil.which("git") is None, reason="there is no git"),
]
FILES = {
    ".gitignore": "Cargo.lock\n*.log\nnode_modules\n/gen erated/\nä ö/\n.cargo\nbuilt.rs\n",
    "Cargo.toml": "",
    "Cargo.lock": "",
    ".cargo/config.toml": "",
    ".cargo/credentials.toml": "",
    "src/main.rs": "",
    "src/built.rs": "",
    "src/gen erated/x.rs": "",
    "gen erated/x.rs": "",
    "ä ö/x": "",
    "a.log": "",
    "web/node_modules/x/y.js": "",
    "target/release/x": "",
}
PLAIN = {".gitignore", "Cargo.toml", "Cargo.lock", ".cargo/config.toml", "src/main.rs", "src/gen erated/x.rs"}


@pytest.fixture
def crate(tmp_path):
    return write(tmp_path / "crate", FILES)


def git(folder, *words):
    # What a developer's own settings ignore is nothing that a test may depend on.
    subprocess.run(
        ["git", "-c", "core.excludesFile=/dev/null", *words], cwd=folder, check=True, capture_output=True, timeout=60
    )


def sources(crate):
    extent = find_extent(crate, partial(ignored_by_git, Processes()))
    return {str(path.relative_to(crate)) for path in source_files(crate, extent)}


def test_outside_a_repository_its_rules_hold_too(crate):
    before = sorted(crate.rglob("*"))
    assert sources(crate) == PLAIN
    assert sorted(crate.rglob("*")) == before


def test_in_a_repository_what_is_tracked_is_a_source_though_a_rule_ignores_it(crate):
    git(crate, "init", "--quiet")
    git(crate, "add", "--force", "src/built.rs")
    assert sources(crate) == {*PLAIN, "src/built.rs"}


def test_the_rules_of_a_folder_above_hold_in_a_repository(crate, tmp_path):
    git(tmp_path, "init", "--quiet")
    (tmp_path / ".gitignore").write_text("*.rs\n!main.rs\n", encoding="utf-8")
    assert sources(crate) == PLAIN - {"src/gen erated/x.rs"}


@pytest.mark.parametrize("rule", ["*", "crate/", "Cargo.toml"])
def test_a_repository_that_ignores_the_crate_itself_has_no_say(crate, tmp_path, rule):
    git(tmp_path, "init", "--quiet")
    (tmp_path / ".gitignore").write_text(f"{rule}\n", encoding="utf-8")
    assert sources(crate) == PLAIN


def test_a_repository_that_git_does_not_trust_has_no_say(crate, monkeypatch):
    git(crate, "init", "--quiet")
    git(crate, "add", "--force", "src/built.rs")
    # So git itself is tested for another user's repository.
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    assert sources(crate) == PLAIN


def test_without_git_all_is_a_source_but_what_cargo_makes(crate, monkeypatch):
    monkeypatch.setenv("PATH", str(crate))
    assert sources(crate) == {*FILES} - {"target/release/x"}


def test_what_lies_in_a_repository_of_its_own_below_is_a_source_but_its_history_is_not(crate):
    git(crate, "init", "--quiet")
    write(crate / "inner", {"src/lib.rs": ""})
    git(crate / "inner", "init", "--quiet")
    assert sources(crate) == {*PLAIN, "inner/src/lib.rs"}


def test_no_setting_of_a_repository_starts_a_program(crate, tmp_path):
    git(crate, "init", "--quiet")
    script = write(tmp_path, {"monitor": f"#!/bin/sh\ntouch '{tmp_path}/started'\n"}) / "monitor"
    script.chmod(0o755)
    git(crate, "config", "core.fsmonitor", os.fspath(script))
    assert sources(crate) == PLAIN
    assert not (tmp_path / "started").exists()
