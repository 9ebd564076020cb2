"""An image's bytes by layer, package and file, which add up; and each kind of stowaway, seen as that and no other."""

from __future__ import annotations

import pytest

from bareboat.archive import open_image
from bareboat.breakdown import Origins, break_down, divide_program, find_file, find_stowaways
from bareboat.breakdown.image import NO_PACKAGE, PROGRAM, REPLACED, TAR
from bareboat.closure.owners import Owner, Owners
from tests.unit.elf_builder import build_elf
from tests.unit.image_builder import (
    entry,
    folder,
    hard_link,
    make_layer,
    symlink,
    write_docker_archive,
    write_oci_archive,
)

APP = build_elf(contents=((".text", bytes(range(64))),), loaded=True)
OWNERS = Owners(paths={"usr/lib/libz.so": Owner(name="zlib", version="1.3")})
ORIGINS = Origins(program="app", copies={"etc/certs": "ca-certificates 2026"}, owners=OWNERS, has_base=True)
BASE = make_layer(
    folder("usr/"),
    folder("usr/lib/"),
    entry("usr/lib/libz.so", b"z" * 700),
    hard_link("usr/lib/libz.so.1", "usr/lib/libz.so"),
    symlink("lib", "usr/lib"),
    entry("etc/motd", b"hello\n"),
    entry("etc/gone", b"bye\n"),
)
TOP = make_layer(
    entry("app", APP, mode=0o755), entry("./etc/motd", b"hi\n"), entry("etc/certs/a.pem", b"a"), entry("etc/.wh.gone")
)


def taken_apart(tmp_path, *layers, write=write_docker_archive, origins=ORIGINS):
    image = open_image(write(tmp_path / "image.tar", *layers))
    return image, break_down(image, origins, divide_program(APP, None))


def sums(row):
    if row.rows:
        assert sum(one.size_bytes for one in row.rows) == row.size_bytes, row.name
        assert [one.size_bytes for one in row.rows] == sorted((one.size_bytes for one in row.rows), reverse=True)
    return 1 + sum(sums(one) for one in row.rows)


@pytest.mark.parametrize("write", [write_docker_archive, write_oci_archive])
def test_every_byte_of_every_layer_is_told(tmp_path, write):
    image, row = taken_apart(tmp_path, BASE, TOP, write=write)
    assert row.size_bytes == len(BASE) + len(TOP) == sum(layer.size_bytes for layer in image.layers)
    assert sums(row) > 20
    layers = {layer.name: {group.name: group for group in layer.rows} for layer in row.rows}
    base, top = layers["layer 1 of 2, of the base"], layers["layer 2 of 2"]
    assert {name: group.size_bytes for name, group in base.items()} == {
        "zlib 1.3": 700,
        REPLACED: 10,
        TAR: len(BASE) - 710,
    }
    assert {name: group.size_bytes for name, group in top.items()} == {
        PROGRAM: len(APP),
        NO_PACKAGE: 3,
        "ca-certificates 2026": 1,
        TAR: len(TOP) - len(APP) - 4,
    }
    assert [one.name for one in base[REPLACED].rows] == ["/etc/motd", "/etc/gone"]
    program = find_file(row, "/app")
    assert program is top[PROGRAM].rows[0]
    assert ".text" in {section.name for section in program.rows}
    assert find_file(row, "/nowhere") is None


CLEAN = (
    entry("app", APP, mode=0o755),
    entry("data", b"some data"),
    symlink("more", "data"),
    hard_link("again", "data"),
)
DEBUG = build_elf(contents=((".debug_info", b"d" * 90),))
PATHS = build_elf(contents=((".rodata", b"at /home/me/app/src/main.rscalled Option::unwrap()/rustc/abc/library/x.rs"),))


def stowaways(tmp_path, *members, layers=()):
    image, row = taken_apart(tmp_path, make_layer(*members), *layers)
    return {one.kind: (one.size_bytes, one.count, one.examples) for one in find_stowaways(image, row, "app")}


def test_where_there_are_none_there_are_none(tmp_path):
    assert stowaways(tmp_path, *CLEAN) == {}


@pytest.mark.parametrize(
    ("added", "kind", "found"),
    [
        (entry("twice", b"some data"), "files that are there twice", (9, 1, ("/twice = /data",))),
        (
            entry("usr/share/man/man1/x.1", b"text"),
            "locale and documentation files",
            (4, 1, ("/usr/share/man/man1/x.1",)),
        ),
        (entry("usr/lib/libx.a", b"!<arch>"), "static libraries and objects", (7, 1, ("/usr/lib/libx.a",))),
        (
            entry("var/lib/apt/lists/x", b"list"),
            "lists and caches of a package manager",
            (4, 1, ("/var/lib/apt/lists/x",)),
        ),
        (entry("lib/x.so", DEBUG), "symbols and debug data", (90, 1, ("/lib/x.so",))),
    ],
)
def test_each_is_seen_as_what_it_is_and_as_nothing_else(tmp_path, added, kind, found):
    assert stowaways(tmp_path, *CLEAN, added) == {kind: found}


def test_paths_of_where_it_was_compiled_are_seen_in_the_program(tmp_path):
    found = stowaways(tmp_path, entry("app", PATHS, mode=0o755))
    path = "/home/me/app/src/main.rs"
    assert found == {"paths of the compile, in the program": (len(path), 1, (path,))}


def test_what_a_later_layer_removes_is_aboard_all_the_same(tmp_path):
    found = stowaways(tmp_path, *CLEAN, layers=(make_layer(entry(".wh.data"), entry("app", APP, mode=0o755)),))
    assert set(found) == {f"files {REPLACED}"}
    assert found[f"files {REPLACED}"][2] == ("/app", "/data")
