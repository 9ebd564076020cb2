"""Reading an image: both kinds of archive, the merge of layers, links, and everything that untrusted bytes can do."""

from __future__ import annotations

import gzip
import hashlib
import json
import struct
import tarfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bareboat.archive import File, Image, ImageConfig, open_image
from bareboat.errors import BareboatError
from tests.unit.image_builder import (
    CONFIG,
    digest,
    entry,
    folder,
    hard_link,
    make_config,
    make_layer,
    symlink,
    write_docker_archive,
    write_oci_archive,
)

RUN = {
    "User": "65532:65532",
    "Entrypoint": ["/app"],
    "Cmd": ["serve"],
    "Env": ["A=b"],
    "WorkingDir": "/srv",
    "Labels": {"k": "v"},
}


@pytest.fixture
def image_of(tmp_path):
    def make(*layers: bytes) -> Image:
        return open_image(write_docker_archive(tmp_path / "image.tar", *layers))

    return make


@pytest.mark.parametrize("write", [write_docker_archive, write_oci_archive])
def test_both_kinds_of_archive_give_the_same_image(tmp_path, write):
    layers = (make_layer(folder("etc/"), entry("etc/a", b"aa", mode=0o4755, uid=7, gid=8)), make_layer(entry("b")))
    config = make_config(layers, config=RUN)
    image = open_image(write(tmp_path / "image.tar", *layers, config=config))
    assert image.id == digest(config)
    assert image.references == ("localhost/x:1",)
    assert image.config == ImageConfig(
        user="65532:65532",
        entrypoint=("/app",),
        command=("serve",),
        env=("A=b",),
        working_dir="/srv",
        labels={"k": "v"},
    )
    assert [(layer.diff_id, layer.size_bytes) for layer in image.layers] == [(digest(t), len(t)) for t in layers]
    assert [b"".join(layer.chunks()) for layer in image.layers] == list(layers)
    file = File(
        path="etc/a",
        kind="file",
        mode=0o4755,
        uid=7,
        gid=8,
        size_bytes=2,
        sha256=hashlib.sha256(b"aa").hexdigest(),
        target="",
    )
    assert image.files()["etc/a"] == file
    assert list(image.files()) == ["b", "etc", "etc/a"]
    assert image.read("/etc/a") == image.read("etc/a") == b"aa"


def test_a_config_that_says_nothing_and_one_of_null_are_empty(tmp_path):
    for extra in ({}, {"config": None}, {"config": dict.fromkeys(RUN)}):
        config = make_config((), **extra)
        assert open_image(write_docker_archive(tmp_path / "i", config=config)).config == ImageConfig()


def test_every_kind_of_entry_keeps_what_it_is(image_of):
    members = (
        folder("./tmp", mode=0o1777),
        symlink("./l", "/etc/x"),
        hard_link("h", "./f"),
        entry("f", b"text", mode=0o644),
        entry("dev/null", kind=tarfile.CHRTYPE, mode=0o666),
        entry("pipe", kind=tarfile.FIFOTYPE),
    )
    first = make_layer(members[0], members[1], members[3], members[2], *members[4:])
    files = image_of(first).files()
    assert {path: (file.kind, file.target, file.size_bytes) for path, file in files.items()} == {
        "tmp": ("directory", "", 0),
        "l": ("symlink", "/etc/x", 0),
        "h": ("hardlink", "f", 0),
        "f": ("file", "", 4),
        "dev": ("directory", "", 0),
        "dev/null": ("device", "", 0),
        "pipe": ("fifo", "", 0),
    }
    assert files["tmp"].mode == 0o1777
    assert files["dev"].mode == 0o755
    assert files["h"].sha256 == files["f"].sha256 == hashlib.sha256(b"text").hexdigest()


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_long_and_foreign_names_and_large_owners(image_of, form):
    path, target = "d" * 90 + "/" + "ü" * 200, "t" * 180
    image = image_of(make_layer(entry(path, b"x", uid=3_000_000_000), symlink("l" * 150, target), form=form))
    assert image.read(path) == b"x"
    assert image.files()[path].uid == 3_000_000_000
    assert image.files()["l" * 150].target == target


BASE = make_layer(folder("d"), entry("d/a", b"1"), entry("d/b", b"2"), folder("d/sub"), entry("d/sub/c"), entry("f"))


