"""Which package owns a file, held against databases written by hand, our own distroless images, and dpkg itself."""

from __future__ import annotations

import hashlib
import random
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bareboat.bootstrap.deb import Deb
from bareboat.bootstrap.distroless import lay_out
from bareboat.bootstrap.tar import Link, RegularFile
from bareboat.closure.owners import DATABASES, Owner, Owners, dump_owners, is_database, load_owners, read_owners
from bareboat.inputs.lock import Pinned

GCC = Owner(name="libgcc-s1", version="12.2.0-14")
DASH = Owner(name="dash", version="0.5.12-2")
STATUS = b"""\
Package: dash
Status: install ok installed
Version: 0.5.12-2
Description: a shell
 Version: 9 is no field of this line
 .

Package: libgcc-s1
Architecture: amd64
Version: 12.2.0-14

Package: libgcc-s1
Architecture: i386
Version: 12.2.0-15
"""
DPKG = {
    "var/lib/dpkg/status": STATUS,
    "var/lib/dpkg/info/dash.list": b"/.\n/bin\n/bin/dash\n/bin/sh\n/usr\n/usr/share\n/usr/share/doc\n",
    "var/lib/dpkg/info/libgcc-s1:amd64.list": b"/.\n/lib\n/lib/x\n/lib/x/libgcc_s.so.1\n",
    "var/lib/dpkg/info/libgcc-s1:i386.list": b"/.\n/lib\n/lib/i386\n/lib/i386/libgcc_s.so.1\n",
}
APK = b"""\
C:Q1x=
P:musl
V:1.2.5-r9
F:lib
R:ld-musl-x86_64.so.1
a:0:0:755
Z:Q1y=
R:libc.musl-x86_64.so.1

P:libgcc
V:14.2.0-r4
F:usr/lib
R:libgcc_s.so.1
F:
R:top
"""
MUSL, LIBGCC = Owner(name="musl", version="1.2.5-r9"), Owner(name="libgcc", version="14.2.0-r4")


def test_dpkg_says_who_owns_a_file_and_of_which_version():
    owners = read_owners(DPKG)
    assert owners.of("bin/dash") == DASH
    assert owners.of("/lib/x/libgcc_s.so.1") == GCC
    assert owners.of("lib/i386/libgcc_s.so.1") == Owner(name="libgcc-s1", version="12.2.0-15")


def test_a_folder_with_something_in_it_is_nobodys():
    owners = read_owners(DPKG)
    assert [owners.of(path) for path in ("", "/", ".", "bin", "lib/x", "usr/share", "lib/none")] == [None] * 7


@pytest.mark.parametrize(
    ("listed", "asked"),
    [
        ("lib/x/a", "usr/lib/x/a"),
        ("usr/lib/x/a", "lib/x/a"),
        ("lib64/ld", "/usr/lib64/ld"),
        ("usr/sbin/a", "sbin/a"),
        ("bin/a", "usr/bin/a"),
        ("usr/bin/a", "bin/a"),
        ("usr/lib/a", "/usr//lib/./x/../a"),
    ],
)
def test_a_merged_usr_is_seen_through_both_ways(listed, asked):
    owners = read_owners({"var/lib/dpkg/info/dash.list": f"/{listed}\n".encode()})
    assert owners.of(asked) == Owner(name="dash", version="")


@pytest.mark.parametrize(("listed", "asked"), [("opt/a", "usr/opt/a"), ("usr/share/a", "share/a"), ("libx/a", "lib/a")])
def test_no_other_folders_are_one(listed, asked):
    assert read_owners({"var/lib/dpkg/info/dash.list": f"/{listed}\n".encode()}).of(asked) is None


def test_the_path_as_it_is_comes_before_the_other_spelling():
    files = {
        "lib/apk/db/installed": b"P:one\nV:1\nF:lib\nR:a\n\nP:two\nV:2\nF:usr/lib\nR:a\n",
    }
    owners = read_owners(files)
    assert (owners.of("lib/a"), owners.of("usr/lib/a")) == (
        Owner(name="one", version="1"),
        Owner(name="two", version="2"),
    )


