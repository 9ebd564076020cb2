"""Writing an image: what is written is read back, the bytes are the same each time, what cannot be right is refused."""

from __future__ import annotations

import hashlib
import io
import json
import re
import tarfile
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bareboat.archive import Entry, File, ImageConfig, open_image, wrap_layer, write_image
from bareboat.errors import BareboatError
from tests.unit.image_builder import digest, entry, folder, hard_link, make_layer

CONFIG = ImageConfig(
    user="65532:65532",
    entrypoint=("/app",),
    command=("serve",),
    env=("A=b", "C=d"),
    working_dir="/srv",
    labels={"b": "2", "a": "1"},
    architecture="arm64",
)
REFERENCE = "localhost/bareboat/x:tag"
ENTRIES = (
    Entry(path="app", content=b"\x7fELF", mode=0o755),
    Entry(path="etc/ssl/certs.pem", content=b"pem", uid=1, gid=2, mode=0o4640),
    Entry(path="tmp", kind="directory", mode=0o1777),
    Entry(path="lib", kind="symlink", target="usr/lib", mode=0o777),
)


def test_what_is_written_is_read_back(tmp_path):
    path = tmp_path / "image.tar"
    written = write_image(ENTRIES, CONFIG, reference=REFERENCE, to=path)
    image = open_image(path)
    assert (image.id, image.config, image.references) == (written.image_id, CONFIG, (REFERENCE,))
    assert [(layer.diff_id, layer.size_bytes) for layer in image.layers] == [(written.diff_id, written.size_bytes)]
    assert list(image.files()) == ["app", "etc", "etc/ssl", "etc/ssl/certs.pem", "lib", "tmp"]
    assert image.files()["etc/ssl"] == File(
        path="etc/ssl", kind="directory", mode=0o755, uid=0, gid=0, size_bytes=0, sha256="", target=""
    )
    for made in ENTRIES:
        read = image.files()[made.path]
        assert (read.kind, read.mode, read.uid, read.gid, read.target) == (
            made.kind,
            made.mode,
            made.uid,
            made.gid,
            made.target,
        )
    assert image.read("etc/ssl/certs.pem") == b"pem"


def test_a_health_check_is_in_the_format_that_has_a_place_for_it(tmp_path):
    path = tmp_path / "image.tar"
    write_image(ENTRIES, replace(CONFIG, healthcheck=("/probe", "80")), reference=REFERENCE, to=path)
    image = open_image(path)
    assert json.loads(image.config_bytes)["config"]["Healthcheck"] == {"Test": ["CMD", "/probe", "80"]}
    assert image.read("app") == b"\x7fELF"
    types = {of: set(re.findall(r"application/vnd[^\"]+", text)) for of, text in members(path).items()}
    assert types["index.json"] == {"application/vnd.docker.distribution.manifest.v2+json"}
    write_image(ENTRIES, CONFIG, reference=REFERENCE, to=path)
    assert set(re.findall(r"application/vnd[^\"]+", members(path)["index.json"])) == {
        "application/vnd.oci.image.manifest.v1+json"
    }


def members(path):
    """The text of each member of an archive that is JSON."""
    with tarfile.open(path) as archive:
        found = {member.name: archive.extractfile(member).read() for member in archive}
    return {name: content.decode() for name, content in found.items() if content[:1] == b"{"}


def test_the_bytes_are_those_of_every_other_time_and_host(tmp_path):
    first, second = io.BytesIO(), io.BytesIO()
    written = write_image(ENTRIES, CONFIG, reference=REFERENCE, to=first)
    backwards = ImageConfig(
        **{name: getattr(CONFIG, name) for name in CONFIG.__slots__} | {"labels": {"a": "1", "b": "2"}}
    )
    assert write_image(reversed(ENTRIES), backwards, reference=REFERENCE, to=second) == written
    assert first.getvalue() == second.getvalue()
    write_image(ENTRIES, CONFIG, reference=REFERENCE, to=tmp_path / "image.tar")
    assert (tmp_path / "image.tar").read_bytes() == first.getvalue()
    # A change of the format would change every published image id and every key that a result carries.
    assert written.image_id == IMAGE_ID
    assert written.diff_id == DIFF_ID
    assert hashlib.sha256(first.getvalue()).hexdigest() == ARCHIVE_SHA256


