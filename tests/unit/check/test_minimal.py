"""Leaving out each file in turn, on an engine that knows what a program needs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bareboat.archive import Entry, open_image, write_image
from bareboat.check.manifest import make_manifest
from bareboat.check.minimal import Prover, is_proved, prove
from bareboat.check.strace_log import Opened
from bareboat.check.trace import Trace
from bareboat.closure import Closure, Needed
from bareboat.commands.listing import list_manifest
from bareboat.engine.fake import FakeEngine, Script
from bareboat.inputs.expectation import Expectation
from bareboat.inputs.recipe import Copy
from bareboat.make.context import Program
from bareboat.make.copies import CopiedEntry
from bareboat.make.image import ImageContents, image_config, image_entries
from bareboat.measurements import idle, proof
from bareboat.result.measurement import Measurement
from bareboat.result.values import Passed, Result
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
TRACE = Trace(
    opened=(
        Opened(path="/zones/b", real_path="/zones/b", found=True, access="open"),
        Opened(path="/etc/absent", real_path="/etc/absent", found=False, access="open"),
    )
)


def test_a_manifest_says_which_ways_found_each_row(contents, image):
    rows = {row.path: row for row in make_manifest(contents, image, CLOSURE, TRACE)}
    assert list(rows) == sorted(rows)
    assert rows["/lib/libc"].ways == ("static",)
    assert rows["/etc/idle"].ways == ()
    zones = rows["/zones/"]
    assert (zones.kind, zones.files, zones.idle_files, zones.ways) == ("directory", 4, 3, ("observed",))
    assert rows["/hello-world"].source == "compile"
    assert idle.summarise_idle(rows.values()) == 4


def test_what_was_not_observed_is_not_said_to_be_idle(contents, image):
    manifest = make_manifest(contents, image, CLOSURE, Trace(unseen="strace is not installed"))
    rows = {row.path: row for row in manifest}
    assert (rows["/lib/libc"].needed, rows["/lib/libc"].idle_files) == (True, 0), "the loader needs it all the same"
    assert (rows["/etc/idle"].needed, rows["/etc/idle"].idle_files) == (None, None)
    assert (rows["/zones/"].needed, rows["/zones/"].idle_files) == (None, None)
    assert idle.summarise_idle(manifest) == "not observed"


def test_whoever_names_a_folder_may_need_all_of_it(contents, image):
    closure = replace(CLOSURE, files=(*CLOSURE.files, needed("/zones", "path")))
    zones = next(row for row in make_manifest(contents, image, closure, Trace()) if row.path == "/zones/")
    assert (zones.ways, zones.idle_files) == (("known",), 0)


@pytest.fixture
def prove_it(contents, image, tmp_path):
    """Proves what a program needs, whose runs were observed or not."""

    def prove_it(trace, needs=needy):
        (tmp_path / "store").mkdir(exist_ok=True)
        engine = FakeEngine(folder=tmp_path / "store", script=needs)
        context, said = job_context(engine, tmp_path), []
        result = Result(
            cell="x@y",
            sample="x",
            recipe="y",
            platform="linux/amd64",
            key="",
            outcome=Passed(),
            measurements=tuple(Measurement(column=module.COLUMN, value=None) for module in (idle, proof)),
            manifest=make_manifest(contents, image, CLOSURE, trace),
        )
        assert not is_proved(result)
        proved = prove(Prover(context=context, contents=contents, tell=said.append), result)
        assert is_proved(proved)
        assert len(said) == 3
        assert list((tmp_path / "store").iterdir()) == [], "no trial's image stays"
        assert not list(context.folders.scratch.iterdir())
        return proved

    return prove_it


def figures(result):
    return {taken.column.name: taken.value for taken in result.measurements}


def test_each_row_is_left_out_once(prove_it):
    proved = prove_it(TRACE)
    assert {row.path: row.proof for row in proved.manifest} == {
        "/hello-world": "",
        "/lib/libc": "needed",
        "/zones/": "needed by tz (1 of 4 files)",
        "/etc/idle": "idle",
    }
    assert figures(proved) == {"idle": 4, "proof": "2 needed, 1 idle"}


@pytest.mark.parametrize("trace", [Trace(), Trace(unseen="strace is not installed")])
def test_a_proof_outranks_what_no_other_way_saw(prove_it, trace):
    proved = prove_it(trace)
    assert {row.path: (row.needed, row.idle_files) for row in proved.manifest if row.source != "compile"} == {
        "/lib/libc": (True, 0),
        "/zones/": (True, 3),
        "/etc/idle": (False, 1),
    }
    assert figures(proved)["idle"] == 4
    listed = list_manifest(proved)
    assert [line for line in listed.splitlines() if line.startswith("idle")] == [
        "idle: /etc/idle: nobody needs it",
        "idle: 3 of the 4 files of /zones/: nobody needs them",
    ]
    assert "not observed" not in listed


def test_a_proof_outranks_what_another_way_found(prove_it):
    proved = prove_it(TRACE, needs=lambda _image, _arguments: Script())
    assert {row.path: (row.ways, row.needed, row.idle_files) for row in proved.manifest if row.proof} == {
        "/lib/libc": (("static",), False, 1),
        "/zones/": (("observed",), False, 4),
        "/etc/idle": ((), False, 1),
    }
    assert figures(proved) == {"idle": 6, "proof": "0 needed, 3 idle"}
    rows = [line.split() for line in list_manifest(proved).splitlines() if line.startswith("/")]
    assert [row[0] for row in rows if "nobody" in row] == ["/etc/idle", "/lib/libc", "/zones/"]


def test_of_two_files_of_which_either_will_do_one_is_needed(prove_it):
    def either(image, _arguments):
        return Script(exit_code=0 if {"zones/a", "zones/c"} & set(image.files()) else 1)

    zones = next(row for row in prove_it(TRACE, needs=either).manifest if row.path == "/zones/")
    assert (zones.proof, zones.idle_files) == ("needed (1 of 4 files)", 3)


def test_a_file_that_another_run_needs_is_needed(prove_it):
    def each_its_own(image, arguments):
        return Script(exit_code=0 if f"zones/{'b' if 'tz' in arguments else 'd'}" in image.files() else 1)

    zones = next(row for row in prove_it(TRACE, needs=each_its_own).manifest if row.path == "/zones/")
    assert (zones.proof, zones.idle_files) == ("needed (2 of 4 files)", 2)
