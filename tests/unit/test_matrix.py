"""The matrix on the fake engine: what is done, what is not done again, and how failures spread."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest

from bareboat.engine import Build, RunReport
from bareboat.errors import BareboatError
from bareboat.fake_engine import HOST, FakeEngine
from bareboat.lock import Lock
from bareboat.matrix import run_matrix
from bareboat.plan import PLATFORMS, Selection, make_plan
from bareboat.process import Processes
from bareboat.progress import make_progress
from bareboat.recipe import RecipeBook, load_recipes
from bareboat.resultfile import load_all
from bareboat.sample import load_samples
from bareboat.session import Folders
from bareboat.workshop import Workshop, make_key
from tests.unit.elf_builder import MUSL, build_elf

ROOT = Path(__file__).parents[2]
BOOK = load_recipes(ROOT / "recipes")
PROGRAM = build_elf(signs=MUSL, interpreter=None, flags_1=0x08000001)
HELLO = RunReport(exit_code=0, stdout=b"Hello, world!\n", stderr=b"")
ALPINE = "docker.io/library/alpine:3.23"


def book_of(*names, libc="musl"):
    """Recipes that start from scratch or a registry, so that nothing is bootstrapped."""
    recipes = [one for one in BOOK.recipes if one.name in names]
    recipes = [replace(one, compile=replace(one.compile, libc=libc)) for one in recipes]
    return RecipeBook(recipes=tuple(recipes), toolchains=BOOK.toolchains)


@pytest.fixture
def engine(tmp_path):
    (tmp_path / "store").mkdir()
    engine = FakeEngine(folder=tmp_path / "store", report=HELLO, program=PROGRAM, program_path="hello-world")
    # What a registry would serve: any image will do as a base or a toolchain.
    for name in ("docker.io/library/rust:1-alpine", ALPINE):
        engine.build(
            Build(containerfile="FROM scratch\n", context=ROOT, tag=name, labels={"of": name}), tmp_path / "log"
        )
    engine.built.clear()
    return engine


@pytest.fixture
def workshop(engine, tmp_path):
    folders = Folders(cache=tmp_path / "cache", bootstrap=tmp_path / "bootstrap")
    folders.scratch.mkdir(parents=True)
    return Workshop(
        engine=engine,
        processes=Processes(),
        folders=folders,
        recipes=ROOT / "recipes",
        results=tmp_path / "results",
        lock=Lock(),
        locked=False,
        force=False,
        renew=False,
        host=HOST,
        commit="",
    )


def run(workshop, book, **options):
    samples = [sample for sample in load_samples(ROOT / "rust-samples") if sample.name == "hello-world"]
    plan = make_plan(book, samples, Selection(), source="registry", platform=PLATFORMS["x86_64"])
    return run_matrix(workshop, plan, make_progress(io.StringIO(), len(plan.jobs)), 2, **options)


def outcomes(matrix):
    return {result.recipe: result.outcome for result in matrix.results}


def test_a_cell_passes_is_saved_and_is_not_done_again(workshop, engine):
    first = run(workshop, book_of("scratch-musl", "alpine"))
    assert {outcome.kind for outcome in outcomes(first).values()} == {"passed"}
    assert not first.idle
    assert load_all(workshop.results) == tuple(sorted(first.results, key=lambda result: result.cell))
    values = {one.column.name: one.value for one in first.results[0].measurements}
    assert (values["libc"], values["crt"]) == ("musl", "static")
    built, ran = len(engine.built), len(engine.ran)
    assert (built, ran) == (2, 2), "one compile for both cells and one build; the other image is assembled"
    second = run(workshop, book_of("scratch-musl"))
    assert (len(engine.built), len(engine.ran)) == (built, ran)
    assert second.results[0] == next(result for result in first.results if result.recipe == "scratch-musl")


def test_force_does_it_again(workshop, engine):
    run(workshop, book_of("scratch-musl"))
    run(replace(workshop, force=True), book_of("scratch-musl"))
    assert (len(engine.built), len(engine.ran)) == (2, 2)


def test_a_lost_result_is_measured_again(workshop, engine):
    run(workshop, book_of("scratch-musl"))
    for path in workshop.results.iterdir():
        path.unlink()
    again = run(workshop, book_of("scratch-musl"))
    assert outcomes(again)["scratch-musl"].kind == "passed"
    assert (len(engine.built), len(engine.ran)) == (1, 2)


@pytest.mark.parametrize("content", ['{"schema_version": 99, "new": 1}', '{"schema_version": 1, "cel'])
def test_a_result_that_cannot_be_read_is_told_of_and_kept(workshop, content):
    run(workshop, book_of("scratch-musl"))
    path = next(workshop.results.iterdir())
    path.write_text(content, encoding="utf-8")
    failed = outcomes(run(workshop, book_of("scratch-musl")))["scratch-musl"]
    assert failed.kind == "failed"
    assert str(path) in failed.detail
    assert "invoke build-matrix --force" in failed.detail
    assert path.read_text(encoding="utf-8") == content
    assert outcomes(run(replace(workshop, force=True), book_of("scratch-musl")))["scratch-musl"].kind == "passed"


def test_what_a_recipe_declares_is_held_against_the_program(workshop):
    failed = outcomes(run(workshop, book_of("scratch-musl", libc="gnu")))["scratch-musl"]
    assert (failed.kind, failed.stage) == ("failed", "measure")
    assert failed.reason == "scratch-musl.toml declares libc gnu, the program has musl"


def test_another_output_fails_the_cell(workshop, engine):
    engine.report = RunReport(exit_code=0, stdout=b"Hello", stderr=b"")
    failed = outcomes(run(workshop, book_of("scratch-musl")))["scratch-musl"]
    assert (failed.stage, failed.reason) == ("run", "its output differs")


def test_a_failed_compile_fails_every_cell_that_needs_it(workshop, engine):
    engine.broken = "cargo build"
    done = run(workshop, book_of("scratch-musl", "alpine"))
    for outcome in outcomes(done).values():
        assert (outcome.kind, outcome.stage, outcome.reason) == ("failed", "compile", "error: broken")
    assert len(done.failed) == 3
    assert {result.outcome.kind for result in load_all(workshop.results)} == {"failed"}


def test_a_base_that_cannot_be_had_fails_its_cell_alone(workshop, engine):
    engine.remove(ALPINE)
    done = outcomes(run(workshop, book_of("scratch-musl", "alpine")))
    assert (done["alpine"].stage, done["scratch-musl"].kind) == ("base", "passed")


def test_the_first_failure_ends_a_run_that_does_not_keep_going(workshop, engine):
    engine.broken = "cargo build"
    with pytest.raises(BareboatError, match="failed, and --no-keep-going"):
        run(workshop, book_of("scratch-musl"), keep_going=False)


def test_a_key_is_of_everything_that_goes_in():
    assert make_key("a", "b") == make_key("a", "b")
    assert len({make_key("a", "b"), make_key("ab"), make_key("b", "a"), make_key("a", "b", "")}) == 4
