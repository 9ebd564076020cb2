"""The matrix on the fake engine: what is done, what is not done again, and how failures spread."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from pathlib import Path

import pytest

from bareboat.archive import Entry, ImageConfig, write_image
from bareboat.elf import read_elf
from bareboat.engine.fake import HOST, FakeEngine, Script
from bareboat.engine.images import Build
from bareboat.errors import BareboatError, EngineError
from bareboat.inputs.expectation import AS_IT_STANDS, Expectation
from bareboat.inputs.expected import ExpectedFailure
from bareboat.inputs.lock import Lock, Pinned
from bareboat.inputs.mend import Mend
from bareboat.inputs.recipe import Copy, RecipeBook
from bareboat.inputs.sysroot import read_sysroot
from bareboat.make.context import Outputs, RootImage
from bareboat.make.sources import program_name
from bareboat.matrix.cell import _contradiction
from bareboat.matrix.gather import new_pins
from bareboat.matrix.progress import make_progress
from bareboat.matrix.run import run_matrix
from bareboat.measurements import size
from bareboat.plan.jobs import RootJob, SkippedCell
from bareboat.plan.keys import source_key
from bareboat.result.measurement import NOT_ASKED
from bareboat.result.store import load_all, save
from bareboat.result.values import Ran, Source
from bareboat.system.files import replacing
from tests.unit import project
from tests.unit.elf_builder import MUSL, MUSL_LOADER, NO_LIBC, build_elf
from tests.unit.project import BOOK, ROOT, job_context

PROGRAM = build_elf(signs=MUSL, interpreter=None, flags_1=0x08000001)
HELLO = Script(stdout=b"Hello, world!\n")
ALPINE, RUST = "docker.io/library/alpine:3.23", "docker.io/library/rust:1-alpine"


def book_of(*names, libc="musl"):
    """Recipes that start from scratch or a registry, so that nothing is bootstrapped."""
    recipes = [one for one in BOOK.recipes if one.name in names]
    recipes = [replace(one, compile=replace(one.compile, libc=libc)) for one in recipes]
    return RecipeBook(recipes=tuple(recipes), toolchains=BOOK.toolchains)


def compiles(engine):
    """How many compiles there were; a toolchain is also asked for its compiler."""
    return sum("/out" in work.writable for work in engine.worked)


def always(script):
    return lambda _image, _command: script


@pytest.fixture
def engine(tmp_path):
    (tmp_path / "store").mkdir()
    engine = FakeEngine(folder=tmp_path / "store", script=always(HELLO), program=PROGRAM, program_path="hello-world")
    # What a registry would serve: any image will do as a base or a toolchain.
    for name in (RUST, ALPINE):
        engine.build(
            Build(containerfile="FROM scratch\n", context=ROOT, tag=name, labels={"of": name}), tmp_path / "log"
        )
    engine.built.clear()
    return engine


@pytest.fixture
def context(engine, tmp_path):
    return job_context(engine, tmp_path)


def plan_of(book, **changes):
    return project.plan_of(book=book, samples=[replace(project.HELLO, **changes)], source="registry")


def run(context, book, **options):
    return run_plan(context, plan_of(book), io.StringIO(), **options)


def run_plan(context, plan, view, **options):
    return run_matrix(context, plan, make_progress(view, len(plan.jobs)), 2, **options)


def outcomes(matrix):
    return {result.recipe: result.outcome for result in matrix.results}


def test_a_cell_passes_is_saved_and_is_not_done_again(context, engine):
    first = run(context, book_of("scratch-musl", "alpine"))
    assert {outcome.kind for outcome in outcomes(first).values()} == {"passed"}
    assert not first.idle
    assert load_all(context.results) == tuple(sorted(first.results, key=lambda result: result.cell))
    values = {one.column.name: one.value for one in first.results[0].measurements}
    assert (values["libc"], values["crt"]) == ("musl", "static")
    built, ran = compiles(engine), len(engine.ran)
    assert (built, ran) == (1, 2), "one compile for both cells; both images are assembled"
    second = run(context, book_of("scratch-musl"))
    assert (compiles(engine), len(engine.ran)) == (built, ran)
    assert second.results[0] == next(result for result in first.results if result.recipe == "scratch-musl")


@pytest.mark.starts_processes("QEMU says its version")
def test_figures_that_were_not_asked_for_are_taken_when_they_are(context, engine):
    (result,) = run(context, book_of("scratch-musl")).results
    not_asked = tuple(replace(taken, value=None, why=NOT_ASKED) for taken in result.measurements[:1])
    save(replace(result, measurements=(*not_asked, *result.measurements[1:])), context.results)
    before = len(engine.ran)
    run(context, book_of("scratch-musl"))
    assert len(engine.ran) == before
    run(replace(context, thorough=True), book_of("scratch-musl"))
    assert len(engine.ran) > before


def test_force_does_it_again(context, engine):
    run(context, book_of("scratch-musl"))
    run(replace(context, force=True), book_of("scratch-musl"))
    assert (compiles(engine), len(engine.ran)) == (2, 2)


def test_a_lost_result_is_measured_again(context, engine):
    run(context, book_of("scratch-musl"))
    for path in context.results.iterdir():
        path.unlink()
    again = run(context, book_of("scratch-musl"))
    assert outcomes(again)["scratch-musl"].kind == "passed"
    assert (compiles(engine), len(engine.ran)) == (1, 2)


@pytest.mark.parametrize("content", ['{"schema_version": 99, "new": 1}', '{"schema_version": 1, "cel'])
def test_a_result_that_cannot_be_read_is_told_of_and_kept(context, content):
    run(context, book_of("scratch-musl"))
    path = next(context.results.iterdir())
    path.write_text(content, encoding="utf-8")
    failed = outcomes(run(context, book_of("scratch-musl")))["scratch-musl"]
    assert failed.kind == "failed"
    assert str(path) in failed.detail
    assert "invoke build-matrix --force" in failed.detail
    assert path.read_text(encoding="utf-8") == content
    assert outcomes(run(replace(context, force=True), book_of("scratch-musl")))["scratch-musl"].kind == "passed"


def test_what_a_recipe_declares_is_held_against_the_program(context):
    failed = outcomes(run(context, book_of("scratch-musl", libc="gnu")))["scratch-musl"]
    assert (failed.kind, failed.stage) == ("failed", "measure")
    assert failed.reason == "scratch-musl.toml declares libc gnu, the program has musl"


@pytest.fixture
def own_libc(tmp_path):
    """A recipe whose programs are linked with a C library of the user's own."""
    (folder := tmp_path / "own").mkdir()
    for name in ("crt1.o", "crti.o", "crtn.o", "libc.a"):
        (folder / name).touch()
    (recipe,) = book_of("scratch-musl").recipes
    compiled = replace(recipe.compile, libc="other", sysroot="own")
    recipes = (replace(recipe, compile=compiled),)
    return RecipeBook(recipes=recipes, toolchains=BOOK.toolchains, sysroots=(read_sysroot("own", tmp_path),))