@pytest.mark.parametrize(
    ("upper", "left"),
    [
        ((entry("d/.wh.a"),), {"d", "d/b", "d/sub", "d/sub/c", "f"}),
        ((entry("d/.wh.sub"),), {"d", "d/a", "d/b", "f"}),
        ((entry(".wh.d"),), {"f"}),
        ((entry("d/.wh..wh..opq"),), {"d", "f"}),
        ((entry("d/new"), entry("d/.wh..wh..opq")), {"d", "d/new", "f"}),  # hides lower layers, not its own
        ((entry("d/a", b"3"), entry("d/.wh.a")), {"d", "d/a", "d/b", "d/sub", "d/sub/c", "f"}),
        ((entry("d"),), {"d", "f"}),
        ((symlink("d", "f"),), {"d", "f"}),
        ((folder("d", mode=0o700),), {"d", "d/a", "d/b", "d/sub", "d/sub/c", "f"}),
        ((entry("f/x"),), {"d", "d/a", "d/b", "d/sub", "d/sub/c", "f", "f/x"}),
        ((entry("no/.wh.thing"), entry("d/.wh..wh.plnk")), {"d", "d/a", "d/b", "d/sub", "d/sub/c", "f"}),
        ((folder("./"),), {"d", "d/a", "d/b", "d/sub", "d/sub/c", "f"}),
        ((folder("d"), folder("d/")), {"d", "d/a", "d/b", "d/sub", "d/sub/c", "f"}),  # some builders repeat folders
    ],
)
def test_an_upper_layer_hides_replaces_and_adds(image_of, upper, left):
    assert set(image_of(BASE, make_layer(*upper)).files()) == left


def test_the_upper_layers_content_and_mode_win(image_of):
    image = image_of(BASE, make_layer(entry("d/a", b"new"), folder("d", mode=0o700)))
    assert image.read("d/a") == b"new"
    assert image.files()["d"].mode == 0o700


def test_a_hard_link_outlives_what_it_was_made_from(image_of):
    image = image_of(BASE, make_layer(hard_link("h", "d/a"), hard_link("h2", "h")), make_layer(entry(".wh.d")))
    assert image.read("h") == image.read("h2") == b"1"


def test_symlinks_are_followed_inside_the_root(image_of):
    image = image_of(
        make_layer(
            entry("usr/lib/x.so.1", b"lib"),
            symlink("lib", "usr/lib"),
            symlink("usr/lib/x.so", "x.so.1"),
            symlink("usr/bin", "../lib/./"),
            symlink("abs", "/lib/x.so"),
            hard_link("second", "abs"),
        )
    )
    for path in ("lib/x.so", "usr/bin/x.so", "abs", "second", "/usr/bin/../lib/x.so"):
        assert image.read(path) == b"lib"
        assert image.find(path).path == "usr/lib/x.so.1"
    assert image.find("lib/none") is image.find("abs/none") is image.find("abs/..") is None
    assert image.find("/").kind == "directory"


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("out", "leaves the root"),
        ("../x", "leaves the root"),
        ("loop", "more than 40 symlinks"),
        ("self/x", "more than 40 symlinks"),
        ("none", "there is no none"),
        ("d", "is a directory"),
        ("pipe", "is a fifo"),
    ],
)
def test_reading_what_cannot_be_read_is_one_clear_error(image_of, path, why):
    image = image_of(
        make_layer(
            symlink("out", "../../etc/passwd"),
            symlink("loop", "pool"),
            symlink("pool", "loop"),
            symlink("self", "./self"),
            folder("d"),
            entry("pipe", kind=tarfile.FIFOTYPE),
        )
    )
    with pytest.raises(BareboatError, match=why):
        image.read(path)


@pytest.mark.parametrize(
    ("members", "why"),
    [
        ((entry("/etc/passwd"),), "absolute"),
        ((entry("a/../../b"),), "leaves its folder"),
        ((folder(".."),), "leaves its folder"),
        ((entry("a"), entry("a")), "twice"),
        ((entry("a"), entry("./a")), "twice"),
        ((folder("a"), symlink("a", "b")), "twice"),
        ((folder("b"), symlink("a", "b"), entry("a/x")), "goes through 'a'"),
        ((entry("a/x"), symlink("a", "b")), "twice"),
        ((hard_link("h", "none"),), "hard link"),
        ((hard_link("h", "h"),), "hard link"),
        ((hard_link("h", "../../etc/shadow"),), "leaves its folder"),
        ((hard_link("h", "/etc/shadow"),), "absolute"),
        ((folder("d"), hard_link("h", "d")), "hard link"),
        ((symlink("s", ""),), "target"),
        ((symlink("s", "x" * 5000),), "target"),
        ((entry("d/.wh.."),), "names nothing"),
        ((entry("d/.wh."),), "names nothing"),
        ((entry("."),), "the root is a file"),
        ((entry("x" * 5000),), "no path"),
        ((entry("s", kind=tarfile.GNUTYPE_SPARSE),), "type b'S'"),
    ],
)
def test_a_layer_that_would_harm_an_unpacker_is_one_clear_error(image_of, members, why):
    with pytest.raises(BareboatError, match=why):
        image_of(make_layer(*members)).files()


