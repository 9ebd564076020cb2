"""What lies in an image beside the program: its layers' weight, and the files that who gets in may use."""

from __future__ import annotations

from dataclasses import replace

import pytest
import zstandard

from bareboat.archive import Entry, ImageConfig, KnownLayers, open_image, write_image
from bareboat.elf import read_elf
from bareboat.measurements import Subject, measure_all
from bareboat.result.measurement import NOT_ASKED
from tests.unit.elf_builder import build_elf
from tests.unit.image_builder import (
    entry,
    folder,
    hard_link,
    make_config,
    make_layer,
    symlink,
    write_docker_archive,
    write_oci_archive,
)

PROGRAM = build_elf()
APP = entry("app", PROGRAM, mode=0o755)
LIBRARY = entry("lib/libc.so.6", b"l", mode=0o755)
COUNTED = {"set_id_files", "executables", "shells"}


@pytest.fixture
def subject_of(tmp_path):
    def make(*layers, write=write_docker_archive, **config):
        path = write(tmp_path / "image.tar", *layers, config=make_config(layers, **config))
        image = open_image(path, known=KnownLayers(folder=tmp_path / "known"))
        return Subject(image=image, program_path="/app", program=PROGRAM, elf=read_elf(PROGRAM))

    return make


@pytest.fixture
def counts_of(subject_of):
    def count(*layers, **config):
        return {name: value for name, value in _values(subject_of(*layers, **config)).items() if name in COUNTED}

    return count


def _values(subject: Subject) -> dict:
    return {taken.column.name: taken.value for taken in measure_all(subject)}


def _counts(set_id_files=0, executables=1, shells="none") -> dict:
    return {"set_id_files": set_id_files, "executables": executables, "shells": shells}


def test_an_image_of_a_program_alone_has_one_executable(counts_of):
    assert counts_of(make_layer(APP)) == _counts()


# Each control brings one thing aboard, and only its own columns see it; what any file moves is left out.
CONTROLS = [
    ([entry("etc/passwd", b"p", mode=0o644)], {}),
    ([LIBRARY, entry("lib/ld.so", b"x", mode=0o755)], {}),
    ([entry("bin/tool", b"t", mode=0o755)], {"executables": 2}),
    ([entry("bin/tool", b"t", mode=0o100)], {"executables": 2}),
    ([entry("bin/tool", b"t", mode=0o755), hard_link("bin/too", "bin/tool")], {"executables": 3}),
    ([entry("bin/tool", b"t", mode=0o755), symlink("bin/too", "tool")], {"executables": 2}),
    ([entry("share/some.so-called", b"t", mode=0o755)], {"executables": 2}),
    ([entry("bin/su", b"s", mode=0o4755)], {"set_id_files": 1, "executables": 2}),
    ([entry("bin/wall", b"s", mode=0o2755)], {"set_id_files": 1, "executables": 2}),
    ([entry("data", b"s", mode=0o4644)], {"set_id_files": 1}),
    ([folder("var/mail", mode=0o2775), entry("tmp/x", b"x", mode=0o1644)], {}),
    ([entry("bin/sh", b"s", mode=0o755)], {"shells": "sh", "executables": 2}),
    ([entry("bin/sh", b"s", mode=0o644)], {}),
    ([folder("bin/sh"), entry("home/bash", b"b", mode=0o644)], {}),
    (
        [entry("bin/bash", b"b", mode=0o755), entry("bin/dash", b"d", mode=0o755), symlink("bin/sh", "dash")],
        {"shells": "bash, dash", "executables": 3},
    ),
    (
        [symlink("bin", "usr/bin"), entry("usr/bin/busybox", b"b", mode=0o755), symlink("usr/bin/sh", "/bin/busybox")],
        {"shells": "busybox", "executables": 2},
    ),
    (
        [entry("bin/busybox", b"b", mode=0o755), hard_link("bin/ash", "bin/busybox"), hard_link("bin/sh", "bin/ash")],
        {"shells": "busybox", "executables": 4},
    ),
    ([symlink("bin/sh", "/app")], {"shells": "app"}),
    ([symlink("bin/sh", "nowhere")], {}),
]