@pytest.mark.parametrize(
    ("program", "libc"),
    [(PROGRAM, "other (musl)"), (build_elf(signs=NO_LIBC, interpreter=None, flags_1=0x08000001), "other")],
)
def test_a_c_library_of_ones_own_is_told_as_such_and_as_what_is_recognised(context, engine, own_libc, program, libc):
    engine.program = program
    (result,) = run(context, own_libc).results
    values = {one.column.name: one.value for one in result.measurements}
    assert (result.outcome.kind, values["libc"], values["crt"]) == ("passed", libc, "static")
    (compiled,) = (work for work in engine.worked if "/out" in work.writable)
    (place,) = (place for place in compiled.mounts if place.startswith("/run/sysroot/"))
    assert compiled.mounts[place] == own_libc.sysroots[0].folder
    assert place not in compiled.writable


def test_a_program_that_is_no_static_one_contradicts_it(own_libc):
    (cell,) = plan_of(own_libc).cells
    failed = _contradiction(cell, read_elf(build_elf(interpreter=MUSL_LOADER)))
    assert failed.reason == "scratch-musl.toml declares crt static, the program has dynamic"


def test_a_program_without_a_c_library_has_none_whatever_it_could_be_linked_with(context, engine, own_libc):
    engine.program = build_elf(signs=NO_LIBC, interpreter=None, flags_1=0x08000001)
    (result,) = run_plan(context, plan_of(own_libc, libc="none"), io.StringIO()).results
    assert {one.column.name: one.value for one in result.measurements}["libc"] == "none"
    engine.program = PROGRAM
    failed = outcomes(run_plan(replace(context, force=True), plan_of(own_libc, libc="none"), io.StringIO()))
    assert failed["scratch-musl"].reason == "hello-world declares libc none, the program has musl"


def test_a_c_library_that_changes_meanwhile_or_is_on_another_machine_is_an_error(context, own_libc):
    remote = outcomes(run(replace(context, remote=True), own_libc))["scratch-musl"]
    assert remote.reason.startswith("the engine is on another machine, which has no ")
    (own_libc.sysroots[0].folder / "libc.a").write_bytes(b"other")
    assert outcomes(run(context, own_libc))["scratch-musl"].reason.endswith("changed during the run; run it again")


def test_another_output_fails_the_cell(context, engine):
    engine.script = always(Script(stdout=b"Hello"))
    failed = outcomes(run(context, book_of("scratch-musl")))["scratch-musl"]
    assert (failed.stage, failed.reason) == ("run", "its output differs")