IMAGE_ID = "sha256:5a76f9e6509fc685325360dc174c451c105a051a7f1378f26329117a2a175ce7"
DIFF_ID = "sha256:558df17419848e84fa88fae8da00bccd4ef8b58001bfab7316e9ec5693c203a7"
ARCHIVE_SHA256 = "16b78a8ff8fc55b13b8e9fbaa95cb1ca9594eb83fbeab14c0c66d60c601d967c"


def test_the_archive_is_an_oci_layout_that_tarfile_reads_too(tmp_path):
    path = tmp_path / "image.tar"
    written = write_image(ENTRIES, CONFIG, reference=REFERENCE, to=path)
    with tarfile.open(path, "r:") as archive:
        blobs = {member.name: archive.extractfile(member).read() for member in archive}
    assert json.loads(blobs["oci-layout"]) == {"imageLayoutVersion": "1.0.0"}
    (named,) = json.loads(blobs["index.json"])["manifests"]
    assert named["digest"] == written.manifest_digest
    assert named["annotations"] == {"org.opencontainers.image.ref.name": REFERENCE}
    manifest = json.loads(blobs[f"blobs/{named['digest'].replace(':', '/')}"])
    for described in (named, manifest["config"], *manifest["layers"]):
        blob = blobs[f"blobs/{described['digest'].replace(':', '/')}"]
        assert (digest(blob), len(blob)) == (described["digest"], described["size"])
    config = json.loads(blobs[f"blobs/{written.image_id.replace(':', '/')}"])
    assert config["created"] == "1970-01-01T00:00:00Z"
    layer = blobs[f"blobs/{written.diff_id.replace(':', '/')}"]
    with tarfile.open(fileobj=io.BytesIO(layer)) as tar:
        assert {(member.mtime, member.uname, tuple(member.pax_headers)) for member in tar} == {(0, "", ())}


def test_names_that_ustar_cannot_hold_are_written_as_pax(tmp_path):
    entries = [
        Entry(path="p/" + "n" * 300, content=b"1"),
        Entry(path="d" * 120 + "/" + "e" * 90, content=b"2"),
        Entry(path="ü/é", content=b"3", uid=3_000_000_000),
        Entry(path="s", kind="symlink", target="t" * 150),
    ]
    write_image(entries, CONFIG, reference=REFERENCE, to=tmp_path / "i")
    image = open_image(tmp_path / "i")
    assert [image.read(made.path) for made in entries[:3]] == [b"1", b"2", b"3"]
    assert image.files()["s"].target == "t" * 150
    assert image.files()["ü/é"].uid == 3_000_000_000


@pytest.mark.parametrize(
    ("entries", "why"),
    [
        ([Entry(path="/app")], "absolute"),
        ([Entry(path="a/../b")], r"`\.\.`"),
        ([Entry(path="")], "empty"),
        ([Entry(path="a//b")], "empty"),
        ([Entry(path="./a")], r"`\.`"),
        ([Entry(path="a/")], "empty"),
        ([Entry(path="a"), Entry(path="a", content=b"x")], "twice"),
        ([Entry(path="a"), Entry(path="a/b")], "below 'a', which is a file"),
        ([Entry(path="a", kind="symlink", target="b"), Entry(path="a/b/c")], "below 'a', which is a symlink"),
        ([Entry(path="a\0b")], "NUL"),
        ([Entry(path="a\udc80")], "Unicode"),
        ([Entry(path="a", kind="symlink", target="\0")], "NUL"),
        ([Entry(path="a", kind="symlink")], "target"),
        ([Entry(path="a", target="b")], "target"),
        ([Entry(path="a", kind="directory", content=b"x")], "content"),
        ([Entry(path="etc/.wh.passwd")], "would hide"),
        ([Entry(path="a", mode=0o10644)], "mode"),
        ([Entry(path="a", mode=-1)], "mode"),
        ([Entry(path="a", uid=-1)], "owner"),
    ],
)
def test_what_cannot_be_right_is_refused_and_nothing_is_left(tmp_path, entries, why):
    with pytest.raises(BareboatError, match=why):
        write_image(entries, CONFIG, reference=REFERENCE, to=tmp_path / "image.tar")
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_one_clear_error(tmp_path):
    with pytest.raises(BareboatError, match="cannot be written"):
        write_image(ENTRIES, CONFIG, reference=REFERENCE, to=tmp_path / "none" / "image.tar")
    (tmp_path / "folder").mkdir()
    with pytest.raises(BareboatError, match="cannot be written"):
        write_image(ENTRIES, CONFIG, reference=REFERENCE, to=tmp_path / "folder")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_an_existing_layer_is_wrapped_as_it_is(tmp_path):
    layer = make_layer(folder("./"), folder("./etc"), entry("./etc/x", bytes(700_001), mode=0o640, uid=3))
    (tmp_path / "layer.tar").write_bytes(layer)
    written = wrap_layer(tmp_path / "layer.tar", CONFIG, reference=REFERENCE, to=tmp_path / "image.tar")
    image = open_image(tmp_path / "image.tar")
    assert (written.diff_id, written.size_bytes) == (digest(layer), len(layer))
    assert (image.id, image.config, image.references) == (written.image_id, CONFIG, (REFERENCE,))
    assert b"".join(image.layers[0].chunks()) == layer
    assert image.files()["etc/x"].uid == 3
    assert sorted(path.name for path in tmp_path.iterdir()) == ["image.tar", "layer.tar"]


