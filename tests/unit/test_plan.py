"""The plan: which cells, which jobs, in which order, and what cannot be."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bareboat.errors import SelectionError
from bareboat.listing import list_plan, list_recipes, list_samples
from bareboat.plan import PLATFORMS, ImageJob, ProgramJob, RootJob, Selection, make_plan, needs, root_jobs
from bareboat.recipe import RecipeBook, load_recipes
from bareboat.sample import load_samples

ROOT = Path(__file__).parents[2]
BOOK = load_recipes(ROOT / "recipes")
SAMPLES = tuple(sample for sample in load_samples(ROOT / "rust-samples") if sample.name == "hello-world")
NAMES = tuple(recipe.name for recipe in BOOK.recipes)
AMD64 = PLATFORMS["x86_64"]


def plan(*recipes, book=BOOK, samples=SAMPLES, source="bootstrap"):
    return make_plan(book, samples, Selection(recipes=recipes), source=source, platform=AMD64)


def changed(name, **fields):
    recipes = tuple(replace(one, **fields) if one.name == name else one for one in BOOK.recipes)
    return RecipeBook(recipes=recipes, toolchains=BOOK.toolchains)


def test_cells_are_samples_on_recipes():
    two = (*SAMPLES, replace(SAMPLES[0], name="other"))
    cells = plan(samples=two).cells
    assert {cell.id for cell in cells} == {f"{sample.name}@{name}" for sample in two for name in NAMES}


def test_a_program_is_compiled_once_for_all_cells_that_share_it():
    jobs = plan().jobs
    programs = [job for job in jobs if isinstance(job, ProgramJob)]
    assert sorted((job.target, job.crt) for job in programs) == [
        ("x86_64-unknown-linux-gnu", "dynamic"),
        ("x86_64-unknown-linux-gnu", "static"),
        ("x86_64-unknown-linux-musl", "static"),
    ]
    assert len([job for job in jobs if isinstance(job, RootJob) and job.role == "toolchain"]) == 1


@given(st.sets(st.sampled_from(NAMES), min_size=1), st.sampled_from(["registry", "bootstrap"]))
def test_every_job_comes_once_and_after_what_it_needs(recipes, source):
    jobs = plan(*recipes, source=source).jobs
    ids = [job.id for job in jobs]
    assert len(ids) == len(set(ids))
    for place, job in enumerate(jobs):
        assert {need.id for need in needs(job)} <= set(ids[:place])
    assert {job.cell.recipe.name for job in jobs if isinstance(job, ImageJob)} == recipes


def test_references_are_the_registrys_or_local():
    def references(source):
        return {job.id: job.reference for job in root_jobs(BOOK, source)}

    assert references("registry")["base debian"] == "docker.io/library/debian:trixie"
    assert references("registry")["toolchain musl"] == "docker.io/library/rust:1-alpine"
    assert references("bootstrap")["base debian"] == "localhost/bareboat/base/debian:bootstrap"
    assert "toolchain musl" not in references("bootstrap")


def test_a_dynamic_program_on_scratch_is_skipped_with_the_reason():
    recipe = next(one for one in BOOK.recipes if one.name == "scratch-glibc")
    made = plan("scratch-glibc", book=changed("scratch-glibc", compile=replace(recipe.compile, crt="dynamic")))
    assert made.cells == ()
    assert "lacks its loader" in made.skipped[0].reason


def test_a_recipe_without_a_bootstrap_is_skipped_where_no_registry_is_used():
    recipe = next(one for one in BOOK.recipes if one.name == "alpine")
    book = changed("alpine", base=replace(recipe.base, bootstrap=None))
    assert "its image is docker.io/library/alpine" in plan("alpine", book=book).skipped[0].reason
    assert plan("alpine", book=book, source="registry").skipped == ()


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("distroles", r"no recipe matches 'distroles' \(did you mean 'distroless-\w+'\?\)|there are: alpine"),
        ("zzz*", r"no recipe matches 'zzz\*' \(there are: alpine, "),
    ],
)
def test_a_name_that_matches_nothing_lists_what_there_is(pattern, said):
    with pytest.raises(SelectionError, match=said) as caught:
        plan(pattern)
    assert all(name in str(caught.value) for name in NAMES)


def test_lists_name_everything():
    assert all(name in list_recipes(BOOK) for name in (*NAMES, "docker.io/library/rust:1-slim"))
    assert "hello-world" in list_samples(SAMPLES)
    assert f"{len(NAMES)} cells, {len(plan().jobs)} jobs; bases from bootstrap" in list_plan(plan())