def test_a_compile_that_lacks_a_library_says_first_which_package_has_it(context, engine, monkeypatch):
    told = "the toolchain lacks library pq: package libpq-dev has it\nadd to Cargo.toml:"
    monkeypatch.setattr("bareboat.matrix.run.explain_compile", lambda log, *_: told if "broken" in log else "")
    engine.broken, view = "cargo build", io.StringIO()
    done = run_plan(context, plan_of(book_of("scratch-musl", "alpine")), view)
    for outcome in outcomes(done).values():
        assert outcome.reason == "the toolchain lacks library pq: package libpq-dev has it"
        assert outcome.detail.startswith(f"{told}\n\n")
        assert "error: broken" in outcome.detail
    assert view.getvalue().count("package libpq-dev has it") == 1


def test_a_failed_compile_fails_every_cell_that_needs_it(context, engine):
    engine.broken = "cargo build"
    done = run(context, book_of("scratch-musl", "alpine"))
    for outcome in outcomes(done).values():
        assert (outcome.kind, outcome.stage, outcome.reason) == ("failed", "compile", "error: broken")
    assert len(done.failed) == 3
    assert {result.outcome.kind for result in load_all(context.results)} == {"failed"}


def test_the_same_error_of_several_compiles_is_printed_once(context, engine):
    engine.broken = "cargo build"
    view = io.StringIO()
    run_plan(context, plan_of(book_of("scratch-musl", "scratch-musl-dynamic")), view)
    first, second = (line for line in view.getvalue().splitlines() if "] program " in line)
    assert "error: broken" in first
    assert "error: broken" not in second
    assert re.search(r"failed .*: with the words of program hello-world .*; the whole log: /", second)


def test_a_base_that_cannot_be_had_fails_its_cell_alone(context, engine):
    engine.remove(ALPINE)
    done = outcomes(run(context, book_of("scratch-musl", "alpine")))
    assert (done["alpine"].stage, done["scratch-musl"].kind) == ("base", "passed")


def test_the_first_failure_ends_a_run_that_does_not_keep_going(context, engine):
    engine.broken = "cargo build"
    with pytest.raises(BareboatError, match="failed, and --no-keep-going"):
        run(context, book_of("scratch-musl"), keep_going=False)


def test_a_toolchain_that_cannot_be_had_fails_every_cell_with_the_root_cause(context, engine):
    engine.remove(RUST)
    view = io.StringIO()
    done = run_plan(context, plan_of(book_of("scratch-musl", "alpine")), view)
    for outcome in outcomes(done).values():
        assert (outcome.kind, outcome.stage, outcome.reason) == ("failed", "base", "exit code 125 from pull")
        assert f"pull {RUST}\n    manifest unknown" in outcome.detail
    assert (engine.worked, engine.ran) == ([], [])
    assert "image hello-world@alpine: failed in 0.0 s: needs toolchain musl, which failed\n" in view.getvalue()


def test_an_image_that_cannot_be_loaded_fails_its_cell_alone(context, engine, monkeypatch):
    load = engine.load

    def refuse(archive):
        if archive.parent == context.folders.scratch and b"hello-world:alpine" in archive.read_bytes():
            raise BareboatError("Podman: the store has no such layer")
        load(archive)

    monkeypatch.setattr(engine, "load", refuse)
    done = run(context, book_of("scratch-musl", "alpine"))
    assert done.failed == ("image hello-world@alpine",)
    failed = outcomes(done)["alpine"]
    assert (failed.stage, failed.reason) == ("image", "Podman: the store has no such layer")
    assert outcomes(done)["scratch-musl"].kind == "passed"


def test_a_disk_that_is_full_fails_the_cell_whose_base_it_has_no_room_for(context, engine, monkeypatch):
    def save_on_a_full_disk(_image_id, to):
        with replacing(to), Path("/dev/full").open("wb", buffering=0) as full:
            full.write(b"x")

    monkeypatch.setattr(engine, "save", save_on_a_full_disk)
    done = outcomes(run(context, book_of("scratch-musl", "alpine")))
    assert done["scratch-musl"].kind == "passed"
    assert (done["alpine"].kind, done["alpine"].stage) == ("failed", "base")
    assert re.fullmatch(
        r"~/\.cache/bareboat/roots/bases/alpine@\w+\.tar: cannot be written: No space left on device",
        done["alpine"].reason,
    )
    assert list((context.folders.roots / "bases").iterdir()) == []


def test_results_that_cannot_be_written_fail_their_cells_and_the_run_goes_on(context, tmp_path):
    (tmp_path / "file").touch()
    done = run(replace(context, results=tmp_path / "file" / "results"), book_of("scratch-musl", "alpine"))
    assert {outcome.kind for outcome in outcomes(done).values()} == {"failed"}
    for recipe, outcome in outcomes(done).items():
        path = tmp_path / "file" / "results" / f"hello-world@{recipe}.json"
        assert outcome.reason.startswith(f"{path}: cannot be written: Not a directory")
    assert len(done.failed) == 2


