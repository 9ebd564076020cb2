"""Leaving out each file in turn, on an engine that knows what a program needs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bareboat.archive import Entry, open_image, write_image
from bareboat.check.manifest import make_manifest
from bareboat.check.minimal import Prover, is_proved, prove
from bareboat.check.strace_log import Opened
from bareboat.closure import Closure, Needed
from bareboat.engine.fake import FakeEngine, Script
from bareboat.inputs.recipe import Copy
from bareboat.inputs.sample import Expectation
from bareboat.make.context import Program
from bareboat.make.copies import CopiedEntry
from bareboat.make.image import ImageContents, image_config, image_entries
from bareboat.measurements.proof import COLUMN
from bareboat.result.values import Measurement, Passed, Result
from tests.unit.make.test_copies import CELL
from tests.unit.project import job_context

RUNS = (Expectation(), Expectation(name="tz", arguments=("tz",)))
LOADER = Script(exit_code=127, stderr=b"/p: error while loading shared libraries: x\n")


def needy(image, arguments):
    """A program that starts only with lib/libc, and answers `tz` only with zones/b."""
    if "lib/libc" not in image.files():
        return LOADER
    return Script(exit_code=0 if "tz" not in arguments or "zones/b" in image.files() else 1)


def item(number, path, kind="file", **fields):
    copy = Copy(source="toolchain", path="/x", to="/x", why="because")
    content = b"x" if kind == "file" else b""
    return CopiedEntry(entry=Entry(path=path, kind=kind, content=content, **fields), number=number, copy=copy)


ITEMS = (
    item(0, "lib/libc"),
    item(1, "zones", "directory"),
    *(item(1, f"zones/{name}") for name in "abcd"),
    item(2, "etc/idle"),
)


@pytest.fixture
def contents(tmp_path):
    (tmp_path / "program").write_bytes(b"program")
    program = Program(
        status="built", note="", path=tmp_path / "program", sha256="0" * 64, seconds=0.0, warm=False, toolchain=None
    )
    cell = replace(CELL, sample=replace(CELL.sample, expectations=RUNS))
    return ImageContents(cell=cell, program=program, roots={}, items=ITEMS)


@pytest.fixture
def image(contents, tmp_path):
    write_image(image_entries(contents), image_config(contents), reference="localhost/x:x", to=tmp_path / "image.tar")
    return open_image(tmp_path / "image.tar")


def needed(path, way="needed"):
    return Needed(
        name=path, path=path, real_path=path, needed_by="/hello-world", way=way, size_bytes=1, required=True, note=""
    )


CLOSURE = Closure(program="/hello-world", files=(needed("/hello-world", "program"), needed("/lib/libc")), missing=())
OPENED = (
    Opened(path="/zones/b", real_path="/zones/b", found=True, access="open"),
    Opened(path="/etc/absent", real_path="/etc/absent", found=False, access="open"),
)


def test_a_manifest_says_which_ways_found_each_row(contents, image):
    rows = {row.path: row for row in make_manifest(contents, image, CLOSURE, OPENED)}
    assert list(rows) == sorted(rows)
    assert rows["/lib/libc"].ways == ("static",)
    assert rows["/etc/idle"].ways == ()
    zones = rows["/zones/"]
    assert (zones.kind, zones.files, zones.idle_files, zones.ways) == ("directory", 4, 3, ("observed",))
    assert rows["/hello-world"].source == "compile"


def test_whoever_names_a_folder_may_need_all_of_it(contents, image):
    closure = replace(CLOSURE, files=(*CLOSURE.files, needed("/zones", "path")))
    zones = next(row for row in make_manifest(contents, image, closure, ()) if row.path == "/zones/")
    assert (zones.ways, zones.idle_files) == (("known",), 0)


def test_each_row_is_left_out_once(contents, image, tmp_path):
    (tmp_path / "store").mkdir()
    engine = FakeEngine(folder=tmp_path / "store", script=needy)
    context = job_context(engine, tmp_path)
    said = []
    result = Result(
        cell="x@y",
        sample="x",
        recipe="y",
        platform="linux/amd64",
        key="",
        outcome=Passed(),
        measurements=(Measurement(column=COLUMN, value=None),),
        manifest=make_manifest(contents, image, CLOSURE, OPENED),
    )
    assert not is_proved(result)
    proved = prove(Prover(context=context, contents=contents, tell=said.append), result)
    assert {row.path: row.proof for row in proved.manifest} == {
        "/hello-world": "",
        "/lib/libc": "needed",
        "/zones/": "needed by tz (1 of 4 files)",
        "/etc/idle": "idle",
    }
    assert is_proved(proved)
    assert proved.measurements[0].value == "2 needed, 1 idle"
    assert len(said) == 3
    assert list((tmp_path / "store").iterdir()) == [], "no trial's image stays"
    assert not list(context.folders.scratch.iterdir())
