"""The steps are tried in waves, none after one that broke the program; and the answer in each format."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest

from bareboat.commands.ladder import _Answer, _climb, _waves
from bareboat.commands.pages import published_ladders
from bareboat.inputs.expectation import AS_IT_STANDS, Expectation
from bareboat.inputs.ladder import PLAIN, choose_steps, path_to, read_ladder
from bareboat.inputs.mend import Mend
from bareboat.report import advise, find_ladders, ladder_markdown
from bareboat.result.measurement import Column, Measurement
from bareboat.result.values import Failed
from tests.unit.project import HELLO, plan_of
from tests.unit.report.example_results import result

SIZE = Column(name="program_size", heading="Program", unit="bytes", order=1)
RECIPES = ("scratch-glibc", "scratch-musl")
BROKEN = Failed(stage="run", reason="exit code 134, not 0")
CRATE = replace(HELLO, name="app", crate="app", own=True)
NAMES = [step.name for step in read_ladder()]


class Runs:
    """Plays the runs: each step is ten bytes smaller than the one before, and some cells fail."""

    def __init__(self, *broken):
        self.broken, self.tried, self.told = broken, [], []

    def carry_out(self, samples):
        mends = (Mend(recipe="scratch-musl", provision="tz", why="it says so"),)
        plan = plan_of(*RECIPES, samples=tuple(replace(sample, mends=mends) for sample in samples))
        self.tried.append([cell.id for cell in plan.cells])
        return SimpleNamespace(
            plan=plan,
            run=SimpleNamespace(results=[self.result(cell.sample.name, cell.recipe.name) for cell in plan.cells]),
        )

    def result(self, sample, recipe):
        size = 900 - 10 * (NAMES.index(sample.partition("+")[2]) + 1 if sample.partition("+")[2] in NAMES else 0)
        outcome = BROKEN if f"{sample}@{recipe}" in self.broken else None
        made = result(recipe, sample=sample, outcome=outcome)
        return replace(made, measurements=(Measurement(column=SIZE, value=size),))

    def climb(self, *patterns, crate=CRATE):
        steps = choose_steps(patterns, unstable=True)
        climbed = _climb(crate, steps, self.carry_out, self.told.append)
        ladders = find_ladders(climbed.results, [path_to(step) for step in (PLAIN, *steps)])
        advice = [advise(ladder, named=bool(patterns)) for ladder in ladders]
        return _Answer(climbed=climbed, ladders=ladders, advice=advice)


def test_steps_are_tried_in_the_order_in_which_one_may_break_the_next():
    assert [[step.name for step in wave] for wave in _waves(read_ladder())] == [
        NAMES[: NAMES.index("abort") + 1],
        NAMES[NAMES.index("packed") : NAMES.index("build-std")],
        NAMES[NAMES.index("build-std") :],
    ]


def test_the_plain_program_is_tried_first_and_what_it_lacks_is_given_to_every_step():
    runs = Runs()
    answer = runs.climb()
    assert runs.tried[0] == ["app@scratch-glibc", "app@scratch-musl"]
    assert sum(map(len, runs.tried)) == 2 * (1 + len(NAMES))
    assert [mend.provision for mend in answer.climbed.crate.mends] == ["tz"]
    assert "steps compile std, half a minute or more each: --no-unstable leaves them out" in runs.told[0]
    assert runs.told[1] == "1 of 4: plain"


def test_what_comes_after_a_break_is_not_compiled_there_and_says_why():
    runs = Runs("app+abort@scratch-musl")
    answer = runs.climb()
    assert not any("@scratch-musl" in cell for wave in runs.tried[2:] for cell in wave)
    assert "app+packed@scratch-glibc" in runs.tried[2]
    rows = json.loads(answer.text("json"))["steps"]
    skipped = [row for row in rows if row["outcome"] == "skipped"]
    assert {row["recipe"] for row in skipped} == {"scratch-musl"}
    assert [row["step"] for row in skipped] == NAMES[NAMES.index("packed") :]
    assert {row["reason"] for row in skipped} == {"it comes after abort, which does not pass"}


def test_where_the_plain_program_fails_no_step_is_compiled():
    runs = Runs("app@scratch-musl", "app@scratch-glibc")
    answer = runs.climb()
    assert len(runs.tried) == 1
    assert runs.told[2] == "2 of 4: strip, opt-z, lto, one-unit, abort: nothing to try"
    told = json.loads(answer.text("json"))
    assert {row["reason"] for row in told["steps"][1:] if row["step"] != "plain"} == {
        "it comes after plain, which does not pass"
    }
    assert [(one["step"], one["paste"]) for one in told["recommended"]] == [("", "")] * 2
    assert "To paste" not in answer.text("text")


def test_one_block_is_for_all_recipes_that_take_the_same_step():
    told = json.loads(Runs().climb().text("json"))["recommended"]
    assert [(one["recipe"], one["step"], one["unstable"], one["smallest"]) for one in told] == [
        (recipe, "packed", "immediate-abort", "std-opt-s") for recipe in RECIPES
    ]
    assert told[0]["paste"] == told[1]["paste"]
    assert all(f"[target.x86_64-unknown-linux-{libc}]" in told[0]["paste"] for libc in ("gnu", "musl"))
    assert Runs().climb().text("text").count("To paste, for packed:") == 1


def test_recipes_that_take_other_steps_have_blocks_of_their_own():
    text = Runs("app+packed@scratch-musl").climb().text("text")
    assert "To paste, for packed:" in text
    _, _, abort = text.partition("To paste, for abort:")
    assert "[target.x86_64-unknown-linux-musl]" in abort
    assert "linux-gnu" not in abort


def test_steps_that_are_named_are_taken_whatever_they_cost():
    answer = Runs().climb("no-headers")
    text = answer.text("text")
    assert "scratch-musl: take no-headers" in text
    assert "objcopy --strip-section-headers" in text
    assert "For records alone" not in text


def test_markdown_has_tables_advice_and_the_block_in_a_fence():
    text = Runs().climb("strip").text("markdown")
    assert text.startswith("**scratch-glibc**\n\n| Step ")
    assert (
        'strip:\n\n```\n# Cargo.toml, of the workspace where there is one\n[profile.release]\nstrip = "symbols"\n'
        in text
    )


def test_of_a_sample_of_ours_nothing_is_advised():
    answer = replace(Runs().climb("strip"), advice=[])
    assert list(json.loads(answer.text("json"))) == ["steps"]
    assert "take" not in answer.text("text")


@pytest.mark.parametrize(
    ("runs", "said"),
    [
        ((AS_IT_STANDS,), "Nothing is expected of app: its runs show that it starts, and no more."),
        ((Expectation(),), "Judged by what its run must show: "),
        ((Expectation(), Expectation(name="a")), "Judged by what its 2 runs must show: "),
    ],
)
def test_what_is_not_known_of_panics_is_said(runs, said):
    text = Runs().climb("strip", crate=replace(CRATE, expectations=runs)).text("text")
    assert said in text
    assert "panic" in text.partition(said)[2]


def test_the_page_of_small_programs_has_the_ladder_of_the_sample_on_the_first_host_that_measured_it():
    runs = Runs()
    other = (result("scratch-musl", sample="other"),)
    smallest = (
        *other,
        *(runs.result(name, "scratch-musl") for name in ("smallest", "smallest+strip", "smallest+other")),
    )
    (ladder,) = published_ladders({"b": smallest, "a": other})
    assert [rung.step.name for rung in ladder.rungs] == ["plain", "strip"]
    assert "| strip  |" in ladder_markdown([ladder])
    assert published_ladders({"a": other}) == ()