def test_a_program_that_does_not_end_fails_its_cell_and_is_measured(context, engine):
    engine.script = always(Script(exit_code=None, stderr=b"waiting\n"))
    (result,) = run(context, book_of("scratch-musl")).results
    assert (result.outcome.stage, result.outcome.reason) == ("run", "did not end within 10 s")
    assert result.outcome.detail == "waiting\n"
    assert {one.column.name for one in result.measurements} >= {"size", "libc"}


def test_a_failed_cell_is_tried_again_though_nothing_changed(context, engine):
    engine.script = always(Script(exit_code=1))
    assert outcomes(run(context, book_of("scratch-musl")))["scratch-musl"].reason == "exit code 1, not 0"
    engine.script = always(HELLO)
    assert outcomes(run(context, book_of("scratch-musl")))["scratch-musl"].kind == "passed"
    assert (compiles(engine), len(engine.ran)) == (1, 2)


def test_a_source_that_compiles_to_the_same_program_is_compiled_and_not_run_again(context, engine):
    book = book_of("scratch-musl")
    run(context, book)
    run_plan(context, plan_of(book, crate="other"), io.StringIO())
    assert (compiles(engine), len(engine.ran)) == (2, 1)
    engine.program = PROGRAM + b"\0"
    run_plan(context, plan_of(book, crate="third"), io.StringIO())
    assert (compiles(engine), len(engine.ran)) == (3, 2)


def test_a_result_that_stands_in_another_toolchain_says_so(context, engine, tmp_path):
    book = book_of("scratch-musl")
    (first,) = run(context, book).results
    engine.build(Build(containerfile="FROM scratch\n", context=ROOT, tag=RUST, labels={"of": "new"}), tmp_path / "log")
    (second,) = run(context, book).results
    assert len(engine.ran) == 1
    toolchain = second.provenance.toolchain
    assert toolchain.digest == engine.image(RUST).id != first.provenance.toolchain.digest
    assert second.provenance.made.roots["toolchain musl"].digest == toolchain.digest
    assert second.provenance.measured_at == first.provenance.measured_at


def test_another_expectation_runs_again_and_compiles_nothing(context, engine):
    book = book_of("scratch-musl")
    run(context, book)
    plan = plan_of(book, expectations=(Expectation(stdout="Hallo\n"),))
    (result,) = run_plan(context, plan, io.StringIO()).results
    assert result.outcome.reason == "its output differs"
    assert (compiles(engine), len(engine.ran)) == (1, 2)


@pytest.mark.parametrize("change", ["kernel", "podman", "buildah", "runtime", "storage_driver"])
def test_another_host_runs_and_measures_again_and_builds_nothing(context, engine, change):
    run(context, book_of("scratch-musl", "alpine"))
    done = run(replace(context, host=replace(HOST, **{change: "new"})), book_of("scratch-musl", "alpine"))
    assert {outcome.kind for outcome in outcomes(done).values()} == {"passed"}
    assert (compiles(engine), len(engine.ran)) == (1, 4)


def test_a_figure_that_changed_its_meaning_is_taken_again_and_nothing_is_built(context, engine, monkeypatch):
    run(context, book_of("scratch-musl", "alpine"))
    monkeypatch.setattr(size, "COLUMN", replace(size.COLUMN, version=2))
    done = run(context, book_of("scratch-musl", "alpine"))
    versions = {taken.column.version for result in done.results for taken in result.measurements}
    assert versions >= {2}
    assert (compiles(engine), len(engine.ran)) == (1, 4)


def test_another_reason_for_a_copy_builds_nothing(context, engine):
    def book(why):
        (recipe,) = book_of("alpine").recipes
        made = Copy(source="recipe", text="a", to="/etc/a", why=why)
        return RecipeBook(recipes=(replace(recipe, copies=(made,)),), toolchains=BOOK.toolchains)

    run(context, book("a reason"))
    assert outcomes(run(context, book("another reason")))["alpine"].kind == "passed"
    assert (compiles(engine), len(engine.ran)) == (1, 2)


def test_a_result_says_where_everything_came_from(context, engine):
    results = {result.recipe: result for result in run(context, book_of("scratch-musl", "alpine")).results}
    provenance = results["alpine"].provenance
    digest = engine.image(ALPINE).id
    assert provenance.base == Source(kind="registry", reference=ALPINE, digest=digest)
    assert (provenance.toolchain.kind, provenance.toolchain.reference) == ("registry", RUST)
    assert provenance.image_id == engine.image("localhost/bareboat/hello-world:alpine").id
    assert (provenance.host, provenance.commit) == (HOST, "0123abc")
    assert results["scratch-musl"].provenance.base.kind == "scratch"
    assert results["scratch-musl"].published_bytes is None, "what others say is joined when a table is made"


