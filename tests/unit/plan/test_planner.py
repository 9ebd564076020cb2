"""The plan: which cells, which jobs, in which order, and what cannot be."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bareboat.errors import SelectionError
from bareboat.inputs.base import Distroless, SameAs
from bareboat.inputs.cargo import Cargo
from bareboat.inputs.expected import ExpectedFailure
from bareboat.inputs.sysroot import Sysroot
from bareboat.plan.jobs import ImageJob, ProgramJob, RootJob, Selection, TimedJob, is_timed, needs
from bareboat.plan.planner import make_plan, plan_named_cell, published_sizes, root_jobs, select_recipes
from tests.unit.project import AMD, ARM, BOOK, HELLO, plan_inputs
from tests.unit.project import SAMPLES as ALL_SAMPLES
from tests.unit.project import plan_of as plan

SAMPLES = (HELLO,)
NAMES = tuple(recipe.name for recipe in BOOK.recipes)
# Those that take any sample.
OPEN = tuple(recipe.name for recipe in BOOK.recipes if not recipe.samples)


def changed(name, **fields):
    recipes = tuple(replace(one, **fields) if one.name == name else one for one in BOOK.recipes)
    return replace(BOOK, recipes=recipes)


def test_cells_are_samples_on_recipes():
    two = (*SAMPLES, replace(SAMPLES[0], name="other"))
    cells = plan(samples=two).cells
    assert {cell.id for cell in cells} == {f"{sample.name}@{name}" for sample in two for name in OPEN}


def test_a_program_is_compiled_once_for_all_cells_that_share_it():
    jobs = plan().jobs
    programs = [job for job in jobs if isinstance(job, ProgramJob)]
    assert sorted((job.target, job.crt) for job in programs) == [
        ("x86_64-unknown-linux-gnu", "dynamic"),
        ("x86_64-unknown-linux-gnu", "static"),
        ("x86_64-unknown-linux-musl", "dynamic"),
        ("x86_64-unknown-linux-musl", "static"),
    ]
    assert len([job for job in jobs if isinstance(job, RootJob) and job.role == "toolchain"]) == 1


def test_what_is_shared_is_one_job_and_not_only_an_equal_name():
    cells = {cell.recipe.name: cell for cell in plan().cells}
    assert cells["debian"].program == cells["debian-slim"].program == cells["distroless-cc"].program
    assert cells["distroless-static"].program == cells["scratch-glibc"].program
    assert cells["debian"].program != cells["scratch-glibc"].program
    assert cells["debian"].base != cells["debian-slim"].base


def test_two_samples_share_bases_and_toolchain_but_no_program():
    one = plan("debian", "scratch-musl")
    two = plan("debian", "scratch-musl", samples=(*SAMPLES, replace(SAMPLES[0], name="other")))
    assert count(one) == {"toolchain": 1, "base": 1, "program": 2, "image": 2, "timed": 2}
    assert count(two) == {"toolchain": 1, "base": 1, "program": 4, "image": 4, "timed": 4}


def test_with_registries_each_libc_has_a_toolchain_of_its_own():
    made = plan("debian", "scratch-musl", source="registry")
    assert [(job.id, job.reference) for job in made.jobs if isinstance(job, RootJob) and job.role == "toolchain"] == [
        ("toolchain gnu", "docker.io/library/rust:1-slim"),
        ("toolchain musl", "docker.io/library/rust:1-alpine"),
    ]


def count(made):
    return dict(Counter(job.id.partition(" ")[0] for job in made.jobs))


def test_a_job_needs_what_it_is_made_of():
    cells = {cell.recipe.name: cell for cell in plan().cells}
    debian, scratch = cells["debian"], cells["scratch-musl"]
    assert needs(ImageJob(cell=debian)) == (debian.program, debian.base)
    assert needs(ImageJob(cell=scratch)) == (scratch.program,)
    assert needs(scratch.program) == (scratch.program.toolchain,)
    assert needs(scratch.program.toolchain) == ()


def test_ids_are_the_jobs_spelling():
    cell = plan("scratch-musl").cells[0]
    assert cell.id == "hello-world@scratch-musl"
    assert ImageJob(cell=cell).id == "image hello-world@scratch-musl"
    assert cell.program.id == "program hello-world musl static in gnu"
    assert cell.program.toolchain.id == "toolchain gnu"
    assert (cell.program_path, cell.program.binary) == ("/hello-world", "/out/hello-world")


@pytest.mark.parametrize(
    ("platform", "recipe", "triple", "spelling"),
    [
        (AMD, "scratch-glibc", "x86_64-unknown-linux-gnu", "linux/amd64"),
        (AMD, "alpine", "x86_64-unknown-linux-musl", "linux/amd64"),
        (ARM, "scratch-glibc", "aarch64-unknown-linux-gnu", "linux/arm64"),
        (ARM, "scratch-musl", "aarch64-unknown-linux-musl", "linux/arm64"),
    ],
)
def test_triples_are_spelled_as_rustc_does_and_platforms_as_podman_does(platform, recipe, triple, spelling):
    made = plan(recipe, platform=platform)
    assert made.cells[0].program.target == triple
    assert str(made.platform) == spelling


def test_the_program_is_compiled_for_the_toolchains_libc_whatever_the_recipe_declares():
    recipe = next(one for one in BOOK.recipes if one.name == "scratch-musl")
    book = changed("scratch-musl", compile=replace(recipe.compile, libc="gnu"))
    assert plan("scratch-musl", book=book).cells[0].program.libc == "musl"


@given(st.sets(st.sampled_from(OPEN), min_size=1), st.sampled_from(["registry", "bootstrap"]))
def test_every_job_comes_once_and_after_what_it_needs(recipes, source):
    jobs = plan(*recipes, source=source).jobs
    ids = [job.id for job in jobs]
    assert len(ids) == len(set(ids))
    for place, job in enumerate(jobs):
        assert {need.id for need in needs(job)} <= set(ids[:place])
    assert {job.cell.recipe.name for job in jobs if isinstance(job, ImageJob)} == recipes
    needed = {need.id for job in jobs for need in needs(job)}
    assert needed == {job.id for job in jobs if not isinstance(job, TimedJob)}


def test_references_are_the_registrys_or_local():
    def references(source):
        return {job.id: job.reference for job in root_jobs(BOOK, source)}

    assert references("registry")["base debian"] == "docker.io/library/debian:trixie"
    assert references("registry")["toolchain musl"] == "docker.io/library/rust:1-alpine"
    assert references("bootstrap")["base debian"] == "localhost/bareboat/base/debian:bootstrap"
    assert "toolchain musl" not in references("bootstrap")


def test_the_roots_of_a_book_come_once_toolchains_first():
    assert [job.id for job in root_jobs(BOOK, "registry")][:3] == ["toolchain gnu", "toolchain musl", "base alpine"]
    bases = [
        recipe.name
        for recipe in BOOK.recipes
        if not recipe.base.scratch and not isinstance(recipe.base.bootstrap, SameAs)
    ]
    packages = ("package ca-certificates", "package tzdata")
    expected = ["toolchain gnu", "package rust-web-src", *(f"base {name}" for name in bases), *packages]
    assert [job.id for job in root_jobs(BOOK, "bootstrap")] == expected


def test_a_root_says_how_it_is_made_only_where_it_is_made_here():
    assert {job.bootstrap for job in root_jobs(BOOK, "registry") if job.role != "package"} == {None}
    assert None not in {job.bootstrap for job in root_jobs(BOOK, "bootstrap")}
    made = root_jobs(BOOK, "registry")
    assert {job.source for job in made if job.role != "package"} == {"registry"}
    assert {job.source for job in made if job.role == "package"} == {"bootstrap"}


def test_what_has_no_image_is_made_here_even_where_registries_are_used():
    recipe = next(one for one in BOOK.recipes if one.name == "debian")
    book = changed("debian", base=replace(recipe.base, image=None))
    (base,) = [job for job in plan("debian", book=book, source="registry").jobs if job.id == "base debian"]
    assert (base.source, base.reference) == ("bootstrap", "localhost/bareboat/base/debian:bootstrap")
    assert base.bootstrap == recipe.base.bootstrap


def test_a_toolchain_without_a_bootstrap_skips_its_recipes_where_no_registry_is_used():
    toolchains = tuple(replace(one, base=replace(one.base, bootstrap=None)) for one in BOOK.toolchains)
    book = replace(BOOK, toolchains=toolchains)
    made = plan("debian", "scratch-musl", book=book)
    assert [(one.sample, one.recipe, one.reason) for one in made.skipped] == [
        ("hello-world", "debian", "no registry is used and toolchain 'gnu' has no [base.bootstrap]"),
        ("hello-world", "scratch-musl", "no registry is used and toolchain 'musl' has no [base.bootstrap]"),
    ]
    assert made.jobs == ()
    assert len(plan("debian", "scratch-musl", book=book, source="registry").cells) == 2


def test_a_skipped_cell_leaves_the_others_their_jobs():
    recipe = next(one for one in BOOK.recipes if one.name == "alpine")
    made = plan("alpine", "debian", book=changed("alpine", base=replace(recipe.base, bootstrap=None)))
    assert [cell.id for cell in made.cells] == ["hello-world@debian"]
    assert [one.recipe for one in made.skipped] == ["alpine"]
    assert not any("alpine" in job.id for job in made.jobs)


def test_a_copy_needs_the_image_that_it_is_from():
    (cell,) = plan("scratch-glibc-dynamic").cells
    assert [(one.copy.source, one.source) for one in cell.copies] == [("toolchain", cell.program.toolchain)] * 3
    (cell,) = plan("scratch-musl-net").cells
    named = {job.id for job in needs(ImageJob(cell=cell))}
    assert named == {cell.program.id, "package ca-certificates", "package tzdata"}
    package = next(job for job in cell.roots if job.name == "tzdata")
    assert package.bootstrap == Distroless(kind="distroless", suite="trixie", packages=("tzdata",))


def test_a_package_comes_from_packages_even_where_registries_are_used():
    (cell,) = plan("scratch-musl-net", source="registry").cells
    assert {job.source for job in cell.roots} == {"bootstrap"}


def test_a_base_that_is_the_same_as_another_is_one_job():
    made = plan("alpine", "alpine-glibc-dynamic")
    assert [job.id for job in made.jobs if isinstance(job, RootJob)] == ["toolchain gnu", "base alpine"]


def test_what_is_on_request_is_built_only_by_name():
    samples = (*SAMPLES, replace(SAMPLES[0], name="long", on_request=True))
    assert [cell.id for cell in plan("debian", samples=samples).cells] == ["hello-world@debian"]
    made = plan("debian", samples=samples, names=("long",))
    assert [cell.id for cell in made.cells] == ["long@debian"]
    assert [cell.id for cell in plan("debian", samples=samples[1:]).cells] == ["long@debian"]


def test_a_service_needs_the_harbor():
    harbor = replace(SAMPLES[0], name="harbor")
    service = replace(SAMPLES[0], name="server", service=True)
    made = plan("debian", samples=(service,), harbor=harbor)
    (cell,) = made.cells
    assert cell.harbor.id == "program harbor musl static in gnu"
    assert cell.harbor in needs(ImageJob(cell=cell))
    assert cell.harbor in made.jobs
    assert made.jobs.index(cell.harbor) < made.jobs.index(ImageJob(cell=cell))
    assert needs(TimedJob(cell=cell)) == (ImageJob(cell=cell), cell.program, cell.harbor)
    assert [job for job in made.jobs if is_timed(job)] == [made.jobs[-1]] == [TimedJob(cell=cell)]


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("hello-world@scratch-m*", "'hello-world@scratch-m*' is not one cell; there are: hello-world@scratch-musl, "),
        ("hello-world", "'hello-world' is not one cell; there are: "),
        ("hello-world@debain", "no recipe matches 'debain' (did you mean 'debian'?)"),
    ],
)
def test_a_cell_is_named_by_sample_and_recipe(named, said):
    with pytest.raises(SelectionError) as caught:
        plan_named_cell(plan_inputs(), SAMPLES, named)
    assert str(caught.value).startswith(said)
    assert [cell.id for cell in plan_named_cell(plan_inputs(), SAMPLES, "hello-world@debian").cells] == [
        "hello-world@debian"
    ]


def test_a_named_cell_that_cannot_be_made_says_why():
    recipe = next(recipe for recipe in BOOK.recipes if recipe.name == "alpine")
    inputs = plan_inputs(changed("alpine", base=replace(recipe.base, bootstrap=None)))
    with pytest.raises(SelectionError, match="'hello-world@alpine' cannot be made: no registry is used"):
        plan_named_cell(inputs, SAMPLES, "hello-world@alpine")


def test_what_others_published_is_known_by_the_cell():
    sizes = published_sizes(BOOK, [replace(HELLO, published=(("debian-slim", 5), ("debian", 7)))])
    assert (sizes["hello-world@scratch-musl"], sizes["hello-world@debian"]) == (416_000, 124_000_000)
    assert "hello-world@scratch-glibc-dynamic" not in sizes
    own = replace(HELLO, name="own", published=(("debian", 7),))
    assert published_sizes(BOOK, [own])["own@debian"] == 7


def test_a_variants_provisions_come_aboard_where_nothing_else_is():
    variant = replace(SAMPLES[0], name="hello-world+tz", provisions=(("scratch-*", ("tz",)),))
    cells = plan("scratch-musl", "debian", samples=(variant,)).cells
    targets = {cell.recipe.name: [one.copy.to for one in cell.copies] for cell in cells}
    assert targets == {"scratch-musl": ["/usr/share/zoneinfo/"], "debian": []}


def test_a_cell_fails_as_its_recipe_or_its_sample_expects():
    old, never = (ExpectedFailure(why=why, says="x") for why in ("too old", "never"))
    variant = replace(SAMPLES[0], expect_failure=(("debian*", old), ("debian", never)))
    cells = plan("debian", "alpine", samples=(variant,)).cells
    assert {cell.recipe.name: cell.expect_failure for cell in cells} == {"debian": old, "alpine": None}


def test_recipe_and_sample_choose_each_other():
    samples = (*SAMPLES, replace(SAMPLES[0], name="new", recipes=("debian*",)))
    cells = {cell.id for cell in plan("debian-bookworm", "debian", "alpine", samples=samples).cells}
    assert cells == {"hello-world@debian", "hello-world@alpine", "new@debian"}
    with pytest.raises(SelectionError, match="recipe 'debian-bookworm' is for samples newer-glibc"):
        plan("debian-bookworm")


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


def test_a_sample_that_matches_nothing_is_said_to_be_a_sample():
    with pytest.raises(SelectionError) as caught:
        choose(samples=("helo-world",))
    assert str(caught.value) == "no sample matches 'helo-world' (did you mean 'hello-world'?); there are: hello-world"


def test_one_pattern_that_matches_does_not_excuse_another():
    with pytest.raises(SelectionError) as caught:
        choose(recipes=("scratch-*", "quux"))
    assert str(caught.value) == f"no recipe matches 'quux' (there are: {', '.join(NAMES)})"


@pytest.mark.parametrize(
    ("patterns", "names"),
    [
        (("scratch-*",), [name for name in OPEN if name.startswith("scratch-")]),
        (("scratch-musl", "debian"), ["debian", "scratch-musl"]),
        (("scratch-glibc", "*-musl"), ["scratch-glibc", "scratch-musl"]),
        (("debian",), ["debian"]),
        (("debia[mn]",), ["debian"]),
        ((), list(OPEN)),
    ],
)
def test_patterns_choose_as_a_shell_does_in_the_books_order(patterns, names):
    assert [cell.recipe.name for cell in choose(recipes=patterns).cells] == names


def choose(**patterns):
    return make_plan(plan_inputs(), SAMPLES, Selection(**patterns))


STD = replace(HELLO, name="std", cargo=Cargo(build_std=("std",)))


def test_std_has_its_source_from_a_package_that_is_made_before():
    made = plan("scratch-musl", "scratch-glibc", samples=(STD,))
    first, *_ = (cell.program for cell in made.cells)
    assert first.std in needs(first)
    assert first.std.bootstrap == Distroless(kind="distroless", suite="trixie", packages=("rust-web-src",))
    assert [job.id for job in made.jobs].count("package rust-web-src") == 1
    assert made.jobs.index(first.std) < made.jobs.index(first)
    assert plan("scratch-musl").cells[0].program.std is None


def test_std_is_not_compiled_in_a_toolchain_of_a_registry_whose_source_no_package_has():
    made = plan("scratch-musl", samples=(STD, HELLO), source="registry")
    assert [(one.sample, one.reason) for one in made.skipped] == [
        ("std", "`build_std` compiles std, whose source toolchain 'musl' has no Debian package of")
    ]
    assert [cell.sample.name for cell in made.cells] == ["hello-world"]


def test_std_is_not_compiled_where_the_toolchain_names_no_package():
    book = replace(BOOK, toolchains=tuple(replace(one, std_source=None) for one in BOOK.toolchains))
    assert [one.sample for one in plan("scratch-musl", book=book, samples=(STD,)).skipped] == ["std"]
    assert "package rust-web-src" not in {job.id for job in root_jobs(book, "bootstrap")}


def test_the_package_of_std_is_among_the_roots_only_where_it_fits():
    assert "package rust-web-src" not in {job.id for job in root_jobs(BOOK, "registry")}


GAUGE = replace(HELLO, name="gauge", crate="gauge")


def test_the_gauge_is_compiled_once_where_one_image_is_every_toolchain_and_else_in_the_cells_own():
    def gauges(source):
        return [job.id for job in plan(source=source, gauge=GAUGE).jobs if job.id.startswith("program gauge")]

    assert gauges("bootstrap") == ["program gauge gnu static in gnu"]
    assert sorted(gauges("registry")) == ["program gauge gnu static in gnu", "program gauge musl static in musl"]


def test_a_cell_has_the_same_gauge_whatever_else_is_planned():
    def gauge(*recipes):
        return next(cell.gauge for cell in plan(*recipes, gauge=GAUGE).cells if cell.recipe.name == "alpine")

    assert gauge("alpine") == gauge("alpine", "debian") == gauge()


def test_image_and_timed_job_wait_for_the_instruments():
    (cell,) = plan("scratch-musl", samples=(replace(HELLO, service=True),), harbor=GAUGE, gauge=GAUGE).cells
    assert cell.instruments == (cell.harbor, cell.gauge)
    assert needs(ImageJob(cell=cell)) == (cell.program, *cell.instruments)
    assert needs(TimedJob(cell=cell)) == (ImageJob(cell=cell), cell.program, *cell.instruments)


def own_libc(folder="x", digest="d" * 64):
    """The book with a C library of the user's own in scratch-musl, and that."""
    recipe = next(one for one in BOOK.recipes if one.name == "scratch-musl")
    compiled = replace(recipe.compile, libc="other", sysroot=folder, sysroot_absent="bring it")
    sysroot = Sysroot(path=folder, folder=Path(folder), digest=digest, movable=True)
    return changed("scratch-musl", compile=compiled), sysroot


