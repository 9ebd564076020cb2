"""The lock: what it pins, how changed packages are reported, and which change is an error."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bareboat.errors import BareboatError, RecipeError
from bareboat.inputs.lock import Lock, Pinned, moved, pinned_reference, read_lock, write_lock

A, B = "a" * 64, "b" * 64
DIGESTS = st.text("0123456789abcdef", min_size=64, max_size=64).map("sha256:".__add__)
NAMES = st.from_regex(r"[a-z0-9][a-z0-9.+-]{0,9}", fullmatch=True)
REFERENCES = st.builds("{}/{}:{}".format, NAMES, NAMES, NAMES)
VERSIONS = st.from_regex(r"[0-9][A-Za-z0-9.+:~-]{0,9}", fullmatch=True)
LIBC = Pinned(name="libc6", version="2.41-12", sha256=A)
LOCK = Lock().with_packages("base debian", [LIBC]).with_digest("docker.io/library/alpine:3.23", f"sha256:{B}")


def test_a_lock_is_read_back_as_it_was_written(tmp_path):
    path = tmp_path / "recipes.lock"
    assert read_lock(path) == Lock()
    write_lock(LOCK, path)
    assert read_lock(path) == LOCK
    assert list(tmp_path.iterdir()) == [path]


@given(
    st.dictionaries(REFERENCES, DIGESTS, max_size=3),
    st.dictionaries(NAMES, st.dictionaries(NAMES, st.tuples(VERSIONS, DIGESTS).map(" ".join), max_size=3), max_size=3),
)
def test_any_lock_is_read_back_as_it_was_written(registry, packages):
    with TemporaryDirectory() as folder:
        path = Path(folder, "recipes.lock")
        lock = Lock(registry=registry, bootstrap={f"base {name}": pins for name, pins in packages.items()})
        write_lock(lock, path)
        assert read_lock(path) == lock


def test_the_shipped_lock_is_as_it_would_be_written(tmp_path):
    shipped = Path(__file__).parents[3] / "recipes" / "recipes.lock"
    write_lock(read_lock(shipped), tmp_path / "recipes.lock")
    assert (tmp_path / "recipes.lock").read_text(encoding="utf-8") == shipped.read_text(encoding="utf-8")


def test_a_lock_is_sorted_whatever_came_first(tmp_path):
    apt = Pinned(name="apt", version="3", sha256=B)
    write_lock(Lock().with_packages("base z", [LIBC, apt]).with_packages("base a", [LIBC]), tmp_path / "recipes.lock")
    assert (tmp_path / "recipes.lock").read_text(encoding="utf-8").splitlines()[1:] == [
        "",
        "[amd64.registry]",
        "",
        '[amd64.bootstrap."base a"]',
        f'libc6 = "2.41-12 sha256:{A}"',
        "",
        '[amd64.bootstrap."base z"]',
        f'apt = "3 sha256:{B}"',
        f'libc6 = "2.41-12 sha256:{A}"',
    ]


def test_what_is_pinned_anew_replaces_what_was_and_touches_nothing_else():
    apt = Pinned(name="apt", version="3", sha256=B)
    renewed = LOCK.with_packages("base debian", [apt]).with_packages("base alpine", [LIBC])
    assert renewed.bootstrap == {
        "base debian": {"apt": f"3 sha256:{B}"},
        "base alpine": {"libc6": f"2.41-12 sha256:{A}"},
    }
    assert renewed.registry == LOCK.registry
    assert LOCK.bootstrap == {"base debian": {"libc6": f"2.41-12 sha256:{A}"}}


BROKEN = [
    "[amd64",
    'other = "x"',
    '[registry]\n"x" = "sha256:1"',
    '[amd64.registry]\n"x" = "md5:1"',
    '[amd64.bootstrap."base x"]\n"apt" = "3"',
    "amd64 = 3",
]


@pytest.mark.parametrize("content", [*(text.encode() for text in BROKEN), b"\xff"])
def test_a_broken_lock_is_told_how_it_is_mended(tmp_path, content):
    path = tmp_path / "recipes.lock"
    path.write_bytes(content)
    with pytest.raises(RecipeError, match=r"(?s)recipes\.lock: .*`invoke lock` writes recipes\.lock anew"):
        read_lock(path)
    write_lock(LOCK, path)
    assert read_lock(path) == LOCK


def test_each_architecture_has_a_lock_of_its_own(tmp_path):
    path = tmp_path / "recipes.lock"
    write_lock(LOCK, path, "amd64")
    assert read_lock(path, "arm64") == Lock()
    other = Lock().with_packages("base debian", [replace(LIBC, sha256=B)])
    write_lock(other, path, "arm64")
    assert (read_lock(path, "amd64"), read_lock(path, "arm64")) == (LOCK, other)


def test_what_moved_is_told_and_what_is_not_pinned_is_not():
    new = Pinned(name="libc6", version="2.41-13", sha256=B)
    assert moved(LOCK, "base debian", [LIBC]) == ()
    assert moved(LOCK, "base debian", [new]) == ("libc6 2.41-12 -> 2.41-13",)
    assert moved(LOCK, "base debian", []) == ("libc6 is gone",)
    assert moved(LOCK, "base debian", [LIBC, Pinned(name="apt", version="3", sha256=A)]) == ("apt is new",)
    assert moved(LOCK, "base alpine", [new]) == ()


def test_all_that_moved_is_told():
    lock = Lock().with_packages("base x", [Pinned(name=name, version="1", sha256=A) for name in ("d", "c", "b", "a")])
    found = [Pinned(name=name, version=version, sha256=A) for name, version in (("e", "1"), ("c", "2"), ("b", "1"))]
    assert moved(lock, "base x", found) == ("e is new", "a is gone", "d is gone", "c 1 -> 2")


def test_one_version_with_two_checksums_is_an_error():
    with pytest.raises(BareboatError) as caught:
        moved(LOCK, "base debian", [Pinned(name="libc6", version="2.41-12", sha256=B)])
    assert str(caught.value) == f"base debian: libc6 2.41-12 has sha256:{B}, yet the lock pins sha256:{A}"


def test_a_package_that_moved_does_not_hide_one_with_two_checksums():
    apt = Pinned(name="apt", version="3", sha256=A)
    lock = Lock().with_packages("base debian", [apt, LIBC])
    found = [replace(apt, version="4"), replace(LIBC, sha256=B)]
    with pytest.raises(BareboatError, match=r"libc6 2\.41-12 has"):
        moved(lock, "base debian", found)


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
    assert pinned_reference(reference, None) == pinned_reference(reference, "") == reference