def test_an_image_on_a_base_has_its_layers_and_one_more(context, engine):
    run(context, book_of("alpine"))
    base, shipped = engine.opened(ALPINE), engine.opened("localhost/bareboat/hello-world:alpine")
    assert [layer.diff_id for layer in shipped.layers[:-1]] == [layer.diff_id for layer in base.layers]
    assert shipped.config.labels["of"] == ALPINE
    assert (shipped.config.user, shipped.config.entrypoint) == ("65532:65532", ("/hello-world",))


def test_a_cell_that_cannot_be_is_skipped_and_fails_nothing(context):
    plan = plan_of(book_of("scratch-musl"))
    plan = replace(plan, skipped=(SkippedCell(sample="hello-world", recipe="other", reason="no registry"),))
    done = run_plan(context, plan, io.StringIO())
    assert outcomes(done)["other"].reason == "no registry"
    assert (outcomes(done)["scratch-musl"].kind, done.failed) == ("passed", ())


def expecting(book, says="exit code 3|^exec /hello-world: no such file|^error: broken"):
    known = ExpectedFailure(why="known not to work", says=says)
    return replace(book, recipes=tuple(replace(one, expect_failure=known) for one in book.recipes))


def test_a_failure_that_is_expected_fails_nothing_and_is_not_done_again(context, engine):
    engine.script = always(Script(exit_code=3))
    done = run(context, expecting(book_of("scratch-musl")))
    (outcome,) = outcomes(done).values()
    assert (outcome.reason, outcome.expected) == ("exit code 3, not 0", "known not to work")
    assert done.failed == ()
    assert done.results[0].fails_as_expected
    run(context, expecting(book_of("scratch-musl")))
    assert len(engine.ran) == 1


def test_a_failure_by_anything_else_is_a_failure_and_tells_what_was_expected(context, engine):
    engine.script = always(Script(exit_code=3, stderr=b"no space left on device"))
    done = run(context, expecting(book_of("scratch-musl"), says="no such file"))
    outcome = outcomes(done)["scratch-musl"]
    assert (outcome.reason, outcome.expected) == ("exit code 3, not 0", "")
    assert outcome.detail.splitlines() == [
        "no space left on device",
        "another failure is expected, which says 'no such file': known not to work",
    ]
    assert done.failed == ("image hello-world@scratch-musl",)


def test_a_program_that_does_not_start_for_another_reason_is_a_failure(context, engine):
    engine.script = always(Script(refused="writing to the store: no space left on device"))
    done = run(context, expecting(dynamic(engine)))
    assert outcomes(done)["scratch-musl"].expected == ""
    assert done.results[0].preflight.observed is False
    assert done.failed == ("image hello-world@scratch-musl",)


def test_what_is_expected_to_fail_and_runs_is_a_failure(context):
    done = run(context, expecting(book_of("scratch-musl")))
    assert outcomes(done)["scratch-musl"].reason == (
        "it runs, and hello-world@scratch-musl is expected to fail: known not to work"
    )
    assert done.failed == ("image hello-world@scratch-musl",)


def dynamic(engine):
    engine.program = build_elf(interpreter=MUSL_LOADER, flags_1=0x08000001)
    (recipe,) = book_of("scratch-musl").recipes
    recipe = replace(recipe, compile=replace(recipe.compile, crt="dynamic"))
    return RecipeBook(recipes=(recipe,), toolchains=BOOK.toolchains)


def test_what_cannot_start_is_run_all_the_same_and_told_by_what_is_missing(context, engine):
    engine.script = always(Script(exit_code=1, stderr=b"exec /hello-world: no such file or directory\n"))
    done = run(context, dynamic(engine))
    outcome = outcomes(done)["scratch-musl"]
    assert (outcome.stage, outcome.reason) == ("preflight", f"the interpreter {MUSL_LOADER} is not in the image")
    assert len(engine.ran) == 1
    preflight = done.results[0].preflight
    assert (preflight.predicted, preflight.observed) == (False, False)


LIBZ = build_elf(interpreter=None, has_entry=False, soname="libz.so.1")
APK = b"P:zlib\nV:1.3.1-r2\nF:usr/lib\nR:libz.so.1\n\nP:musl\nV:1.2.5-r20\nF:lib\nR:ld-musl-x86_64.so.1\n\n"


def linked_to_zlib(context, engine):
    """A dynamic program from scratch whose recipe brings nothing, and a toolchain that has what it is linked to."""
    book = dynamic(engine)
    engine.program = build_elf(interpreter=MUSL_LOADER, flags_1=0x08000001, needed=("libz.so.1",))
    loader = build_elf(interpreter=None, has_entry=False, soname="libc.musl-x86_64.so.1")
    files = {MUSL_LOADER.strip("/"): loader, "usr/lib/libz.so.1": LIBZ, "lib/apk/db/installed": APK}
    archive = context.folders.scratch / "toolchain.tar"
    entries = [Entry(path=path, content=content, mode=0o755) for path, content in files.items()]
    write_image(entries, ImageConfig(), reference=RUST, to=archive)
    engine.load(archive)
    archive.unlink()
    return book


