"""What comes aboard from the toolchain because the program's closure misses it, on the fake engine."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bareboat.archive import Entry, ImageConfig, write_image
from bareboat.check.complete import complete
from bareboat.check.manifest import make_manifest
from bareboat.check.prediction import closure_of
from bareboat.check.trace import Trace
from bareboat.engine.fake import FakeEngine
from bareboat.inputs.mend import Mend
from bareboat.inputs.recipe import Copy
from bareboat.make.context import Program, RootImage
from bareboat.make.copies import fetch_copies
from bareboat.make.image import ImageContents, assemble, ship_image
from bareboat.plan.jobs import PlannedCopy
from bareboat.result.values import Source
from tests.unit.closure.test_closure import LOADER, library
from tests.unit.elf_builder import GLIBC_LOADER, build_elf
from tests.unit.make.test_copies import CELL, STATUS
from tests.unit.project import job_context

REFERENCE = "localhost/toolchain:x"
FOLDER = "/usr/lib/x86_64-linux-gnu"
# What the toolchain has, and the packages that it has it from; what no package lists is the administrator's.
FILES = {
    GLIBC_LOADER: LOADER,
    f"{FOLDER}/libc.so.6": library("libc.so.6", defined=("GLIBC_2.36",)),
    f"{FOLDER}/libgcc_s.so.1": library("libgcc_s.so.1"),
    f"{FOLDER}/libz.so.1": library("libz.so.1", needed=("libc.so.6",)),
    f"{FOLDER}/libfirst.so.1": library("libfirst.so.1", needed=("libsecond.so.1", "libz.so.1")),
    f"{FOLDER}/libsecond.so.1": library("libsecond.so.1", needed=("libz.so.1",)),
    f"{FOLDER}/libhalf.so.1": library("libhalf.so.1", needed=("libnowhere.so.1",)),
    f"{FOLDER}/libunlisted.so.1": library("libunlisted.so.1"),
    f"{FOLDER}/libdamaged.so.1": b"no library",
    "/usr/lib32/libother.so.1": library("libother.so.1", is_64bit=False, machine=3),
}
LISTED = [path for path in FILES if "unlisted" not in path]
LIBZ = f"{FOLDER}/libz.so.1"
PLACES = tuple(copy.copy.to for copy in CELL.copies)


@pytest.fixture
def engine(tmp_path):
    (tmp_path / "store").mkdir()
    engine = FakeEngine(folder=tmp_path / "store")
    entries = [Entry(path=path.strip("/"), content=content, mode=0o755) for path, content in FILES.items()]
    entries += [
        Entry(path="var/lib/dpkg/status", content=STATUS),
        Entry(path="var/lib/dpkg/info/libc6:amd64.list", content="".join(f"{path}\n" for path in LISTED).encode()),
    ]
    write_image(entries, ImageConfig(), reference=REFERENCE, to=tmp_path / "toolchain.tar")
    engine.load(tmp_path / "toolchain.tar")
    return engine


@pytest.fixture
def context(engine, tmp_path):
    return job_context(engine, tmp_path)


@pytest.fixture
def contents_of(context, engine, tmp_path):
    """The contents of an image whose program has these properties, with the recipe's copies or without."""

    def contents_of(*needed, copies=CELL.copies, **options):
        (tmp_path / "program").write_bytes(build_elf(needed=needed, **options))
        source = Source(kind="bootstrap", reference=REFERENCE, digest=engine.image(REFERENCE).id)
        toolchain = RootImage(status="built", note="", reference=REFERENCE, source=source, packages=())
        program = Program(
            status="built",
            note="",
            path=tmp_path / "program",
            sha256="0" * 64,
            seconds=0.0,
            warm=False,
            toolchain=toolchain,
        )
        cell = replace(CELL, sample=replace(CELL.sample, own=True), copies=copies)
        roots = {cell.program.toolchain: toolchain}
        items = fetch_copies(context, cell.recipe.name, copies, roots)
        return ImageContents(cell=cell, program=program, roots=roots, items=items)

    return contents_of


def closure_in(context, contents):
    with assemble(context, contents) as (_, image):
        return closure_of(image, contents.cell.program_path)


def places(contents):
    """Where in the image the libraries are that came aboard for the closure alone."""
    return tuple(one.to for one in contents.completed)


def test_a_library_that_is_missing_comes_from_the_toolchain(context, contents_of):
    contents = contents_of("libz.so.1", "libc.so.6")
    assert not closure_in(context, contents).starts
    completed = complete(context, contents)
    assert places(completed) == (LIBZ,)
    assert completed.items[: len(contents.items)] == contents.items
    (item,) = completed.items[len(contents.items) :]
    assert (item.entry.path, item.entry.content) == (LIBZ.strip("/"), FILES[LIBZ])
    assert (item.copy.source, item.copy.path, item.copy.to) == ("toolchain", LIBZ, LIBZ)
    assert item.copy.why == "/hello-world needs it"
    assert (item.owner.name, item.owner.version) == ("libc6", "2.41-12")
    assert closure_in(context, completed).starts


def test_what_is_aboard_is_part_of_the_images_key(context, contents_of):
    contents = contents_of("libz.so.1")
    assert complete(context, contents).key != contents.key