@pytest.mark.parametrize("database", ["lib/apk/db/installed", "usr/lib/apk/db/installed"])
def test_apk_says_who_owns_a_file_and_of_which_version(database):
    owners = read_owners({database: APK})
    assert owners.paths == {
        "lib/ld-musl-x86_64.so.1": MUSL,
        "lib/libc.musl-x86_64.so.1": MUSL,
        "usr/lib/libgcc_s.so.1": LIBGCC,
        "top": LIBGCC,
    }


def test_our_own_distroless_images_are_read():
    deb = Deb(
        pinned=Pinned(name="libgcc-s1", version=GCC.version, sha256="0" * 64),
        control=f"Package: {GCC.name}\nVersion: {GCC.version}\nDescription: a library\n more\n",
        md5sums={"lib/x/libgcc_s.so.1": "0" * 32, "usr/share/doc/libgcc-s1/copyright": "1" * 32},
        files={
            "lib/x/libgcc_s.so.1": RegularFile(content=b"a"),
            "usr/share/doc/libgcc-s1/copyright": RegularFile(content=b"c"),
            "lib/x/link": Link(target="libgcc_s.so.1"),
        },
    )
    tree = lay_out([deb])
    owners = read_owners({path: node.content for path, node in tree.items() if isinstance(node, RegularFile)})
    assert owners.paths == {"usr/lib/x/libgcc_s.so.1": GCC, "usr/share/doc/libgcc-s1/copyright": GCC}
    assert owners.of("lib/x/libgcc_s.so.1") == GCC


def test_providers_are_every_path_of_that_name_sorted():
    owners = read_owners(DPKG | {"usr/lib/apk/db/installed": APK})
    assert owners.providers("libgcc_s.so.1") == (
        ("lib/i386/libgcc_s.so.1", Owner(name="libgcc-s1", version="12.2.0-15")),
        ("lib/x/libgcc_s.so.1", GCC),
        ("usr/lib/libgcc_s.so.1", LIBGCC),
    )
    assert owners.providers("gcc_s.so.1") == ()
    assert owners.providers("top") == (("top", LIBGCC),)


def test_a_diverted_path_belongs_to_who_diverts_it():
    perf, other = Owner(name="perf", version=""), Owner(name="other", version="")
    files = {
        "var/lib/dpkg/info/other.list": b"/usr/bin/perf\n/etc/a\n",
        "var/lib/dpkg/info/perf.list": b"/usr/bin/perf\n",
        "var/lib/dpkg/diversions": b"/usr/bin/perf\n/usr/bin/perf.other\nperf\n/etc/a\n/etc/a.orig\n:\n/cut/off\n",
    }
    assert read_owners(files).paths == {"usr/bin/perf": perf, "usr/bin/perf.other": other, "etc/a.orig": other}


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"var/lib/dpkg/info/dash.list": b"\n\n/\n/.\n" + b"/" + b"a" * 5000},
        {"var/lib/dpkg/info/dash.postinst": b"/bin/dash\n"},
        {"var/lib/dpkg/info/below/dash.list": b"/bin/dash\n"},
        {"var/lib/dpkg/status.d/dash": b"Package: dash\n"},
        {"var/lib/dpkg/status.d/dash.md5sums": b"0" * 32 + b"  bin/dash\n"},
        {"var/lib/dpkg/status.d/dash": b"Package: dash\n", "var/lib/dpkg/status.d/dash.md5sums": b"xyz  bin/dash\n"},
        {"var/lib/dpkg/status.d/dash": b"Version: 1\n", "var/lib/dpkg/status.d/dash.md5sums": b"0" * 32 + b"  a\n"},
        {"lib/apk/db/installed": b"V:1\nF:lib\nR:a\n"},
        {"lib/apk/db/installed": b"P:x\nF:lib\nR:\nlib/a\n"},
        {"somewhere/else": b"P:x\nF:lib\nR:a\n"},
    ],
)
def test_what_says_nothing_is_passed_over(files):
    assert read_owners(files) == Owners(paths={})