def test_what_the_users_own_program_lacks_comes_aboard_and_is_told_and_the_next_run_does_nothing(context, engine):
    book = linked_to_zlib(context, engine)
    locked = replace(context, lock=Lock().with_digest(RUST, engine.image(RUST).id))
    first = run_plan(locked, plan_of(book, own=True), io.StringIO())
    (result,) = first.results
    completed = tuple(one.to for one in result.completed)
    assert (result.outcome.kind, completed) == ("passed", (MUSL_LOADER, "/usr/lib/libz.so.1"))
    rows = {row.path: row for row in result.manifest}
    assert set(rows) == {"/hello-world", *completed}
    zlib = rows["/usr/lib/libz.so.1"]
    assert (zlib.source, zlib.package, zlib.version, zlib.ways) == ("toolchain", "zlib", "1.3.1-r2", ("static",))
    shipped = engine.opened("localhost/bareboat/hello-world:scratch-musl")
    assert shipped.read("usr/lib/libz.so.1") == LIBZ
    assert load_all(context.results) == (result,)
    asked = len(engine.copied)
    second = run_plan(locked, plan_of(book, own=True), io.StringIO())
    assert second.idle
    assert second.outputs.by_id["image hello-world@scratch-musl"].status == "unchanged"
    assert second.results == first.results
    assert (compiles(engine), len(engine.ran), len(engine.copied)) == (1, 1, asked)


def test_where_the_toolchain_is_looked_up_anew_the_completed_image_is_unchanged_too(context, engine):
    book = linked_to_zlib(context, engine)
    first = run_plan(context, plan_of(book, own=True), io.StringIO())
    second = run_plan(context, plan_of(book, own=True), io.StringIO())
    assert second.outputs.by_id["image hello-world@scratch-musl"].status == "unchanged"
    assert second.results == first.results
    assert len(engine.ran) == 1


def test_a_library_that_it_loads_is_another_source_and_is_told_only_where_it_came_aboard(context, engine):
    book = linked_to_zlib(context, engine)
    mends = tuple(Mend(recipe="scratch-musl", library=name, why="it lacks it") for name in ("libz.so.1", "libnone.so"))
    (result,) = run_plan(context, plan_of(book, own=True, mends=mends), io.StringIO()).results
    assert result.mended == mends[:1]
    plans = [plan_of(book, own=True, mends=some).cells[0] for some in ((), mends[:1], mends[1:])]
    assert len({source_key(cell, "0", dict.fromkeys(cell.roots, "sha256:1")) for cell in plans}) == 3


def test_a_sample_of_the_projects_is_given_nothing_that_its_recipe_does_not_name(context, engine):
    engine.script = always(Script(exit_code=1, stderr=b"exec /hello-world: no such file or directory\n"))
    (result,) = run(context, linked_to_zlib(context, engine)).results
    assert (result.outcome.stage, result.completed) == ("preflight", ())


def test_what_is_made_to_fail_is_not_helped(context, engine):
    engine.script = always(Script(exit_code=1, stderr=b"exec /hello-world: no such file or directory\n"))
    book = expecting(linked_to_zlib(context, engine))
    (result,) = run_plan(context, plan_of(book, own=True), io.StringIO()).results
    assert (result.fails_as_expected, result.completed) == (True, ())


def test_a_program_of_which_nothing_is_expected_shows_what_it_does(context, engine):
    plan = plan_of(book_of("scratch-musl"), expectations=(AS_IT_STANDS,))
    engine.script = always(Script(exit_code=2, stderr=b"Usage: app FILE\n"))
    (result,) = run_plan(context, plan, io.StringIO()).results
    assert (result.outcome.kind, result.ran) == ("passed", Ran(exit_code=2, said="Usage: app FILE"))
    assert load_all(context.results) == (result,)
    engine.script = always(Script(exit_code=139))
    (result,) = run_plan(replace(context, force=True), plan, io.StringIO()).results
    assert (result.outcome.reason, result.ran) == ("SIGSEGV ended it", Ran(exit_code=139))
    assert run(context, book_of("scratch-musl")).results[0].ran is None


@pytest.mark.parametrize("aboard", [False, True])
def test_what_is_as_it_stands_may_write_to_tmp_where_its_image_has_one(context, engine, aboard):
    (recipe,) = book_of("scratch-musl").recipes
    folder = Copy(source="new", to="/tmp/", mode="1777", why="a place")
    book = RecipeBook(recipes=(replace(recipe, copies=(folder,) if aboard else ()),), toolchains=BOOK.toolchains)
    run_plan(context, plan_of(book, expectations=(AS_IT_STANDS,)), io.StringIO())
    assert [start.tmp for start in engine.started.values()] == [aboard]