def _with_header(layer: bytes, offset: int, value: bytes) -> bytes:
    """The layer with bytes of its first header replaced, and the checksum made right."""
    header = bytearray(layer[:512])
    header[offset : offset + len(value)] = value
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header) + layer[512:]


FILE = make_layer(entry("a", b"x" * 1000))


@pytest.mark.parametrize(
    ("layer", "why"),
    [
        (FILE[:700], "cut off"),
        (FILE[:1536], "cut off"),
        (FILE[:100], "cut off"),
        (b"", "cut off"),
        (b"not a tar" * 100, "not a tar"),
        (_with_header(FILE, 124, b"\xff" * 12), "negative size"),
        (_with_header(FILE, 124, b"\x80" + bytes(3) + b"\x7f" * 8), "cut off"),
        (_with_header(FILE, 124, b"+12345678901"), "not a tar"),
        (_with_header(FILE, 108, b"\xff" * 8), "negative size or owner"),
        (_with_header(FILE, 156, b"x"), "damaged pax"),
        (_with_header(FILE, 156, b"L"), "without its entry"),
        (_with_header(_with_header(FILE, 124, b"77777777777\0"), 156, b"L"), "extended header of"),
        (_with_header(FILE, 156, b"M"), "type b'M'"),
        (FILE[:1536] + b"\xff" * 2048, "not a tar"),
    ],
)
def test_a_damaged_tar_is_one_clear_error(image_of, layer, why):
    with pytest.raises(BareboatError, match=why):
        image_of(layer).files()


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        ("size", "-1", "pax header with size"),
        ("uid", "1" * 30, "pax header with uid"),
        ("GNU.sparse.map", "0,1", "sparse"),
        ("path", "a\0b", "no path"),
        ("path", "/etc/x", "absolute"),
    ],
)
def test_a_pax_header_is_not_trusted(image_of, key, value, why):
    member, content = entry("a", b"x")
    member.pax_headers = {key: value}
    with pytest.raises(BareboatError, match=why):
        image_of(make_layer((member, content))).files()


def test_a_layer_that_is_not_what_its_config_names_is_refused(tmp_path):
    config = make_config((make_layer(entry("other")),))
    image = open_image(write_docker_archive(tmp_path / "i", FILE, config=config))
    with pytest.raises(BareboatError, match="the config names"):
        image.files()


@pytest.mark.parametrize(
    ("write", "why"),
    [
        (lambda path: path.write_bytes(b""), "cut off"),
        (lambda path: path.write_bytes(b"PK\3\4" + bytes(600)), "not a tar"),
        (lambda path: path.write_bytes(make_layer(entry("x"))), "neither an OCI archive nor a docker-archive"),
        (lambda path: path.write_bytes(make_layer(entry("index.json", b"{"))), "index.json"),
        (lambda path: path.write_bytes(make_layer(entry("index.json", b"[" * 100_000))), "index.json"),
        (lambda path: path.write_bytes(make_layer(entry("manifest.json", b"[]"))), "holds 0 images"),
        (lambda path: path.write_bytes(make_layer(entry("manifest.json", b"x" * (5 << 20)))), "more than Bareboat"),
        (lambda path: path.write_bytes(make_layer(entry("a"), entry("./a"))), "twice"),
        (lambda path: write_oci_archive(path, manifests=[]), "holds 0 images"),
        (lambda path: write_oci_archive(path, manifests=[{"digest": "sha256:../../x"}]), "digest"),
        (lambda path: write_oci_archive(path, manifests=[{"digest": digest(b"no")}]), "lacks"),
        (lambda path: write_docker_archive(path, config=b"{}"), "architecture"),
        (lambda path: write_docker_archive(path, FILE, config=make_config(())), "1 layers"),
        (lambda path: write_oci_archive(path, FILE, pack=lambda tar: b"\x28\xb5\x2f\xfd" + tar), "zstd"),
        (lambda path: write_oci_archive(path, FILE, pack=lambda tar: gzip.compress(tar)[:-20]), "cannot be read"),
        (lambda path: write_oci_archive(path, FILE, pack=lambda tar: gzip.compress(tar)[:15] + b"x" * 99), "read"),
        (lambda path: path.mkdir(), "cannot be read"),
        (lambda path: None, "cannot be read"),  # noqa: ARG005 - nothing is there
    ],
)
def test_an_archive_that_is_not_one_image_is_one_clear_error(tmp_path, write, why):
    path = tmp_path / "image.tar"
    write(path)
    with pytest.raises(BareboatError, match=why):
        open_image(path).files()


