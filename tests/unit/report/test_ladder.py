"""What the steps of a ladder came to, as tables and data, and which of them is to be taken."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bareboat.inputs.ladder import PLAIN, find_step, path_to
from bareboat.report import advice_lines, advise, find_ladders, ladder_markdown, ladder_rows, ladder_text
from bareboat.result.measurement import Column, Measurement
from bareboat.result.values import Failed, Ran, Skipped
from bareboat.system.screen import Screen
from tests.unit.report.example_results import result

COLUMNS = {
    "program_size": Column(name="program_size", heading="Program", unit="bytes", order=1),
    "build_seconds": Column(name="build_seconds", heading="Build", unit="seconds", order=2),
    "target_folder": Column(name="target_folder", heading="Target folder", unit="text", order=3),
}
BROKEN = Failed(stage="run", reason="exit code 134, not 0", detail="thread 'main' panicked")
# Made up: each as small as one of a hello world, more or less.
SIZES = {"plain": 500, "strip": 400, "abort": 360, "packed": 350, "no-pie": 340, "build-std": 300, "std-no-pie": 20}


def rung(step, size, recipe="scratch-musl", *, outcome=None, warm="cold"):
    name = "app" if step == "plain" else f"app+{step}"
    figures = {"program_size": size, "build_seconds": 1.5, "target_folder": warm}
    taken = tuple(Measurement(column=COLUMNS[name], value=value) for name, value in figures.items())
    return replace(result(recipe, sample=name, outcome=outcome), measurements=() if size is None else taken)


def ladders(*results, steps=tuple(SIZES)):
    return find_ladders(results, [path_to(PLAIN if name == "plain" else find_step(name)) for name in steps])


def whole(**broken):
    """A ladder on which these steps did not pass."""
    (found,) = ladders(*(rung(name, size, outcome=broken.get(name.replace("-", "_"))) for name, size in SIZES.items()))
    return found


def named(advice):
    return [one and one.step.name for one in (advice.best, advice.unstable, advice.smallest)]


def test_there_is_a_ladder_for_each_recipe_in_the_order_of_the_steps():
    found = ladders(
        rung("abort", 3), rung("plain", 4, "scratch-glibc"), rung("plain", 5), rung("strip", 4, "scratch-glibc")
    )
    assert [(one.recipe, [each.step.name for each in one.rungs]) for one in found] == [
        ("scratch-glibc", ["plain", "strip"]),
        ("scratch-musl", ["plain", "abort"]),
    ]


def test_a_step_saves_what_the_nearest_before_it_had_more():
    ladder = whole()
    saved = {each.step.name: ladder.saved_bytes(each) for each in ladder.rungs}
    # Two steps that come after the same one are each held to that.
    assert (saved["plain"], saved["strip"], saved["abort"]) == (None, 100, 40)
    assert (saved["packed"], saved["no-pie"], saved["build-std"]) == (10, 20, 60)


def test_a_step_without_a_program_is_passed_over():
    (ladder,) = ladders(rung("plain", 9), rung("strip", None, outcome=BROKEN), rung("abort", 6))
    assert [ladder.saved_bytes(each) for each in ladder.rungs] == [None, None, 3]


def test_the_smallest_stable_step_for_production_is_taken_and_the_others_are_named():
    assert named(advise(whole(), named=False)) == ["packed", "build-std", "std-no-pie"]


def test_of_steps_that_were_named_the_smallest_is_taken():
    assert named(advise(whole(), named=True)) == ["std-no-pie", None, None]


@pytest.mark.parametrize(
    ("broken", "taken"),
    [
        ({"abort": BROKEN}, ["strip", None, None]),
        ({"packed": BROKEN}, ["abort", "build-std", "std-no-pie"]),
        ({"build_std": BROKEN}, ["packed", None, "no-pie"]),
        ({"std_no_pie": Skipped(reason="x")}, ["packed", "build-std", None]),
        ({"strip": BROKEN}, [None, None, None]),
        ({"plain": BROKEN}, [None, None, None]),
    ],
)
def test_neither_a_broken_step_nor_one_after_it_is_ever_taken(broken, taken):
    assert named(advise(whole(**broken), named=False)) == taken


def test_a_step_that_ends_otherwise_where_nothing_is_expected_is_not_taken():
    plain, strip, abort = rung("plain", 9), rung("strip", 5), rung("abort", 3)
    ran = [replace(one, ran=Ran(exit_code=code)) for one, code in ((plain, 3), (strip, 3), (abort, 0))]
    (ladder,) = ladders(*ran)
    assert named(advise(ladder, named=False)) == ["strip", None, None]
    assert "\nabort: does otherwise than the plain program: " in ladder_text([ladder], None)


def test_of_two_that_are_as_small_the_first_is_taken():
    (ladder,) = ladders(rung("plain", 9), rung("strip", 5), rung("abort", 5), rung("packed", 5))
    assert advise(ladder, named=False).best.step.name == "strip"


def test_what_makes_nothing_smaller_is_not_taken():
    (ladder,) = ladders(rung("plain", 9), rung("strip", 9))
    assert list(advice_lines(advise(ladder, named=False))) == [
        "scratch-musl: leave it as it is; no step that may be taken is smaller and passes."
    ]


def test_advice_tells_what_is_saved_and_all_that_it_costs():
    first, costs, unstable, *rest = advice_lines(advise(whole(), named=False))
    assert first == "scratch-musl: take packed, 350 bytes, 150 (30 %) fewer than as it is."
    assert costs.startswith(
        "    It costs: names of functions in backtraces; speed, of loops above all; time to compile;"
    )
    assert costs.count("time to compile") == 1
    assert unstable == "    With an unstable compiler: build-std, 300 bytes; `--step build-std` says how."
    assert "    For records alone: std-no-pie, 20 bytes; `--step std-no-pie` says how." in rest
    assert "names of functions in backtraces" not in rest[-1], "what is lost already costs nothing besides"


def test_of_what_does_not_pass_as_it_is_nothing_is_said():
    assert list(advice_lines(advise(whole(plain=BROKEN), named=False))) == [
        "scratch-musl: it does not pass as it is, so its steps tell nothing."
    ]


@pytest.mark.parametrize("columns", [20, 40, 80, 120])
def test_a_terminal_has_what_fits(columns):
    text = ladder_text([whole(abort=BROKEN)], Screen(columns=columns))
    assert all(len(line) <= columns or len(line.split()) == 1 for line in text.splitlines())
    assert "abort: failed at run: exit code 134, not 0" in " ".join(text.split())
    assert all(name in text for name in SIZES)


def test_eighty_columns_have_every_figure_and_bars():
    text = ladder_text([whole()], Screen(columns=80))
    heading = text.splitlines()[2]
    assert heading.split() == ["Step", "Program", "Saved", "Run", "Stable", "For", "Compile"]
    strip = next(line for line in text.splitlines() if line.startswith("strip "))
    assert strip.split() == ["strip", "400", "100", "████████", "passed", "yes", "production", "1.5", "s"]


def test_columns_that_are_left_out_are_named():
    assert "No room for" not in ladder_text([whole()], Screen(columns=120))
    assert "\nNo room for Compile: a wider terminal has all columns" in ladder_text([whole()], Screen(columns=70))


def test_a_pipe_has_no_bars_and_whole_lines():
    text = ladder_text([whole()], None)
    assert not set(text) & set("█─")
    assert "\npacked: equal functions once, relocations packed, no build id; PIE and RELRO kept. Costs a loader" in text


def test_a_compile_that_found_another_ones_objects_says_so():
    (ladder,) = ladders(rung("plain", 9_999), rung("strip", 5, warm="warm"))
    assert "warm 1.5 s" in ladder_text([ladder], None)
    assert "9,999" in ladder_text([ladder], None)


def test_markdown_has_every_column():
    lines = ladder_markdown([whole(abort=BROKEN)]).splitlines()
    assert lines[0] == "**scratch-musl**"
    assert [cell.strip() for cell in lines[2].strip("|").split("|")] == [
        *("Step", "Program", "Saved", "Run", "Stable", "For", "Compile", "What is done", "What it costs"),
    ]
    assert len(lines) == 4 + len(SIZES)


def test_data_has_all_that_is_known():
    rows = {row["step"]: row for row in ladder_rows([whole(abort=BROKEN)])}
    assert rows["abort"] == {
        "recipe": "scratch-musl",
        "step": "abort",
        "summary": "a panic ends the program, and nothing is unwound",
        "costs": "catch_unwind, and threads whose panic the others survive",
        "after": "one-unit",
        "stable": True,
        "production": True,
        "outcome": "failed",
        "reason": "exit code 134, not 0",
        "program_bytes": 360,
        "saved_bytes": 40,
        "compile_seconds": 1.5,
        "warm": False,
    }
    assert (rows["plain"]["after"], rows["strip"]["after"]) == ("", "plain")
    assert (rows["build-std"]["stable"], rows["no-pie"]["production"]) == (False, False)
