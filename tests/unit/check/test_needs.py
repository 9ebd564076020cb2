"""What is needed of an image is judged by what is aboard: a manifest from scratch, the files of a base elsewhere."""

from __future__ import annotations

import pytest

from bareboat.archive import Entry, ImageConfig, open_image, write_image
from bareboat.check.needs import Aboard, check_needs, find_lacks, known_needs, provision_of
from bareboat.errors import SelectionError
from bareboat.result.measurement import Column, Measurement
from bareboat.result.values import Completed, ManifestRow, Passed, Result
from tests.unit.project import BOOK, plan_of

ALL = ("shell", "tz", "tls", "user", "tmp", "dns", "/usr/bin/curl")
PASSWD = b"root:x:0:0:::\nnonroot:x:65532:65532:::\n"


def make_result(recipe, *paths, completed=(), **measured):
    rows = tuple(
        ManifestRow(path=path, kind="file", size_bytes=1, mode="0", source="", package="", version="", why="")
        for path in paths
    )
    figures = tuple(
        Measurement(column=Column(name=name, heading="", unit="text", order=1), value=value)
        for name, value in measured.items()
    )
    return Result(
        cell=f"hello-world@{recipe}",
        sample="hello-world",
        recipe=recipe,
        platform="linux/amd64",
        key="",
        outcome=Passed(),
        manifest=rows,
        measurements=figures,
        completed=completed,
    )


@pytest.fixture
def lacks(tmp_path):
    def find(recipe, *entries, needs=ALL, result=None, known=True):
        (cell,) = plan_of(recipe).cells
        base = None
        if cell.base and known:
            write_image(entries, ImageConfig(), reference="x", to=tmp_path / "base.tar")
            base = open_image(tmp_path / "base.tar")
        aboard = Aboard(result=result or make_result(recipe), cell=cell, base=base)
        return find_lacks(needs, aboard, BOOK)

    return find


def file(path, content=b"x", mode=0o644):
    return Entry(path=path, content=content, mode=mode)


def test_a_bare_image_lacks_everything(lacks):
    assert lacks("scratch-glibc") == {
        "shell": "no shell (/bin/sh)",
        "tz": "no /usr/share/zoneinfo",
        "tls": "no /etc/ssl/certs/ca-certificates.crt",
        "user": "no user 65532 in /etc/passwd",
        "tmp": "no /tmp",
        "dns": "no /etc/nsswitch.conf",
        "/usr/bin/curl": "no /usr/bin/curl",
    }


def test_what_the_manifest_has_is_aboard_whatever_the_recipe_says_today(lacks):
    whole = make_result(
        "scratch-glibc",
        *("/usr/share/zoneinfo/", "/etc/ssl/certs/ca-certificates.crt", "/etc/passwd", "/etc/group"),
        *("/home/nonroot/", "/tmp/", "/etc/nsswitch.conf"),
    )
    assert set(lacks("scratch-glibc", result=whole)) == {"shell", "/usr/bin/curl"}
    assert set(lacks("scratch-glibc-net")) == set(ALL)
    curl = Completed(path="/x", to="/usr/bin/curl", why="x")
    assert not lacks("scratch-glibc", needs=["/usr/bin/curl"], result=make_result("scratch-glibc", completed=(curl,)))
    zone = make_result("scratch-glibc", "/usr/share/zoneinfo/")
    assert not lacks("scratch-glibc", needs=["/usr/share/zoneinfo/Europe/Vienna"], result=zone)


def test_a_base_is_asked_for_its_files(lacks):
    everything = [
        file("bin/busybox", mode=0o755),
        Entry(path="bin/sh", kind="symlink", target="busybox", mode=0o777),
        file("usr/share/zoneinfo/UTC"),
        file("etc/ssl/certs/ca-certificates.crt"),
        file("etc/passwd", PASSWD),
        Entry(path="tmp", kind="directory", mode=0o1777),
        file("etc/nsswitch.conf"),
        file("usr/bin/curl", mode=0o755),
    ]
    assert lacks("debian", *everything) == {}
    assert set(lacks("debian")) == set(ALL)


@pytest.mark.parametrize(
    ("need", "entry"),
    [
        ("shell", file("bin/sh", mode=0o644)),
        ("tz", Entry(path="usr/share/zoneinfo", kind="directory", mode=0o755)),
        ("user", file("etc/passwd", b"root:x:0:0:::\n")),
        ("tmp", Entry(path="tmp", kind="directory", mode=0o755)),
        ("tmp", file("tmp")),
    ],
)
def test_what_only_looks_like_it_will_not_do(lacks, need, entry):
    assert set(lacks("debian", entry, needs=[need])) == {need}


def test_who_looks_names_up_itself_needs_no_file(lacks):
    own = {"libc": "other (musl)"}
    for measured in ({"libc": "musl"}, own, {"libc": "gnu", "dns": "hickory (paths, crates); probed"}):
        assert not lacks("scratch-glibc", needs=["dns"], result=make_result("scratch-glibc", **measured))
    system = make_result("scratch-glibc", libc="gnu", dns="getaddrinfo (imports, std)")
    assert lacks("scratch-glibc", needs=["dns"], result=system)


def test_of_a_base_that_is_not_at_hand_only_what_comes_aboard_is_known(lacks):
    assert lacks("debian", needs=["shell"], known=False) == {
        "shell": "a base that is not at hand to be looked into for shell"
    }
    musl = make_result("debian", libc="musl")
    assert lacks("debian", needs=["dns"], known=False, result=musl) == {}


def test_an_unknown_need_is_told_with_what_was_probably_meant():
    check_needs(["shell", "tls", "/any/path", "openssl"], BOOK)
    with pytest.raises(SelectionError, match=r"--need shel: no such need \(did you mean 'shell'\?\)"):
        check_needs(["shel"], BOOK)
    with pytest.raises(SelectionError, match=r"there are: certs, dns, .*, tz, user, /A/PATH"):
        check_needs(["q"], BOOK)
    assert {"shell", "tls", "dns", *(one.name for one in BOOK.provisions)} < set(known_needs(BOOK))


def test_what_brings_a_need_is_a_provision():
    assert provision_of("tls", BOOK).name == "certs"
    assert provision_of("tmp", BOOK).name == "tmp"
    assert provision_of("shell", BOOK) is None