def test_a_c_library_of_ones_own_is_anothers_program_and_no_other_instrument():
    book, sysroot = own_libc()
    book = replace(book, sysroots=(sysroot,))
    one, two = plan("scratch-musl", "alpine", book=book, gauge=GAUGE).cells
    assert {one.recipe.name, two.recipe.name} == {"alpine", "scratch-musl"}
    own, other = (two, one) if two.recipe.name == "scratch-musl" else (one, two)
    assert (own.program.sysroot, other.program.sysroot, own.gauge) == (sysroot, None, other.gauge)
    assert own.program.target == other.program.target == "x86_64-unknown-linux-musl"
    assert own.program.id == f"{other.program.id} with sysroot dddddddddddd"


def test_one_that_is_absent_is_skipped_with_its_reason_and_named_alone_an_error():
    book, _ = own_libc()
    made = plan("scratch-musl", "alpine", book=book)
    assert [cell.recipe.name for cell in made.cells] == ["alpine"]
    assert [skipped.reason for skipped in made.skipped] == ["there is no x: bring it"]
    with pytest.raises(SelectionError, match="'hello-world@scratch-musl' cannot be made: there is no x: bring it"):
        plan_named_cell(plan_inputs(book), SAMPLES, "hello-world@scratch-musl")
    assert "scratch-musl" not in {one.name for one in select_recipes(book, "")}


def test_relibc_is_skipped_where_nobody_brought_it_and_in_no_plain_plan():
    smallest = next(sample for sample in ALL_SAMPLES if sample.name == "smallest")
    if not BOOK.lacks_sysroot(BOOK.recipe("scratch-relibc")):
        pytest.skip("somebody brought relibc to this machine")
    (skipped,) = make_plan(plan_inputs(), ALL_SAMPLES, Selection(samples=("smallest",))).skipped
    assert (skipped.sample, skipped.recipe) == (smallest.name, "scratch-relibc")
    assert skipped.reason.startswith("there is no ~/.local/share/bareboat/relibc: relibc is no crate, ")
    assert plan(samples=ALL_SAMPLES).skipped == ()
