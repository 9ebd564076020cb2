"""What is known of a layer says what the layer says, and no damage to it is believed."""

from __future__ import annotations

import tarfile
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bareboat.archive import Entry, ImageConfig, KnownLayers, layer, open_image, write_image
from bareboat.archive.layer import read_layer
from bareboat.archive.tree import Tree
from bareboat.errors import BareboatError
from tests.unit.image_builder import (
    digest,
    entry,
    folder,
    hard_link,
    make_layer,
    symlink,
    write_docker_archive,
    write_oci_archive,
)

LAYERS = (
    make_layer(
        folder("etc", mode=0o711, uid=3, gid=4),
        entry("etc/a", b"aa", mode=0o4755),
        hard_link("etc/h", "etc/a"),
        symlink("l", "etc/ü"),
        entry("etc/ü", b"x" * 700),
        entry("dev/null", kind=tarfile.CHRTYPE),
        entry("pipe", kind=tarfile.FIFOTYPE),
        folder("gone"),
        entry("gone/x", b"1"),
        entry("opaque/old", b"2"),
    ),
    make_layer(entry(".wh.gone"), entry("opaque/.wh..wh..opq"), entry("opaque/new", b"3"), entry("etc/a", b"over")),
)


@pytest.fixture
def known(tmp_path):
    return KnownLayers(folder=tmp_path / "known")


def seen(image):
    """All that an image says of its files; of one that is refused, why."""
    try:
        files = dict(image.files())
        contents = {path: image.read(path) for path, file in files.items() if file.sha256}
        return files, contents, image.count_files(), [one.size_bytes for one in image.layers]
    except BareboatError as error:
        return str(error)


def unread(monkeypatch):
    def refuse(*_arguments):
        raise AssertionError("the layer was read")

    monkeypatch.setattr(layer, "read_entries", refuse)


@pytest.mark.parametrize("layers", [LAYERS, LAYERS[:1], LAYERS[::-1], ()])
def test_a_known_layer_is_what_reading_finds_and_is_not_read(tmp_path, known, monkeypatch, layers):
    path = write_docker_archive(tmp_path / "i", *layers)
    read = seen(open_image(path))
    assert seen(open_image(path, known=known)) == read
    unread(monkeypatch)
    assert seen(open_image(path, known=known)) == read


def test_what_is_compressed_in_its_archive_is_read_each_time(tmp_path, known):
    path = write_oci_archive(tmp_path / "i", *LAYERS)
    assert seen(open_image(path, known=known)) == seen(open_image(path, known=known)) == seen(open_image(path))


NAMES = st.sampled_from(["a", "b", "d", "d/a", "d/b", "d/d", "d/d/a", "e/f/g", "d/e"])
TARGETS = st.sampled_from(["a", "d", "d/a", "../a", "/d/b", "d/d"])
MEMBERS = st.one_of(
    st.builds(entry, NAMES, st.binary(max_size=9)),
    st.builds(folder, NAMES, mode=st.sampled_from([0o700, 0o1777])),
    st.builds(symlink, NAMES, TARGETS),
    st.builds(hard_link, NAMES, TARGETS),
    st.sampled_from([entry(".wh.d"), entry("d/.wh.a"), entry("d/.wh..wh..opq"), entry("e/.wh.f"), entry(".wh.a")]),
)
LAYER = st.lists(MEMBERS, max_size=6, unique_by=lambda member: member[0].name).map(lambda members: make_layer(*members))
SETTINGS = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@SETTINGS
@given(layers=st.lists(LAYER, max_size=3, unique=True))
def test_no_layers_are_merged_otherwise_when_they_are_known(tmp_path, known, layers):
    path = write_docker_archive(tmp_path / "i", *layers)
    read = seen(open_image(path))
    assert seen(open_image(path, known=known)) == seen(open_image(path, known=known)) == read
    if not isinstance(read, str):
        assert read[2] == sum(file.kind != "directory" for file in read[0].values())


