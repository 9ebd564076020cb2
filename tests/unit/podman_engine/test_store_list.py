"""The image store's own list, as containers/storage writes it."""

from __future__ import annotations

import json
import os

import pytest

from bareboat.podman_engine.store_list import StoreList, config_file

ONE, TWO = "1" * 64, "2" * 64
MANIFEST, INDEX = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"


def record(image_id, *names, **more):
    return {"id": image_id, "digest": MANIFEST, "names": list(names), "layer": "9" * 64, **more}


@pytest.fixture
def store(tmp_path):
    """A function that writes a list of images, each with its configuration, and returns the file."""

    def write(*images):
        for image in images:
            config = config_file(tmp_path, image["id"])
            config.parent.mkdir(exist_ok=True)
            config.write_text("{}", encoding="utf-8")
        new = tmp_path / "new"
        new.write_text(json.dumps(images), encoding="utf-8")
        return new.replace(tmp_path / "images.json")

    return write


def test_an_image_is_found_by_its_whole_name_and_by_no_other(store):
    known = StoreList(store(record(ONE, "localhost/a:1", "localhost:5000/b/c:2"), record(TWO)))
    assert known.find("localhost/a:1") == known.find("localhost:5000/b/c:2") == f"sha256:{ONE}"
    for other in ("localhost/a", "localhost/a:2", "a:1", ONE, f"sha256:{ONE}", ""):
        assert known.find(other) is None


def test_a_pulled_image_is_found_by_its_manifests_digest_and_by_that_of_the_list_it_was_in(store):
    digests = {"manifest": MANIFEST, f"manifest-{INDEX}": INDEX, f"sha256:{ONE}": f"sha256:{ONE}"}
    known = StoreList(store(record(ONE, "docker.io/library/debian:trixie", **{"big-data-digests": digests})))
    for digest in (MANIFEST, INDEX):
        assert known.find(f"docker.io/library/debian@{digest}") == f"sha256:{ONE}"
    assert known.find(f"docker.io/library/debian@sha256:{ONE}") is None
    assert known.find(f"docker.io/library/other@{MANIFEST}") is None


def test_what_has_no_name_is_told_from_what_has_one_and_from_what_is_not_there(store, tmp_path):
    path = store(record(ONE, "localhost/a:1"), record(TWO))
    ids = [f"sha256:{digit * 64}" for digit in "123"]
    assert StoreList(path).nameless(ids) == {ids[1]}
    assert StoreList(path).nameless(ids[:1]) == set()
    path.write_text("{", encoding="utf-8")
    assert StoreList(path).nameless(ids) is None
    assert StoreList(tmp_path / "absent").nameless(ids) is None


def test_what_the_store_writes_anew_is_read_anew(store):
    known = StoreList(store(record(ONE, "localhost/a:1")))
    assert known.find("localhost/a:1") == f"sha256:{ONE}"
    store(record(TWO, "localhost/a:1"))
    assert known.find("localhost/a:1") == f"sha256:{TWO}"
    store()
    assert known.find("localhost/a:1") is None


def test_an_image_without_its_configuration_is_not_there(store, tmp_path):
    known = StoreList(store(record(ONE, "localhost/a:1")))
    config_file(tmp_path, ONE).unlink()
    assert known.find("localhost/a:1") is None


LONG = json.dumps([{"names": ["x:1"], "id": "1" * 5000}])


@pytest.mark.parametrize(
    "text",
    ["", "{", "{}", "[1]", '[{"names": ["x:1"]}]', '[{"names": 1, "id": "1"}]', "null", "[" * 100_000, LONG],
    ids=range(9),
)
def test_from_a_list_of_another_form_nothing_is_known(store, tmp_path, text):
    known = StoreList(store(record(ONE, "x:1")))
    (tmp_path / "images.json").write_text(text, encoding="utf-8")
    assert known.find("x:1") is None


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_from_a_list_that_is_not_ours_to_read_nothing_is_known(store):
    path = store(record(ONE, "x:1"))
    path.chmod(0)
    assert StoreList(path).find("x:1") is None


def test_without_a_list_nothing_is_known(tmp_path):
    assert StoreList(tmp_path / "images.json").find("x:1") is None