def test_numbers_go_on_so_that_each_has_a_row_of_its_own(context, contents_of):
    contents = complete(context, contents_of("libz.so.1", "libfirst.so.1"))
    assert [item.number for item in contents.items] == list(range(len(PLACES) + 3))
    with ship_image(context, contents) as image:
        manifest = make_manifest(contents, image, closure_of(image, contents.cell.program_path), Trace())
    assert {row.path for row in manifest} == {"/hello-world", *PLACES, *places(contents)}
    rows = {row.path: row for row in manifest}
    assert (rows[LIBZ].ways, rows[LIBZ].files, rows[LIBZ].why) == (("static",), 1, "/hello-world needs it")


def test_numbers_begin_with_nothing_where_nothing_is_copied(context, contents_of):
    contents = complete(context, contents_of("libz.so.1", copies=()))
    assert [item.number for item in contents.items] == list(range(len(contents.items)))
    # The interpreter goes where the program names it; what it loads comes in the next round.
    assert places(contents)[0] == GLIBC_LOADER
    assert set(places(contents)) == {GLIBC_LOADER, LIBZ, f"{FOLDER}/libc.so.6"}
    assert closure_in(context, contents).starts


def test_a_library_brings_those_that_it_needs(context, contents_of):
    contents = complete(context, contents_of("libfirst.so.1"))
    second, first = f"{FOLDER}/libsecond.so.1", f"{FOLDER}/libfirst.so.1"
    assert places(contents) == (first, second, LIBZ)
    why = {item.copy.to: item.copy.why for item in contents.items if item.copy.to in places(contents)}
    assert why == {first: "/hello-world needs it", second: f"{first} needs it", LIBZ: f"{first} needs it"}
    assert closure_in(context, contents).starts


def test_a_library_that_it_was_seen_to_load_comes_with_all_that_it_needs(context, contents_of):
    contents = contents_of("libc.so.6")
    mend = Mend(recipe=contents.cell.recipe.name, library="libfirst.so.1", why="it lacks it")
    loading = replace(contents.cell, sample=replace(contents.cell.sample, mends=(mend,)))
    completed = complete(context, replace(contents, cell=loading))
    assert places(completed) == tuple(f"{FOLDER}/lib{name}.so.1" for name in ("first", "second", "z"))
    assert completed.completed[0].why == "/hello-world loads it while it runs"
    gone = replace(loading.sample, mends=(replace(mend, library="libnowhere.so.1"),))
    assert complete(context, replace(contents, cell=replace(loading, sample=gone))).completed == ()


def test_what_two_need_comes_once(context, contents_of):
    contents = complete(context, contents_of("libsecond.so.1", "libz.so.1"))
    assert sorted(places(contents)) == sorted({f"{FOLDER}/libsecond.so.1", LIBZ})


@pytest.mark.parametrize(
    "name",
    ["libnowhere.so.1", "libother.so.1", "libunlisted.so.1"],
    ids=["has it not", "of another architecture", "of no package"],
)
def test_what_the_toolchain_lacks_stays_missing_and_is_no_error(context, contents_of, name):
    contents = complete(context, contents_of(name, "libz.so.1"))
    assert places(contents) == (LIBZ,)
    closure = closure_in(context, contents)
    assert [missing.name for missing in closure.missing if missing.required] == [name]


def test_what_half_of_is_there_comes_as_far_as_it_does(context, contents_of):
    contents = complete(context, contents_of("libhalf.so.1"))
    assert places(contents) == (f"{FOLDER}/libhalf.so.1",)
    assert (
        closure_in(context, contents).reason == f"libnowhere.so.1 is not in the image; {FOLDER}/libhalf.so.1 needs it"
    )


def test_what_comes_and_cannot_be_loaded_comes_once(context, contents_of):
    contents = complete(context, contents_of("libdamaged.so.1"))
    assert places(contents) == (f"{FOLDER}/libdamaged.so.1",)
    assert "is nothing that this program can load" in closure_in(context, contents).reason


def test_what_is_aboard_and_cannot_be_loaded_is_left_to_the_prediction(context, contents_of):
    made = Copy(source="recipe", text="no library", to=LIBZ, why="the recipe's own")
    contents = contents_of("libz.so.1", copies=(*CELL.copies, PlannedCopy(copy=made, source=None)))
    assert complete(context, contents) == contents


@pytest.mark.parametrize("name", ["libc.so.6", f"{FOLDER}/libc.so.6"], ids=["by name", "by path"])
def test_a_version_that_is_missing_is_no_library_that_is(context, contents_of, name):
    contents = contents_of(name, versions=((name, ("GLIBC_2.99",)),))
    assert complete(context, contents) == contents
    assert not closure_in(context, contents).starts


def test_what_is_only_perhaps_needed_stays_ashore(context, contents_of):
    contents = contents_of(dlopens=b'[{"soname":["libz.so.1"],"priority":"recommended"}]\0')
    assert "libz.so.1" in {missing.name for missing in closure_in(context, contents).missing}
    assert complete(context, contents) == contents


def test_an_image_that_lacks_nothing_stays_as_it_is(context, contents_of):
    contents = contents_of("libc.so.6", "libgcc_s.so.1")
    assert complete(context, contents) == contents
    static = contents_of(interpreter=None, flags_1=0x08000001, copies=())
    assert (complete(context, static).items, complete(context, static).completed) == ((), ())


def test_nothing_is_loaded_while_it_is_completed(context, engine, contents_of):
    before = sorted(path.name for path in engine.folder.iterdir())
    complete(context, contents_of("libfirst.so.1"))
    assert sorted(path.name for path in engine.folder.iterdir()) == before
    assert list(context.folders.scratch.iterdir()) == []