@pytest.mark.parametrize(("brought", "moved"), CONTROLS)
def test_what_is_brought_aboard_moves_its_own_columns_only(counts_of, brought, moved):
    assert counts_of(make_layer(APP, *brought)) == _counts() | moved


def test_a_set_id_file_and_a_shell_are_seen_by_exactly_their_columns(subject_of):
    plain = [APP, entry("bin/a", b"a", mode=0o755), entry("bin/b", b"bb", mode=0o755)]
    strange = [APP, entry("bin/a", b"a", mode=0o4755), entry("bin/sh", b"bb", mode=0o755)]
    before, after = (_values(subject_of(make_layer(*members))) for members in (plain, strange))
    for weight in ("transfer_size", "second_image", "pull_seconds"):  # their names pack differently
        before.pop(weight), after.pop(weight)
    moved = {name: value for name, value in after.items() if value != before[name]}
    assert moved == {"set_id_files": 1, "shells": "sh"}


def test_what_a_later_layer_hides_or_replaces_is_not_aboard(counts_of):
    lower = make_layer(APP, entry("bin/sh", b"s", mode=0o755), entry("bin/su", b"s", mode=0o4755))
    assert counts_of(lower) == _counts(set_id_files=1, executables=3, shells="sh")
    assert counts_of(lower, make_layer(entry("bin/.wh..wh..opq"))) == _counts()
    assert counts_of(lower, make_layer(entry("bin/.wh.sh"), entry("bin/su", b"s", mode=0o755))) == _counts(
        executables=2
    )


def test_a_shell_is_looked_for_in_the_folders_of_the_images_path(counts_of):
    layer = make_layer(APP, entry("busybox/sh", b"s", mode=0o755))
    assert counts_of(layer)["shells"] == "none"
    assert counts_of(layer, config={"Env": ["PATH=/usr/bin:/busybox:relative"]})["shells"] == "sh"


def test_links_that_no_system_follows_are_the_reason_why_shells_are_not_told(subject_of):
    taken = {one.column.name: one for one in measure_all(subject_of(make_layer(APP, symlink("bin/sh", "sh"))))}
    assert "goes through more than 40 symlinks" in taken["shells"].why


LAYERS = (make_layer(APP, entry("a", b"text " * 100_000)), make_layer(entry("b", bytes(range(256)) * 3_000)))


def test_zstd_is_taken_where_it_is_asked_for_alone(subject_of):
    (taken,) = (one for one in measure_all(subject_of(*LAYERS)) if one.column.name == "transfer_zstd")
    assert (taken.value, taken.why) == (None, NOT_ASKED)


@pytest.mark.parametrize("write", [write_docker_archive, write_oci_archive])
def test_zstd_weighs_each_layer_as_one_frame_without_a_checksum(subject_of, write):
    packed = [zstandard.ZstdCompressor(level=19, write_checksum=False).compress(layer) for layer in LAYERS]
    assert all(zstandard.get_frame_parameters(each).has_checksum is False for each in packed)
    assert _values(replace(subject_of(*LAYERS, write=write), thorough=True))["transfer_zstd"] == sum(map(len, packed))


def test_a_layer_is_packed_once_in_its_life(subject_of, monkeypatch):
    weight = _values(replace(subject_of(*LAYERS), thorough=True))["transfer_zstd"]
    image = subject_of(*LAYERS).image
    monkeypatch.setattr(type(image.layers[0]), "chunks", None)
    assert sum(layer.zstd_bytes() for layer in image.layers) == weight


def test_a_second_image_costs_what_is_not_its_bases(tmp_path):
    base = open_image(write_docker_archive(tmp_path / "base.tar", *LAYERS))
    write_image([Entry(path="app", content=PROGRAM)], ImageConfig(), reference="x", to=tmp_path / "on.tar", base=base)
    image = open_image(tmp_path / "on.tar", base=base)
    values = _values(Subject(image=image, program_path="/app", program=PROGRAM, elf=read_elf(PROGRAM)))
    assert values["second_image"] == image.layers[-1].gzip_bytes()
    assert values["transfer_size"] == values["second_image"] + sum(layer.gzip_bytes() for layer in base.layers)
