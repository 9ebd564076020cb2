"""Containerfiles for a user's own repository name public images alone, and refuse what those have not."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from bareboat.errors import SelectionError
from bareboat.inputs.expectation import AS_IT_STANDS
from bareboat.inputs.lock import Lock
from bareboat.inputs.mend import Mend
from bareboat.inputs.sysroot import Sysroot
from bareboat.plan.eject import Service
from bareboat.plan.public import Known, render_public
from tests.unit.project import BOOK, HELLO, SAMPLES, plan_of

DIGEST = f"sha256:{'a' * 64}"
GNU, MUSL = "docker.io/library/rust:1-slim", "docker.io/library/rust:1-alpine"
STATIC = "gcr.io/distroless/static-debian13:nonroot"
CELLS = plan_of(samples=SAMPLES, source="registry").cells


def cell_of(recipe, book=BOOK, **changes):
    (cell,) = plan_of(recipe, book=book, samples=(replace(HELLO, **changes),), source="registry").cells
    return cell


def text(cell, lock=None, book=BOOK, **known):
    return render_public(cell, book, lock or Lock(), Known(**known), "me/app:1")


def images(written):
    """What the Containerfile stands on or copies from, without its own stages."""
    named = re.findall(r"^(?:FROM|COPY --from=)\s*(\S+)", written, flags=re.MULTILINE)
    return {name for name in named if "/" in name}


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.id)
def test_every_cell_stands_on_images_that_anybody_can_pull(cell):
    written = text(cell, measured=True)
    assert {name.partition("/")[0] for name in images(written)} <= {"docker.io", "gcr.io"}


def test_its_head_says_how_it_is_built_by_either():
    head = text(cell_of("scratch-musl")).partition("FROM")[0].splitlines()
    assert all(line.startswith("#") for line in head)
    assert "#   podman build --tag me/app:1 --file Containerfile ." in head
    assert "#   docker build --tag me/app:1 --file Containerfile ." in head
    assert not [line for line in head if "--secret" in line]
    with_crates = text(cell_of("scratch-musl", needs_crates=True))
    assert "#   --secret id=bareboat-cargo-config,src=$HOME/.cargo/config.toml\n" in with_crates
    assert "--mount=type=secret,id=bareboat-cargo-config," in with_crates


def test_images_are_pinned_as_the_lock_has_them():
    locked = text(cell_of("debian-slim"), Lock(registry={GNU: DIGEST}))
    assert f"FROM docker.io/library/rust@{DIGEST} AS compile\n" in locked
    assert f"# {GNU} is pinned to {DIGEST}.\n" in locked
    assert "# docker.io/library/debian:trixie-slim is a tag: it may come to mean another image.\n" in locked
    # What another compiler left is not taken for this one's.
    assert f"-{'a' * 12},target=/target" in locked


def test_what_comes_of_a_debian_package_is_copied_from_the_smallest_image_that_has_it():
    written = text(cell_of("scratch-musl-net"), Lock(registry={STATIC: DIGEST}))
    pinned = f"gcr.io/distroless/static-debian13@{DIGEST}"
    bundle = "/etc/ssl/certs/ca-certificates.crt"
    assert f"COPY --from={pinned} --chmod=0644 {bundle} {bundle}\n" in written
    assert f"COPY --from={pinned} /usr/share/zoneinfo/ /usr/share/zoneinfo/\n" in written


def test_a_package_that_no_public_image_has_is_refused():
    book = replace(BOOK, recipes=tuple(one for one in BOOK.recipes if not one.name.startswith("distroless")))
    with pytest.raises(
        SelectionError, match="takes Debian's package 'ca-certificates', and no recipe names a registry"
    ):
        text(cell_of("scratch-musl-net", book), book=book)


def test_a_base_that_no_registry_has_is_refused():
    debian = next(recipe for recipe in BOOK.recipes if recipe.name == "debian-slim")
    book = replace(BOOK, recipes=(replace(debian, base=replace(debian.base, image=None)),))
    with pytest.raises(
        SelectionError, match=r'needs base debian-slim, which no registry has: give it `image = "\.\.\."`'
    ):
        text(cell_of("debian-slim", book), book=book)


@pytest.mark.parametrize(
    ("recipe", "crates", "packages", "installs"),
    [
        ("debian-slim", (), (), ""),
        ("debian-slim", ("serde",), (), ""),
        ("debian-slim", (), ("libpq-dev",), "apt-get install --yes --no-install-recommends libpq-dev pkgconf &&"),
        (
            "debian-slim",
            ("openssl-sys",),
            (),
            "apt-get install --yes --no-install-recommends libssl-dev make perl pkgconf",
        ),
        ("scratch-musl", ("openssl-sys",), (), "apk add --no-cache make perl pkgconf\n"),
    ],
)
def test_a_public_toolchain_is_given_what_ours_has(recipe, crates, packages, installs):
    written = text(cell_of(recipe, toolchain_packages=packages), crates=crates)
    assert (" AS toolchain\nRUN " in written) == bool(installs)
    assert installs in written
    assert ("FROM toolchain AS compile\n" in written) == bool(installs)


@pytest.mark.parametrize(
    ("recipe", "changes", "known", "words"),
    [
        (
            "scratch-musl",
            {"toolchain_packages": ("libpq-dev",)},
            {},
            "compiled with libpq-dev of Debian, and docker.io/",
        ),
        ("scratch-musl", {}, {"large_file_names": ("open64",)}, "asks for open64: musl has dropped them"),
        ("scratch-musl-dynamic", {}, {}, "which libraries of docker.io/library/rust:1-alpine it needs is not known"),
    ],
)
def test_what_a_public_toolchain_does_otherwise_than_ours_is_refused(recipe, changes, known, words):
    with pytest.raises(SelectionError, match=words):
        text(cell_of(recipe, **changes), **known)


def test_a_dynamic_program_that_ran_with_the_public_musl_is_known():
    assert f"FROM {MUSL} AS compile\n" in text(cell_of("scratch-musl-dynamic"), measured=True)


def test_what_an_earlier_run_brought_comes_aboard():
    mend = Mend(recipe="scratch-musl", provision="tz", why="it lacks the time zones' data")
    assert f"COPY --from={STATIC} /usr/share/zoneinfo/ " in text(cell_of("scratch-musl", mends=(mend,)))


def test_a_service_says_its_ports_and_how_it_is_ended():
    written = text(cell_of("scratch-musl"), service=Service(ports=(80, 8080), heeds=False))
    assert written.endswith('ENTRYPOINT ["/hello-world"]\nEXPOSE 80\nEXPOSE 8080\n')
    assert "does not heed SIGTERM: run it with --init.\n" in written
    assert "EXPOSE" not in text(cell_of("scratch-musl"), service=Service())


def test_arguments_of_the_plain_run_are_the_images_and_those_of_a_test_are_not():
    plain = replace(AS_IT_STANDS, arguments=("--root", 'a "b"'))
    assert text(cell_of("scratch-musl", expectations=(plain,))).endswith('\nCMD ["--root", "a \\"b\\""]\n')
    assert "CMD" not in text(cell_of("scratch-musl", expectations=(replace(plain, exit_code=0),)))


def test_a_c_library_of_ones_own_comes_in_by_an_option_that_its_head_names():
    recipe = next(one for one in BOOK.recipes if one.name == "scratch-musl")
    compiled = replace(recipe.compile, libc="other", sysroot="~/own")
    sysroot = Sysroot(path="~/own", folder=Path("/home/me/own"), digest="d" * 64, movable=True)
    book = replace(BOOK, recipes=(replace(recipe, compile=compiled),), sysroots=(sysroot,))
    written = text(cell_of("scratch-musl", book=book), book=book)
    head = written.partition("FROM")[0]
    assert "folder that scratch-musl.toml calls ~/own:\n#   --build-context bareboat-sysroot=FOLDER\n" in head
    assert "from=bareboat-sysroot," in written
    assert "/home/me" not in written
    assert "sysroot" not in text(cell_of("scratch-musl"))