def test_names_that_are_no_unicode_keep_their_bytes():
    owners = read_owners({"var/lib/dpkg/info/dash.list": b"/opt/\xff\n/opt/a\x0cb\n"})
    assert owners.of("opt/\udcff") == owners.of("opt/a\x0cb") == Owner(name="dash", version="")


@given(
    st.dictionaries(
        st.sampled_from([wanted.replace("*", name) for wanted in DATABASES for name in ("a", "a.md5sums", "b:c")]),
        st.lists(
            st.sampled_from(
                [b"/a", b"P:", b"P:x", b"F:..", b"R:y", b"R:../..", b"Package: a", b"0" * 32 + b"  q", b"", b" ", b":"]
            )
            | st.binary(max_size=20)
        ).map(b"\n".join),
    )
)
def test_no_bytes_bring_anything_but_owners_of_paths_inside(files):
    owners = read_owners(files)
    for path, owner in owners.paths.items():
        assert not path.startswith(("/", "../"))
        assert path not in {"", "..", "."}
        assert owners.of(path) == owner
        assert owner.name
        assert (path, owner) in owners.providers(path.rpartition("/")[2])


def test_what_is_asked_for_is_a_database():
    assert all(map(is_database, DPKG))
    assert not any(map(is_database, ["var/lib/dpkg/status-old", "usr/lib/dpkg/status", "var/lib/dpkg/info/a.md5sums"]))


@pytest.mark.skipif(
    shutil.which("dpkg-query") is None or not Path("/var/lib/dpkg/status").is_file(),
    reason="no packages of dpkg's here to ask of; the formats are tested above",
)
@pytest.mark.starts_processes("the machine's own dpkg is asked")
def test_dpkg_says_the_same_of_this_machine():
    root = Path("/")
    found = [path for wanted in DATABASES for path in root.glob(wanted)]
    owners = read_owners({str(path.relative_to(root)): path.read_bytes() for path in found})
    paths = [path for path in sorted(owners.paths) if not set(path) & set("*?[\\")]
    asked = [f"/{path}" for path in random.Random(1).sample(paths, 400)]
    command = ["dpkg-query", "--search", *asked]
    said = subprocess.run(command, capture_output=True, text=True, check=False, env={"LC_ALL": "C.UTF-8"}).stdout
    lines = [line.rpartition(": ")[::2] for line in said.splitlines() if not line.startswith("diversion by ")]
    answers = {path: {name.partition(":")[0] for name in names.split(", ")} for names, path in lines}
    assert len(answers) > 390
    assert {path: owners.of(path).name in names for path, names in answers.items()} == dict.fromkeys(answers, True)
    versions = subprocess.run(["dpkg-query", "--show"], capture_output=True, text=True, check=True).stdout
    known = {(name.partition(":")[0], version) for name, version in map(str.split, versions.splitlines())}
    assert {(owner.name, owner.version) for owner in owners.paths.values()} <= known


def test_owners_that_are_kept_are_the_same_and_damage_is_seen():
    owners = read_owners(DPKG)
    kept = dump_owners(owners)
    assert load_owners(kept) == owners
    assert load_owners(dump_owners(Owners(paths={}))) == Owners(paths={})
    head, _, body = kept.partition(b"\n")
    damaged = (
        b"",
        body,
        kept[:-1],
        kept.replace(b"owners 1", b"owners 0"),
        kept.replace(b"dash", b"bash"),
        b"\xff" * 99,
    )
    assert [load_owners(one) for one in damaged] == [None] * len(damaged)
    for other in (b"{}", b'[[["a","1"]],["x"],[1]]', b'[[["a","1"]],["x"],[]]', b'[[["a"]],[],[]]', b"[" * 100_000):
        assert load_owners(head[:-64] + hashlib.sha256(other).hexdigest().encode() + b"\n" + other) is None


def test_owners_of_paths_that_are_no_unicode_are_not_kept():
    assert dump_owners(Owners(paths={"a\udcff": GCC})) == b""
    assert load_owners(b"") is None
