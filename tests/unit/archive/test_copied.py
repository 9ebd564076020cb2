"""What was copied out of an image: what may come aboard, and what is refused by name."""

from __future__ import annotations

import io
import tarfile

import pytest

from bareboat.archive import Entry, read_copied, stays_inside
from bareboat.errors import BareboatError


def member(name, kind=tarfile.REGTYPE, content=b"", mode=0o644, link=""):
    info = tarfile.TarInfo(name)
    info.type, info.mode, info.size, info.linkname = kind, mode, len(content), link
    return info, content


def tar_of(*members):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for info, content in members:
            tar.addfile(info, io.BytesIO(content))
    return stream.getvalue()


TOP = member("zones", tarfile.DIRTYPE, mode=0o750)


def test_one_file_has_the_empty_path():
    assert read_copied(tar_of(member("libc.so.6", content=b"code", mode=0o755)), "x") == (
        Entry(path="", mode=0o755, content=b"code"),
    )


def test_a_folder_comes_with_all_that_is_in_it_and_links_stay_links():
    tar = tar_of(
        TOP,
        member("zones/a", content=b"A"),
        member("zones/b", tarfile.SYMTYPE, link="a"),
        member("zones/c", tarfile.LNKTYPE, link="zones/a"),
        member("zones/d", tarfile.SYMTYPE, link="/etc/localtime"),
        member("zones/sub", tarfile.DIRTYPE, mode=0o755),
    )
    assert read_copied(tar, "x") == (
        Entry(path="", kind="directory", mode=0o750),
        Entry(path="a", content=b"A"),
        Entry(path="b", kind="symlink", mode=0o777, target="a"),
        Entry(path="c", content=b"A"),
        Entry(path="d", kind="symlink", mode=0o777, target="/etc/localtime"),
        Entry(path="sub", kind="directory", mode=0o755),
    )


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ([member("null", tarfile.CHRTYPE)], "it is a device; only files, folders and links come aboard"),
        ([TOP, member("zones/sda", tarfile.BLKTYPE)], "'/sda' is a device"),
        ([TOP, member("zones/pipe", tarfile.FIFOTYPE)], "'/pipe' is a fifo"),
        ([member("su", content=b"x", mode=0o4755)], "it is set-uid or set-gid"),
        ([TOP, member("zones/wall", content=b"x", mode=0o2755)], "'/wall' is set-uid or set-gid"),
        ([TOP, member("zones/a\nb")], "has a character that no name should have"),
        ([TOP, member("zones/a", tarfile.SYMTYPE, link="b\x1b[2J")], "which no name should be"),
        ([TOP, member("zones/a", tarfile.LNKTYPE, link="etc/shadow")], "is a hard link to 'etc/shadow'"),
        ([TOP, member("../escape", content=b"x")], "leaves its folder"),
        ([TOP, member("/etc/passwd", content=b"x")], "is absolute"),
        ([TOP, member("other", content=b"x")], "2 things were copied, not one"),
        ([member("a", content=b"1"), member("a", content=b"2")], "named twice"),
        ([], "0 things were copied, not one"),
    ],
)
def test_what_must_not_come_aboard_is_refused(members, said):
    with pytest.raises(BareboatError) as caught:
        read_copied(tar_of(*members), "toolchain /x")
    assert said in str(caught.value)
    assert str(caught.value).startswith("toolchain /x")


def test_a_loop_of_links_is_a_link_like_any_other():
    tar = tar_of(TOP, member("zones/a", tarfile.SYMTYPE, link="b"), member("zones/b", tarfile.SYMTYPE, link="a"))
    assert [entry.target for entry in read_copied(tar, "x")] == ["", "b", "a"]


@pytest.mark.parametrize(
    ("path", "target", "inside"),
    [
        ("a", "b", True),
        ("a", "..", False),
        ("usr/share/a", "../../etc/passwd", True),
        ("usr/share/a", "../../../etc/passwd", False),
        ("usr/share/a", "x/../../../..", False),
        ("usr/share/a", "/../etc", False),
        ("usr/share/a", "/etc/localtime", True),
        ("usr/share/a", "./../.././x", True),
    ],
)
def test_a_link_must_not_climb_out_of_the_root(path, target, inside):
    assert stays_inside(Entry(path=path, kind="symlink", target=target)) == inside


@pytest.mark.parametrize("length", [1, 511, 512, 700, 1023])
def test_a_tar_that_is_cut_off_is_told(length):
    tar = tar_of(member("a", content=b"x" * 600))
    with pytest.raises(BareboatError):
        read_copied(tar[:length], "x")