def put_upon(tree, number, path, tar):
    """The tree with a layer more, or why it is refused."""
    blob = open_image(write_docker_archive(path, tar)).blobs[0]
    try:
        tree.add_layer(number, read_layer(blob, digest(tar), KnownLayers()).entries)
    except BareboatError as error:
        return str(error)
    return state(tree)


def state(tree):
    return {file.path: file for file in tree.files()}, tree.file_count


@SETTINGS
@given(below=LAYER, first=LAYER, second=LAYER)
def test_what_is_put_upon_a_tree_changes_neither_it_nor_what_else_is_put_upon_it(tmp_path, below, first, second):
    def grown(*layers):
        tree = Tree("x")
        return tree, [put_upon(tree, number, tmp_path / "i", tar) for number, tar in enumerate(layers)]

    base, (before,) = grown(below)
    if isinstance(before, str):
        return
    forks = [base.fork("x"), base.fork("x")]
    after = [put_upon(fork, 1, tmp_path / "i", tar) for fork, tar in zip(forks, (first, second), strict=True)]
    assert after == [grown(below, tar)[1][1] for tar in (first, second)]
    assert state(base) == before
    # Those that were refused half-way may have changed, but only themselves.
    assert put_upon(forks[0].fork("x"), 2, tmp_path / "i", second) == (
        grown(below, first, second)[1][2]
        if not isinstance(after[0], str)
        else put_upon(forks[0], 2, tmp_path / "i", second)
    )
    assert put_upon(base, 1, tmp_path / "i", first) == after[0]
    assert isinstance(after[1], str) or state(forks[1]) == after[1]


def places(known, what):
    return sorted(known.folder.glob(f"*.{what}"))


def remade(body):
    """The lines of a file whose body was exchanged, and whose sum is right."""
    return b"bareboat layer 1 " + digest(body).removeprefix("sha256:").encode() + b"\n" + body


@pytest.mark.parametrize(
    "damage",
    [
        lambda _data: b"",
        lambda data: data[:-1],
        lambda data: data.replace(b"etc/a", b"etc/b"),
        lambda data: data.replace(b"layer 1", b"layer 0"),
        lambda _data: b"\xff" * 90,
        lambda _data: remade(b"[]"),
        lambda _data: remade(b"[" * 100_000),
        lambda data: remade(data.partition(b"\n")[2].replace(b'"names":[', b'"names":["more",')),
        lambda data: remade(data.partition(b"\n")[2].replace(b'"sizes":[0', b'"sizes":[99999999999')),
        lambda data: remade(data.partition(b"\n")[2].replace(b'"sizes":[0', b'"sizes":[-1')),
        lambda data: remade(data.partition(b"\n")[2].replace(b'"directory"', b'"door"')),
    ],
)
def test_what_is_damaged_is_made_anew(tmp_path, known, monkeypatch, damage):
    path = write_docker_archive(tmp_path / "i", *LAYERS[:1])
    read = seen(open_image(path, known=known))
    (place,) = places(known, "entries")
    whole = place.read_bytes()
    place.write_bytes(damage(whole))
    assert seen(open_image(path, known=known)) == read
    assert place.read_bytes() == whole
    unread(monkeypatch)
    assert seen(open_image(path, known=known)) == read


@SETTINGS
@given(data=st.data())
def test_no_damage_brings_anything_else(tmp_path, known, data):
    path = write_docker_archive(tmp_path / "i", *LAYERS[:1])
    read = seen(open_image(path, known=known))
    (place,) = places(known, "entries")
    whole = bytearray(place.read_bytes())
    at = data.draw(st.integers(0, len(whole) - 1))
    whole[at : at + 1] = data.draw(st.binary(max_size=3))
    place.write_bytes(whole)
    assert seen(open_image(path, known=known)) == read


@pytest.mark.parametrize("damage", [b"", b"-1", b"x", b"9" * 5000, b"\xff"])
def test_a_damaged_weight_is_found_out_again(tmp_path, known, damage):
    path = write_docker_archive(tmp_path / "i", *LAYERS[:1])
    weight = open_image(path, known=known).layers[0].gzip_bytes()
    (place,) = places(known, "gzip")
    place.write_bytes(damage)
    assert open_image(path, known=known).layers[0].gzip_bytes() == weight
    assert place.read_bytes() == b"%d" % weight


