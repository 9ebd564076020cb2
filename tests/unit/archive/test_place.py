"""An image on a base: where its entries come to lie, whose configuration counts, and what its archive holds."""

from __future__ import annotations

import json
import tarfile

import pytest

from bareboat.archive import Entry, ImageConfig, KnownLayers, open_image, write_image
from bareboat.errors import BareboatError

BASE = [
    Entry(path="usr", kind="directory", mode=0o711, uid=3, gid=4),
    Entry(path="usr/lib", kind="directory", mode=0o755),
    Entry(path="usr/lib/libc.so", content=b"code"),
    Entry(path="lib", kind="symlink", target="usr/lib"),
    Entry(path="tmp", kind="directory", mode=0o1777),
    Entry(path="etc/os-release", content=b"debian"),
]
BASE_CONFIG = ImageConfig(
    user="root",
    entrypoint=("/init",),
    command=("-x",),
    env=("A=1", "B=2"),
    working_dir="/w",
    labels={"a": "1", "b": "2"},
)
CONFIG = ImageConfig(user="1:1", entrypoint=("/p",), env=("B=3", "C=4"), labels={"b": "3"})
PROGRAM = Entry(path="p", mode=0o755, content=b"program")


@pytest.fixture
def base(tmp_path):
    write_image(BASE, BASE_CONFIG, reference="localhost/base:x", to=tmp_path / "base.tar")
    return open_image(tmp_path / "base.tar")


@pytest.fixture
def put(base, tmp_path):
    def write(*entries, config=CONFIG):
        archive = tmp_path / "image.tar"
        write_image([PROGRAM, *entries], config, reference="localhost/x:x", to=archive, base=base)
        return open_image(archive, base=base)

    return write


def test_the_image_has_both_layers_and_the_archive_only_its_own(put, base, tmp_path):
    image = put()
    assert [layer.diff_id for layer in image.layers][:1] == [layer.diff_id for layer in base.layers]
    assert (image.read("/p"), image.read("/lib/libc.so")) == (b"program", b"code")
    assert set(image.files()) == {*base.files(), "p"}
    with tarfile.open(tmp_path / "image.tar") as tar:
        blobs = [member for member in tar.getnames() if member.startswith("blobs/")]
    assert len(blobs) == 3, "config, manifest and the new layer"
    with pytest.raises(BareboatError, match="lacks 'blobs/sha256/"):
        open_image(tmp_path / "image.tar")


def test_a_base_is_not_changed_by_what_is_put_upon_it(put, base):
    before = dict(base.files())
    put(Entry(path="etc/os-release", content=b"other"))
    assert (dict(base.files()), base.read("/etc/os-release")) == (before, b"debian")


def test_a_folder_that_is_a_symlink_on_the_base_is_followed(put):
    image = put(Entry(path="lib/x/libx.so", content=b"x"))
    assert image.find("/lib").path == "usr/lib"
    assert image.files()["usr/lib/x/libx.so"].size_bytes == 1
    assert image.files()["lib"].kind == "symlink"


def test_folders_of_the_base_keep_their_mode_and_owner(put):
    files = put(Entry(path="usr/share/x", content=b"x"), Entry(path="tmp", kind="directory", mode=0o700)).files()
    assert (files["usr"].mode, files["usr"].uid, files["usr"].gid) == (0o711, 3, 4)
    assert files["usr/share"].mode == 0o755
    assert files["tmp"].mode == 0o1777


def test_nothing_lies_below_a_file_of_the_base(put):
    with pytest.raises(BareboatError, match="would lie below /etc/os-release of the base, which is a file"):
        put(Entry(path="etc/os-release/x", content=b"x"))


def test_a_base_says_what_the_image_does_not(put):
    config = put().config
    assert config.user == "1:1"
    # A new entrypoint takes the base's command with it.
    assert (config.entrypoint, config.command) == (("/p",), ())
    assert config.env == ("A=1", "B=3", "C=4")
    assert (config.working_dir, dict(config.labels)) == ("/w", {"a": "1", "b": "3"})


def test_what_a_base_says_besides_stays_and_triggers_go(base, tmp_path, monkeypatch):
    said = {"StopSignal": "SIGINT", "Cmd": ["-x"], "OnBuild": ["RUN x"], "ExposedPorts": {"80/tcp": {}}}
    monkeypatch.setattr(base, "config_bytes", json.dumps({"config": said}).encode())
    archive = tmp_path / "image.tar"
    write_image([PROGRAM], CONFIG, reference="localhost/x:x", to=archive, base=base)
    settings = open_image(archive, base=base).runtime_settings()
    assert (settings["StopSignal"], settings["ExposedPorts"]) == ("SIGINT", {"80/tcp": {}})
    assert not {"Cmd", "OnBuild"} & settings.keys()


def test_another_base_is_refused(put, tmp_path):
    put()
    write_image([PROGRAM], CONFIG, reference="localhost/other:x", to=tmp_path / "other.tar")
    with pytest.raises(BareboatError, match="its layers do not begin with those of"):
        open_image(tmp_path / "image.tar", base=open_image(tmp_path / "other.tar"))


def test_what_a_layer_weighs_compressed_is_not_found_out_twice(base):
    (layer,) = base.layers
    known = KnownLayers(folder=base.path.parent / "layers")
    weight = open_image(base.path, known=known).layers[0].gzip_bytes()
    assert weight == layer.gzip_bytes() == known.find_packed_bytes(layer.diff_id, "gzip")
    known.keep_packed_bytes(layer.diff_id, "gzip", 7)
    assert open_image(base.path, known=known).layers[0].gzip_bytes() == 7
