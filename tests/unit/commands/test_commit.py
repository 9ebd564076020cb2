"""Which commit a result is of, and whether the checkout was that commit."""

from __future__ import annotations

import pytest

from bareboat.commands.session_run import find_commit
from bareboat.system.process import Processes

pytestmark = pytest.mark.starts_processes("git is asked")
WHO = ("-c", "user.name=x", "-c", "user.email=x@example.com", "-c", "commit.gpgsign=false")


@pytest.fixture
def git(tmp_path):
    def git(*words):
        return Processes().run(["git", "-C", str(tmp_path), *WHO, *words]).strip()

    git("init", "-q")
    return git


@pytest.fixture
def commit(git, tmp_path):
    for name in ("code.py", "README.md", "results/x.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("a", encoding="ascii")
    (tmp_path / ".gitignore").write_text("target\n", encoding="ascii")
    git("add", ".")
    git("commit", "-qm", "x")
    return git("rev-parse", "HEAD")


def found(folder):
    return find_commit(folder, Processes())


def test_a_clean_checkout_is_its_commit(commit, tmp_path):
    assert found(tmp_path) == commit


@pytest.mark.parametrize("name", ["code.py", "new.toml", "new/recipe.toml"])
def test_what_differs_or_is_not_known_to_git_makes_it_dirty(commit, tmp_path, name):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("b", encoding="ascii")
    assert found(tmp_path) == f"{commit}+dirty"


def test_what_is_only_staged_and_what_is_gone_make_it_dirty(commit, git, tmp_path):
    git("rm", "-q", "--cached", "code.py")
    assert found(tmp_path) == f"{commit}+dirty"
    git("reset", "-q", "--hard")
    assert found(tmp_path) == commit
    (tmp_path / "code.py").unlink()
    assert found(tmp_path) == f"{commit}+dirty"


@pytest.mark.parametrize("name", ["results/x.json", "results/new.json", "README.md", "target"])
def test_results_and_what_git_ignores_do_not(commit, tmp_path, name):
    (tmp_path / name).write_text("b", encoding="ascii")
    assert found(tmp_path) == commit


def test_outside_a_checkout_and_before_the_first_commit_there_is_none(git, tmp_path):
    assert git("status")
    assert found(tmp_path) == ""
    outside = tmp_path / "gone"
    assert found(outside) == ""
