"""A base is saved, read and compressed once, and one image of it serves a run."""

from __future__ import annotations

import os

import pytest

from bareboat.archive import Entry, ImageConfig, layer, write_image
from bareboat.engine.fake import FakeEngine
from bareboat.make.base_archive import find_base, keep_base, known_layers, open_base
from bareboat.make.context import RootImage
from bareboat.result.values import Source
from tests.unit.project import job_context, plan_of

(CELL,) = plan_of("alpine").cells
NAME = "localhost/base:x"


@pytest.fixture
def engine(tmp_path):
    (tmp_path / "store").mkdir()
    return FakeEngine(folder=tmp_path / "store")


@pytest.fixture
def root_of(engine, tmp_path):
    def make(content):
        entries = [Entry(path="etc/a", content=content)]
        written = write_image(entries, ImageConfig(), reference=NAME, to=tmp_path / "base.tar")
        engine.load(tmp_path / "base.tar")
        source = Source(kind="bootstrap", reference=NAME, digest=written.image_id)
        return RootImage(status="built", note="", reference=NAME, source=source, packages=())

    return make


def files(context, folder):
    return sorted(path.name for path in (context.folders.roots / folder).iterdir())


def test_a_run_opens_a_base_once_and_the_next_run_does_not_read_it(engine, root_of, tmp_path, monkeypatch):
    context, root = job_context(engine, tmp_path), root_of(b"a")
    keep_base(context, CELL.base, root)
    (one,) = open_base(context, CELL.base, root).layers
    digest = one.diff_id.removeprefix("sha256:")
    assert files(context, "layers") == [f"{digest}.entries", f"{digest}.gzip"]
    assert open_base(context, CELL.base, root) is open_base(context, CELL.base, root)
    monkeypatch.setattr(engine, "save", None)
    monkeypatch.setattr(layer, "read_entries", None)
    monkeypatch.setattr(layer.zlib, "compressobj", None)
    later = job_context(engine, tmp_path)
    keep_base(later, CELL.base, root)
    image = open_base(later, CELL.base, root)
    assert (image.read("/etc/a"), image.layers[0].size_bytes) == (b"a", one.size_bytes)
    assert image.layers[0].gzip_bytes() == known_layers(context).find_packed_bytes(one.diff_id, "gzip")


def test_a_base_that_moved_takes_its_older_archive_with_it(engine, root_of, tmp_path):
    context = job_context(engine, tmp_path)
    for number, content in enumerate((b"a", b"b", b"c")):
        root = root_of(content)
        keep_base(context, CELL.base, root)
        assert open_base(context, CELL.base, root).read("/etc/a") == content
        # Another run may read one that was used of late.
        assert len(files(context, "bases")) == (1, 2, 1)[number]
        for name in files(context, "bases") if number else ():
            os.utime(context.folders.roots / "bases" / name, (0, 0))


def test_an_archive_that_was_removed_is_saved_and_opened_again(engine, root_of, tmp_path):
    context, root = job_context(engine, tmp_path), root_of(b"a")
    before = open_base(context, CELL.base, root)
    (context.folders.roots / "bases" / files(context, "bases")[0]).unlink()
    after = open_base(context, CELL.base, root)
    assert after is not before
    assert after.read("/etc/a") == b"a"


def test_a_base_is_found_again_by_name_and_digest_without_an_engine(engine, root_of, tmp_path):
    context, root = job_context(engine, tmp_path), root_of(b"a")
    keep_base(context, CELL.base, root)
    found = find_base(context.folders, CELL.base.name, root.source.digest)
    assert found
    assert found.read("/etc/a") == b"a"
    assert find_base(context.folders, CELL.base.name, f"sha256:{'0' * 64}") is None
    assert find_base(context.folders, "other", root.source.digest) is None