def test_an_archive_that_is_cut_off_anywhere_is_one_clear_error(tmp_path):
    whole = write_docker_archive(tmp_path / "whole", FILE).read_bytes().rstrip(b"\0")
    path = tmp_path / "cut"
    for size in (*range(0, len(whole), 512), len(whole)):
        path.write_bytes(whole[:size])
        with pytest.raises(BareboatError):
            open_image(path).files()


def test_a_gzip_bomb_ends_at_the_limit(tmp_path, monkeypatch):
    monkeypatch.setattr("bareboat.archive.image.LAYER_LIMIT_BYTES", 1 << 20)
    layer = make_layer(entry("zeros", bytes(4 << 20)))
    with pytest.raises(BareboatError, match="longer than"):
        open_image(write_oci_archive(tmp_path / "bomb", layer)).files()


def test_reading_writes_nothing(tmp_path, monkeypatch):
    path = write_docker_archive(tmp_path / "i", make_layer(entry("etc/passwd", b"root")))
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    open_image(path).read("etc/passwd")
    assert list((tmp_path / "empty").iterdir()) == []
    assert list(tmp_path.iterdir()) != []


OFFSETS = st.sampled_from([0, 1, 100, 108, 116, 124, 135, 136, 156, 157, 257, 263, 345])
SEED = make_layer(
    folder("d"), entry("d/f", b"x" * 600), symlink("l", "d/f"), hard_link("h", "d/f"), entry("é" * 80, b"y")
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    block=st.integers(0, 12),
    changes=st.lists(st.tuples(OFFSETS, st.binary(min_size=1, max_size=12)), max_size=3),
    kept=st.none() | st.integers(0, len(SEED)),
)
def test_no_layer_brings_anything_but_files_or_a_bareboat_error(tmp_path, block, changes, kept):
    layer = SEED
    for offset, value in changes:
        layer = layer[: block * 512] + _with_header(layer[block * 512 :], offset, value)
    image = open_image(write_docker_archive(tmp_path / "fuzz", layer[:kept]))
    assert isinstance(_list_or_refuse(image), int | BareboatError)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(offset=st.integers(0, 12_000), value=st.binary(min_size=1, max_size=8))
def test_nor_does_any_archive(tmp_path, offset, value):
    data = bytearray(write_oci_archive(tmp_path / "seed", FILE).read_bytes())
    data[offset : offset + len(value)] = value
    (tmp_path / "fuzz").write_bytes(data)
    try:
        image = open_image(tmp_path / "fuzz")
    except BareboatError:
        return
    assert isinstance(_list_or_refuse(image), int | BareboatError)


def _list_or_refuse(image: Image) -> int | BareboatError:
    try:
        return sum(len(image.read(path)) for path, file in image.files().items() if file.sha256)
    except BareboatError as error:
        return error


def test_forty_symlinks_are_followed_as_linux_does_and_not_one_more(image_of):
    links = (symlink(f"l{number}", f"l{number + 1}") for number in range(41))
    image = image_of(make_layer(*links, entry("l41", b"end")))
    assert image.read("l1") == b"end"
    with pytest.raises(BareboatError, match="more than 40"):
        image.read("l0")


def test_a_manifest_list_is_refused(tmp_path):
    kind = "application/vnd.oci.image.index.v1+json"
    path = write_oci_archive(tmp_path / "i", manifests=[{"digest": digest(b"x"), "mediaType": kind}])
    with pytest.raises(BareboatError, match="several platforms"):
        open_image(path)


def test_the_config_may_hold_what_bareboat_does_not_know(tmp_path):
    config = json.dumps(CONFIG | {"rootfs": {"diff_ids": []}, "variant": "v8", "config": {"Volumes": {"/x": {}}}})
    assert open_image(write_docker_archive(tmp_path / "i", config=config.encode())).config == ImageConfig()


def test_sizes_are_of_the_whole_stream_with_its_padding(image_of):
    layer = FILE + bytes(struct.calcsize("512s") * 3)
    assert image_of(layer).layers[0].size_bytes == len(layer)