def test_both_ways_of_writing_one_layer_give_one_archive(tmp_path):
    written = write_image(ENTRIES, CONFIG, reference=REFERENCE, to=tmp_path / "whole.tar")
    (tmp_path / "layer.tar").write_bytes(b"".join(open_image(tmp_path / "whole.tar").layers[0].chunks()))
    assert wrap_layer(tmp_path / "layer.tar", CONFIG, reference=REFERENCE, to=tmp_path / "again.tar") == written
    assert (tmp_path / "again.tar").read_bytes() == (tmp_path / "whole.tar").read_bytes()


@pytest.mark.parametrize(
    "again",
    [
        entry("./dev/x", b"2"),
        entry("dev//x"),
        entry("/dev/x"),
        folder("./dev/x/"),
        hard_link("dev/x", "y"),
        folder("dev"),
    ],
)
def test_a_layer_that_names_a_path_twice_is_not_wrapped(tmp_path, again):
    layer = make_layer(folder("./"), folder("./dev"), entry("./y", bytes(300_000)), entry("./dev/x", b"1"), again)
    (tmp_path / "layer.tar").write_bytes(layer)
    with pytest.raises(BareboatError, match=r"layer\.tar: '.*' is put into the image twice"):
        wrap_layer(tmp_path / "layer.tar", CONFIG, reference=REFERENCE, to=tmp_path / "image.tar")
    assert [path.name for path in tmp_path.iterdir()] == ["layer.tar"]


def test_two_names_of_one_file_are_two_paths(tmp_path):
    layer = make_layer(folder("./dev"), entry("./dev/x", b"1"), hard_link("./dev/y", "./dev/x"))
    (tmp_path / "layer.tar").write_bytes(layer)
    wrap_layer(tmp_path / "layer.tar", CONFIG, reference=REFERENCE, to=tmp_path / "image.tar")
    assert list(open_image(tmp_path / "image.tar").files()) == ["dev", "dev/x", "dev/y"]


@pytest.mark.parametrize("content", [b"", b"\x1f\x8b" + bytes(600), bytes(600), b"x" * 512])
def test_what_is_no_plain_tar_is_not_wrapped(tmp_path, content):
    (tmp_path / "layer").write_bytes(content)
    with pytest.raises(BareboatError, match="uncompressed tar"):
        wrap_layer(tmp_path / "layer", CONFIG, reference=REFERENCE, to=tmp_path / "image.tar")
    with pytest.raises(BareboatError, match="none: cannot be read"):
        wrap_layer(tmp_path / "none", CONFIG, reference=REFERENCE, to=tmp_path / "image.tar")
    assert [path.name for path in tmp_path.iterdir()] == ["layer"]


NAMES = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=60)
PATHS = st.lists(
    NAMES.filter(lambda name: name not in {".", ".."} and not name.startswith(".wh.")), min_size=1, max_size=4
).map("/".join)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(contents=st.dictionaries(PATHS, st.binary(max_size=1200), max_size=6))
def test_any_files_come_back_as_they_went_in(tmp_path, contents):
    entries = [Entry(path=path, content=content) for path, content in contents.items()]
    if any(path.startswith(f"{other}/") for path in contents for other in contents):
        with pytest.raises(BareboatError, match="below"):
            write_image(entries, CONFIG, reference=REFERENCE, to=io.BytesIO())
        return
    write_image(entries, CONFIG, reference=REFERENCE, to=tmp_path / "i")
    image = open_image(tmp_path / "i")
    assert {path: image.read(path) for path in contents} == contents