def test_the_environment_of_a_sample_is_the_images_beside_the_recipes(context, engine):
    (recipe,) = book_of("alpine").recipes
    recipe = replace(recipe, runtime=replace(recipe.runtime, env={"A": "recipe", "B": "recipe"}))
    book = RecipeBook(recipes=(recipe,), toolchains=BOOK.toolchains)
    run_plan(context, plan_of(book, env=(("B", "sample"), ("C", "sample"))), io.StringIO())
    shipped = engine.opened("localhost/bareboat/hello-world:alpine")
    assert set(shipped.config.env) >= {"A=recipe", "B=sample", "C=sample"}
    assert "B=recipe" not in shipped.config.env


def test_an_openssl_without_locks_fails_a_service_though_its_runs_pass(context, engine):
    engine.program = PROGRAM + b"\0crypto/threads_none.c\0"
    failed = outcomes(run_plan(context, plan_of(book_of("scratch-musl"), service=True), io.StringIO()))["scratch-musl"]
    assert (failed.stage, failed.reason.partition(":")[0]) == ("measure", "its OpenSSL was compiled without threads")
    assert "CRATE_CC_NO_DEFAULTS" in failed.detail
    # A program that ends by itself may have one thread.
    assert outcomes(run(context, book_of("scratch-musl")))["scratch-musl"].kind == "passed"


def test_a_service_whose_openssl_has_locks_passes(context, engine):
    engine.program = PROGRAM + b"\0crypto/threads_none.c\0\0crypto/threads_pthread.c\0"
    done = run_plan(context, plan_of(book_of("scratch-musl"), service=True), io.StringIO())
    assert outcomes(done)["scratch-musl"].kind == "passed"


def test_a_start_that_was_predicted_to_fail_is_a_wrong_prediction(context, engine):
    done = run(context, dynamic(engine))
    outcome = outcomes(done)["scratch-musl"]
    why = f"it starts, though the interpreter {MUSL_LOADER} is not in the image"
    assert (outcome.stage, outcome.reason) == ("preflight", f"the prediction was wrong: {why}")
    assert done.failed == ("image hello-world@scratch-musl",)


def test_what_is_made_to_fail_is_run_to_confirm_the_prediction(context, engine):
    engine.script = always(Script(exit_code=1, stderr=b"exec /hello-world: no such file or directory\n"))
    done = run(context, expecting(dynamic(engine)))
    assert done.results[0].fails_as_expected
    assert (done.results[0].preflight.predicted, done.results[0].preflight.observed) == (False, False)
    assert len(engine.ran) == 1


def test_a_prediction_that_does_not_come_true_is_a_failure_even_where_one_is_expected(context, engine):
    engine.script = always(Script(exit_code=3))
    done = run(context, expecting(dynamic(engine)))
    outcome = outcomes(done)["scratch-musl"]
    assert outcome.reason.startswith("the prediction was wrong: it starts, though the interpreter")
    assert done.failed == ("image hello-world@scratch-musl",)


def test_a_program_that_is_expected_not_to_compile_fails_nothing(context, engine):
    engine.broken = "cargo build"
    view = io.StringIO()
    plan = plan_of(expecting(book_of("scratch-musl", "alpine")))
    done = run_plan(context, plan, view)
    told = view.getvalue()
    assert f"as expected; the whole log: {context.log(program_name(plan.cells[0].program))}\n" in told
    assert "which failed as expected\n" in told
    assert "cargo build" not in told
    assert {outcome.stage for outcome in outcomes(done).values()} == {"compile"}
    assert all(result.fails_as_expected for result in done.results)
    assert done.failed == ()


def test_a_program_that_fails_to_compile_for_another_reason_is_a_failure(context, engine):
    engine.broken = "cargo build"
    view = io.StringIO()
    done = run_plan(context, plan_of(expecting(book_of("scratch-musl"), says="OpenSSL")), view)
    assert "as expected" not in view.getvalue()
    outcome = outcomes(done)["scratch-musl"]
    assert (outcome.stage, outcome.reason, outcome.expected) == ("compile", "error: broken", "")
    assert "another failure is expected, which says 'OpenSSL'" in outcome.detail
    assert done.failed == ("program hello-world musl static in musl", "image hello-world@scratch-musl")


def test_the_whole_log_of_a_compile_is_looked_into(context, engine, monkeypatch):
    def work(_work, log):
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text("no OpenSSL\n" + "note\n" * 100, encoding="utf-8")
        raise EngineError("podman run", 101, ["note"] * 20, log)

    monkeypatch.setattr(engine, "work", work)
    assert run(context, expecting(book_of("scratch-musl"), says="OpenSSL")).failed == ()


