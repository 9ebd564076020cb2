"""Results are held to today's recipes, samples, lock and code: what was measured just now is today's, no other is."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest

from bareboat.engine.fake import FakeEngine, Script
from bareboat.engine.images import Build
from bareboat.inputs.base import Alpine, Base
from bareboat.inputs.expected import ExpectedFailure
from bareboat.inputs.lock import Lock, Pinned
from bareboat.inputs.recipe import Runtime
from bareboat.make.standing import RootRecord, keep_root
from bareboat.matrix.changes import Today, find_changes
from bareboat.matrix.progress import make_progress
from bareboat.matrix.run import run_matrix
from bareboat.measurements import size
from bareboat.plan.jobs import RootJob
from bareboat.result.store import load_all
from tests.unit.elf_builder import MUSL, build_elf
from tests.unit.project import BOOK, HELLO, ROOT, job_context, plan_of

PROGRAM = build_elf(signs=MUSL, interpreter=None, flags_1=0x08000001)
MUSL_LIBC = Pinned(name="musl", version="1.2.5", sha256="d" * 64)
RECIPES = ("alpine", "scratch-musl")


@pytest.fixture
def engine(tmp_path):
    (tmp_path / "store").mkdir()
    said = Script(stdout=b"Hello, world!\n")
    return FakeEngine(
        folder=tmp_path / "store", script=lambda _image, _command: said, program=PROGRAM, program_path="hello-world"
    )


@pytest.fixture
def context(engine, tmp_path):
    """Whatever is to be made of packages is made: an image of each, and the record of it."""
    context = job_context(engine, tmp_path)
    for job in plan_of(*RECIPES).jobs:
        if isinstance(job, RootJob):
            build = Build(containerfile="FROM scratch\n", context=ROOT, tag=job.reference, labels={"of": job.id})
            image_id = engine.build(build, context.log("x"))
            keep_root(context, job, RootRecord(packages=(MUSL_LIBC,), locked={}, image_id=image_id))
            context = replace(context, lock=context.lock.with_packages(job.id, [MUSL_LIBC]))
    return context


def measure(context, sample=HELLO):
    plan = plan_of(*RECIPES, samples=(sample,))
    done = run_matrix(context, plan, make_progress(io.StringIO(), len(plan.jobs)), 2)
    assert {result.outcome.kind for result in done.results} == {"passed"}
    return load_all(context.results)


@pytest.fixture
def results(context):
    return {result.recipe: result for result in measure(context)}


@pytest.fixture
def today(context):
    return Today(book=BOOK, samples=(HELLO,), harbor=None, lock=context.lock, recipes=context.recipes)


def test_what_was_measured_just_now_is_todays(results, today):
    assert {recipe: find_changes(result, today) for recipe, result in results.items()} == dict.fromkeys(RECIPES, ())
    assert {result.provenance.compiler for result in results.values()} == {"rustc 1.0.0 (fake)"}


def in_recipe(recipe, /, **fields):
    def change(today):
        recipes = tuple(replace(one, **fields) if one.name == recipe else one for one in today.book.recipes)
        return replace(today, book=replace(today.book, recipes=recipes))

    return change


def in_sample(**fields):
    return lambda today: replace(today, samples=tuple(replace(sample, **fields) for sample in today.samples))


def in_lock(job):
    moved = replace(MUSL_LIBC, version="1.2.6")
    return lambda today: replace(today, lock=today.lock.with_packages(job, [moved]))


OTHER = Alpine(kind="alpine", project="a", version="1", sha256="0" * 64, image="i", packages=())
KNOWN = ExpectedFailure(why="a", says="b")
PROGRAM_CHANGED = "program hello-world musl static in gnu: its sources, its flags or its toolchain"
JUDGED = "what is expected of it, or how it is measured"
ABOARD = "what is in the image, or how it runs"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (in_lock("toolchain gnu"), {"toolchain gnu is not of the packages of the lock"}),
        (in_lock("base alpine"), {"base alpine is not of the packages of the lock"}),
        (lambda today: replace(today, lock=Lock()), {"base alpine is not of the packages of the lock"}),
        (in_recipe("alpine", base=Base(bootstrap=OTHER)), {"base alpine: how it is made"}),
        (in_recipe("alpine", runtime=Runtime(user="1:1")), {ABOARD}),
        (in_recipe("alpine", provisions=("tmp",)), {ABOARD}),
        (in_recipe("alpine", provisions=("tz",)), {"it is made of package tzdata now"}),
        (in_recipe("alpine", expect_failure=KNOWN), {JUDGED}),
        (in_sample(digest="e" * 64), {PROGRAM_CHANGED}),
        (in_sample(expectations=()), {JUDGED}),
        (in_sample(name="other"), {"its recipe or its sample is gone"}),
        (in_recipe("alpine", name="other"), {"its recipe or its sample is gone"}),
    ],
)
def test_each_change_is_told(results, today, change, said):
    assert set(find_changes(results["alpine"], change(today))) >= said


def test_a_toolchain_with_another_script_is_told(results, today, tmp_path):
    (tmp_path / "other" / "toolchains").mkdir(parents=True)
    (tmp_path / "other" / "toolchains" / "musl-std.sh").write_text("true\n", encoding="ascii")
    changed = find_changes(results["scratch-musl"], replace(today, recipes=tmp_path / "other"))
    assert changed == ("toolchain gnu: how it is made",)


def test_code_that_measures_otherwise_is_told(results, today, monkeypatch):
    monkeypatch.setattr(size, "COLUMN", replace(size.COLUMN, version=99))
    assert find_changes(results["scratch-musl"], today) == (JUDGED,)


def test_a_result_that_does_not_say_what_it_was_made_of_is_told(results, today):
    result = results["alpine"]
    for provenance in (None, replace(result.provenance, made=None)):
        assert find_changes(replace(result, provenance=provenance), today) == ("it does not say what it was made of",)


def test_other_sources_of_the_same_program_make_the_result_todays_and_run_nothing(context, engine, results, today):
    changed = replace(HELLO, crate="other")
    ran, anew = len(engine.ran), replace(today, samples=(changed,))
    assert find_changes(results["alpine"], anew) == (PROGRAM_CHANGED,)
    later = {result.recipe: result for result in measure(context, changed)}
    assert {find_changes(result, anew) for result in later.values()} == {()}
    assert len(engine.ran) == ran
    measured_at = {recipe: result.provenance.measured_at for recipe, result in results.items()}
    assert {recipe: result.provenance.measured_at for recipe, result in later.items()} == measured_at


def test_a_toolchain_is_asked_once_for_its_compiler(context, engine):
    for force in (False, True):
        measure(replace(context, force=force))
    assert sum(work.command == ("rustc", "--version") for work in engine.worked) == 1
