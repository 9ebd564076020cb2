"""What programs lack by their own words, and that later runs know it."""

from __future__ import annotations

from dataclasses import replace

from bareboat.inputs.mend import Mend
from bareboat.matrix.mend import find_mends, give, remember, say_mends
from bareboat.result.store import save
from bareboat.result.values import Failed, Passed, Result
from tests.unit.project import HELLO, plan_of

OWN = replace(HELLO, own=True)
WHY = "it lacks the time zones' data"
TZ = Mend(recipe="scratch-musl", provision="tz", why=WHY)


def result_of(cell, outcome=None, lacks="tz", lacks_library="", mended=()):
    failed = Failed(stage="run", reason=f"{WHY}; provision 'tz' brings it aboard")
    return Result(
        cell=cell.id,
        sample=cell.sample.name,
        recipe=cell.recipe.name,
        platform="linux/amd64",
        key="k",
        outcome=outcome or failed,
        lacks=lacks,
        lacks_library=lacks_library,
        mended=mended,
    )


def mends_of(recipe, sample=OWN, **fields):
    plan = plan_of(recipe, samples=(sample,))
    return find_mends(plan, [result_of(cell, **fields) for cell in plan.cells])


def test_what_a_program_from_scratch_lacks_is_found():
    assert mends_of("scratch-musl") == {"hello-world": (TZ,)}


def test_nothing_is_mended_that_works_or_stands_on_a_base_or_is_a_sample():
    assert mends_of("scratch-musl", outcome=Passed()) == {}
    assert mends_of("scratch-musl", lacks="") == {}
    assert mends_of("debian-slim") == {}
    assert mends_of("scratch-musl", sample=HELLO) == {}


LIBZ = replace(TZ, provision="", library="libz.so.1")


def test_a_library_that_is_loaded_while_it_runs_is_given_on_a_base_as_well_and_once():
    for recipe in ("scratch-glibc-dynamic", "debian-slim"):
        mend = replace(LIBZ, recipe=recipe)
        assert mends_of(recipe, lacks="", lacks_library="libz.so.1") == {"hello-world": (mend,)}
        given = replace(OWN, mends=(mend,))
        assert mends_of(recipe, lacks="", lacks_library="libz.so.1", sample=given) == {}
        (cell,) = plan_of(recipe, samples=(given,)).cells
        assert (cell.loads, "libz.so.1" in cell.recipe.provisions) == (("libz.so.1",), False)
    assert list(say_mends({"a": [LIBZ]})) == [f"once more with libz.so.1, because {WHY}: a@scratch-musl"]


def test_what_is_aboard_is_not_given_again():
    assert mends_of("scratch-musl-net") == {}
    assert mends_of("scratch-musl", sample=replace(OWN, mends=(TZ,))) == {}


def test_what_was_given_is_put_beside_the_program_on_that_recipe_alone():
    (given,) = give([OWN], {"hello-world": [TZ], "other": [TZ]})
    for recipe, provisions in (("scratch-musl", ("tz",)), ("scratch-glibc", ())):
        (cell,) = plan_of(recipe, samples=(given,)).cells
        assert cell.recipe.provisions == provisions
        assert any(planned.copy.to == "/usr/share/zoneinfo/" for planned in cell.copies) == bool(provisions)
    assert give([OWN], {"other": [TZ]}) == (OWN,)


def test_each_provision_is_told_in_a_line():
    glibc = replace(TZ, recipe="scratch-glibc")
    tmp = replace(TZ, provision="tmp", why="it lacks a folder for temporary files")
    assert list(say_mends({"a": [TZ, glibc], "b": [tmp]})) == [
        f"once more with provision 'tz', because {WHY}: a@scratch-musl, a@scratch-glibc",
        "once more with provision 'tmp', because it lacks a folder for temporary files: b@scratch-musl",
    ]


def test_later_runs_know_it_from_the_results_of_every_host(tmp_path):
    (cell,) = plan_of("scratch-musl", samples=(OWN,)).cells
    assert remember([OWN], tmp_path) == (OWN,)
    for host, mended in (("one", (TZ,)), ("two", (TZ, replace(TZ, provision="certs")))):
        save(result_of(cell, outcome=Passed(), lacks="", mended=mended), tmp_path / host)
    save(replace(result_of(cell), cell="other@scratch-musl", mended=(TZ,)), tmp_path / "one")
    (known,) = remember([OWN], tmp_path)
    assert [mend.provision for mend in known.mends] == ["tz", "certs"]
    assert remember([HELLO], tmp_path) == (HELLO,)