def test_crates_that_cannot_be_fetched_are_no_failure_to_expect(context, engine):
    engine.broken = "vendor --locked"
    plan = plan_of(expecting(book_of("scratch-musl"), says="OpenSSL"), needs_crates=True)
    done = run_plan(context, plan, io.StringIO())
    assert outcomes(done)["scratch-musl"].expected == ""
    assert len(done.failed) == 2


def test_a_program_that_one_cell_hopes_for_must_compile(context, engine):
    engine.broken = "cargo build"
    hopeful, (doomed,) = book_of("scratch-musl"), expecting(book_of("alpine")).recipes
    done = run(context, RecipeBook(recipes=(*hopeful.recipes, doomed), toolchains=BOOK.toolchains))
    assert "program hello-world musl static in musl" in done.failed


def test_a_base_that_cannot_be_had_is_no_failure_to_expect(context, engine):
    engine.remove(ALPINE)
    done = run(context, expecting(book_of("alpine")))
    assert outcomes(done)["alpine"].expected == ""
    assert "image hello-world@alpine" in done.failed


def test_each_run_of_a_sample_must_be_as_expected(context, engine):
    runs = (Expectation(stdout="Hello, world!\n"), Expectation(name="other", stdout="Hallo\n"))
    plan = plan_of(book_of("scratch-musl"), expectations=runs)
    (result,) = run_plan(context, plan, io.StringIO()).results
    assert result.outcome.reason == "run 'other': its output differs"
    assert len(engine.ran) == 2


def test_results_come_in_the_plans_order_whichever_ends_first(context):
    book = book_of("scratch-musl", "alpine")
    book = RecipeBook(recipes=book.recipes[::-1], toolchains=book.toolchains)
    assert [result.recipe for result in run(context, book).results] == ["scratch-musl", "alpine"]


def test_a_run_that_finds_all_done_is_idle(context, engine):
    digest = f"sha256:{'a' * 64}"
    pinned = Build(containerfile="FROM scratch\n", context=ROOT, tag=f"docker.io/library/rust@{digest}", labels={})
    engine.build(pinned, context.log("x"))
    engine.built.clear()
    locked = replace(context, lock=Lock().with_digest(RUST, digest))
    assert not run(locked, book_of("scratch-musl")).idle
    second = run(locked, book_of("scratch-musl"))
    assert second.idle
    assert {output.status for output in second.outputs.by_id.values()} == {"unchanged"}
    assert not run(replace(locked, force=True), book_of("scratch-musl")).idle
    engine.script = always(Script(exit_code=1))
    assert not run(replace(locked, force=True), book_of("scratch-musl")).idle


def root_job(name, source):
    return RootJob(name=name, role="base", source=source, reference=f"example.com/{name}:1", bootstrap=None)


def root_image(name, kind, digest, *packages):
    source = Source(kind=kind, reference=f"example.com/{name}:1", digest=digest)
    return RootImage(status="built", note="", reference="", source=source, packages=packages)


def test_what_a_run_resolved_is_pinned_and_no_pin_is_changed():
    digest, old = f"sha256:{'b' * 64}", f"sha256:{'c' * 64}"
    libc = Pinned(name="libc6", version="2.41-12", sha256="d" * 64)
    jobs = [root_job("a", "registry"), root_job("b", "registry"), root_job("c", "bootstrap"), root_job("e", "registry")]
    made = {
        "base a": root_image("a", "registry", digest),
        "base b": root_image("b", "registry", digest),
        "base c": root_image("c", "bootstrap", digest, libc),
        "base e": root_image("e", "registry", ""),  # without a digest there is nothing to pin
        "base no-job": root_image("no-job", "registry", digest),
    }
    outputs = Outputs(by_id=made)
    lock = new_pins(Lock().with_digest("example.com/b:1", old), jobs, outputs)
    assert lock.registry == {"example.com/b:1": old, "example.com/a:1": digest}
    assert lock.bootstrap == {"base c": {"libc6": f"2.41-12 sha256:{'d' * 64}"}}
    assert new_pins(lock, jobs, outputs) == lock
    moved = root_image("c", "bootstrap", digest, replace(libc, version="2.41-13"))
    assert new_pins(lock, jobs, Outputs(by_id={"base c": moved})) == lock


def test_a_cell_that_failed_is_told_of_once_and_not_by_what_would_have_timed_it(context):
    view = io.StringIO()
    plan = plan_of(book_of("scratch-musl", libc="gnu"))
    done = run_plan(context, plan, view)
    assert outcomes(done)["scratch-musl"].kind == "failed"
    assert "image hello-world@scratch-musl: failed" in view.getvalue()
    assert "timed" not in view.getvalue()
    assert "timed hello-world@scratch-musl" in {job.id for job in plan.jobs}
