"""The lock: what is pinned, what moved, and what must never be."""

from __future__ import annotations

import pytest

from bareboat.bootstrap import Pinned
from bareboat.errors import BareboatError, RecipeError
from bareboat.lock import Lock, moved, read_lock, write_lock
from bareboat.roots import pinned_reference

A, B = "a" * 64, "b" * 64
LIBC = Pinned(name="libc6", version="2.41-12", sha256=A)
LOCK = Lock().with_packages("base debian", [LIBC]).with_digest("docker.io/library/alpine:3.23", f"sha256:{B}")


def test_a_lock_is_read_back_as_it_was_written(tmp_path):
    path = tmp_path / "recipes.lock"
    assert read_lock(path) == Lock()
    write_lock(LOCK, path)
    assert read_lock(path) == LOCK
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("text", ["[registry", 'other = "x"', '[registry]\n"x" = "md5:1"'])
def test_a_broken_lock_is_told_how_it_is_mended(tmp_path, text):
    path = tmp_path / "recipes.lock"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RecipeError, match=r"(?s)recipes\.lock: .*`invoke lock` writes recipes\.lock anew"):
        read_lock(path)


def test_what_moved_is_told_and_what_is_not_pinned_is_not():
    new = Pinned(name="libc6", version="2.41-13", sha256=B)
    assert moved(LOCK, "base debian", [LIBC]) == ()
    assert moved(LOCK, "base debian", [new]) == ("libc6 2.41-12 -> 2.41-13",)
    assert moved(LOCK, "base debian", []) == ("libc6 is gone",)
    assert moved(LOCK, "base debian", [LIBC, Pinned(name="apt", version="3", sha256=A)]) == ("apt is new",)
    assert moved(LOCK, "base alpine", [new]) == ()


def test_one_version_with_two_checksums_is_an_error():
    with pytest.raises(BareboatError, match=r"libc6 2\.41-12"):
        moved(LOCK, "base debian", [Pinned(name="libc6", version="2.41-12", sha256=B)])


@pytest.mark.parametrize(
    ("reference", "pinned"),
    [
        ("docker.io/library/alpine:3.23", f"docker.io/library/alpine@sha256:{A}"),
        ("127.0.0.1:5000/alpine:3.23", f"127.0.0.1:5000/alpine@sha256:{A}"),
        (f"docker.io/library/alpine@sha256:{B}", f"docker.io/library/alpine@sha256:{B}"),
    ],
)
def test_a_locked_image_is_named_by_its_digest(reference, pinned):
    assert pinned_reference(reference, f"sha256:{A}") == pinned
    assert pinned_reference(reference, None) == reference