def test_what_cannot_be_kept_is_found_out_again(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    known = KnownLayers(folder=tmp_path / "file")
    path = write_docker_archive(tmp_path / "i", *LAYERS)
    assert seen(open_image(path, known=known)) == seen(open_image(path))
    assert open_image(path, known=known).layers[0].gzip_bytes() == open_image(path).layers[0].gzip_bytes()


def test_a_layer_with_a_name_that_is_no_unicode_is_read_each_time(tmp_path, known):
    path = write_docker_archive(tmp_path / "i", make_layer(entry("a\udcff", b"x"), form=tarfile.GNU_FORMAT))
    assert seen(open_image(path, known=known)) == seen(open_image(path))
    assert places(known, "entries") == []


def test_a_file_that_changed_in_its_archive_is_not_believed(tmp_path, known):
    path = write_docker_archive(tmp_path / "i", make_layer(entry("a", b"sound"), entry("b", b"other")))
    open_image(path, known=known).files()
    path.write_bytes(path.read_bytes().replace(b"sound", b"wrong"))
    image = open_image(path, known=known)
    assert image.read("b") == b"other"
    with pytest.raises(BareboatError, match="has changed since it was read; remove the archive"):
        image.read("a")


def test_a_layer_of_another_length_is_not_believed(tmp_path, known):
    long, short = LAYERS
    open_image(write_docker_archive(tmp_path / "i", long), known=known).files()
    (place,) = places(known, "entries")
    place.rename(known.folder / f"{digest(short).removeprefix('sha256:')}.entries")
    path = write_docker_archive(tmp_path / "i", short)
    assert seen(open_image(path, known=known)) == seen(open_image(path))


def test_each_content_is_made_into_something_once_for_all_images_on_a_base(tmp_path):
    made = []

    def length(data):
        made.append(data)
        return len(data)

    write_image([Entry(path="a", content=b"base")], ImageConfig(), reference="localhost/b:x", to=tmp_path / "b")
    base = open_image(tmp_path / "b")
    for content in (b"one", b"two2"):
        program = Entry(path="p", content=content)
        write_image([program], ImageConfig(), reference="localhost/x:x", to=tmp_path / "i", base=base)
        image = open_image(tmp_path / "i", base=base)
        assert [image.read_as(path, length) for path in ("/a", "/p", "/a", "/p")] == [4, len(content), 4, len(content)]
    assert made == [b"base", b"one", b"two2"]
    with pytest.raises(BareboatError, match="there is no none"):
        base.read_as("none", length)


def test_many_threads_open_one_base_and_stand_on_it(tmp_path, known, monkeypatch):
    threads, start, packed, pack = 8, threading.Barrier(8), [], layer.zlib.compressobj
    monkeypatch.setattr(layer.zlib, "compressobj", lambda *options: packed.append(options) or pack(*options))
    path = write_docker_archive(tmp_path / "base", *LAYERS)
    base, alone = open_image(path, known=known), seen(open_image(path))

    def stand(number):
        start.wait()
        program, archive = Entry(path=f"etc/{number}", content=b"%d" % number), tmp_path / str(number)
        write_image([program], ImageConfig(), reference="localhost/x:x", to=archive, base=base)
        image = open_image(archive, base=base, known=known)
        return seen(image), [one.gzip_bytes() for one in image.layers]

    with ThreadPoolExecutor(threads) as pool:
        stood = list(pool.map(stand, range(threads)))
    for number, ((files, contents, count, _), _) in enumerate(stood):
        assert set(files) - set(alone[0]) == {f"etc/{number}"}
        assert (contents[f"etc/{number}"], count) == (b"%d" % number, alone[2] + 1)
    assert len({tuple(weights[:2]) for _, weights in stood}) == 1
    assert seen(base) == alone
    assert len(packed) == len(LAYERS) + threads
