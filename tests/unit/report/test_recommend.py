"""What the reader of a matrix is told to do, and what a program did of which nothing was expected."""

from __future__ import annotations

import csv
import json
from dataclasses import replace

import pytest

from bareboat.inputs.mend import Mend
from bareboat.report import find_best, recommend, render
from bareboat.report.ran import ran_text
from bareboat.result.measurement import Column, Measurement
from bareboat.result.values import Completed, Failed, Passed, Ran, Result

SIZE = Column(name="size_bytes", heading="Size", unit="bytes", order=1)
SUMMARIES = {"scratch-musl": "Nothing but the program", "debian": "The whole of Debian", "alpine": "Alpine"}
SERVES = Ran(running=True, ports=(8080,), answers=("HTTP 200",), listen_seconds=0.03)
LIBM = Completed(path="/usr/lib/libm.so.6", to="/lib/libm.so.6", why="/x needs it")
TZ = Mend(recipe="scratch-musl", provision="tz", why="it lacks the time zones' data")


def result(recipe, size, outcome=None, **more):
    return Result(
        cell=f"app@{recipe}",
        sample="app",
        recipe=recipe,
        platform="linux/amd64",
        key="k",
        outcome=outcome or Passed(),
        measurements=(Measurement(column=SIZE, value=size),),
        **more,
    )


def test_the_smallest_that_works_is_to_be_taken_and_the_next_is_weighed_against_it():
    said = recommend([result("debian", 120_000_000), result("scratch-musl", 600_000)], SUMMARIES)
    assert said.splitlines() == [
        "Take scratch-musl (600 kB), the smallest of the 2 bases that it works on: Nothing but the program.",
        "Next best is debian (120 MB), 200 times as large: The whole of Debian.",
    ]


def test_the_result_on_the_base_to_take_is_found_and_none_where_it_works_on_none():
    failed, best = result("alpine", 1, Failed(stage="run", reason="it lacks a folder")), result("scratch-musl", 600_000)
    assert find_best([result("debian", 120_000_000), failed, best]) is best
    assert find_best([failed]) is None
    # On the fullest base it runs on, and what ends at once elsewhere is not what was meant.
    full = result("debian", 120_000_000, ran=SERVES)
    assert find_best([result("alpine", 1, ran=Ran(exit_code=1)), full]) is full


def test_what_does_not_work_is_never_taken_and_each_reason_is_told_once():
    failed = Failed(stage="run", reason="it lacks a folder")
    results = [result("debian", 9_000_000), result("alpine", 1000, failed), result("scratch-musl", 10, failed)]
    assert recommend(results, SUMMARIES).splitlines() == [
        "Take debian (9 MB): The whole of Debian.",
        "Not on alpine, scratch-musl: it lacks a folder.",
    ]
    assert recommend(results[1:], SUMMARIES).startswith("It works on none of these bases.\nNot on alpine, scratch-musl")


def test_what_came_aboard_besides_is_told():
    (line,) = recommend([result("scratch-musl", 10, completed=(LIBM,), mended=(TZ,))], SUMMARIES).splitlines()
    assert line.endswith(
        "Nothing but the program; with libm.so.6, which it needs; "
        "with provision 'tz', without which it lacks the time zones' data."
    )


def test_a_base_on_which_it_ends_otherwise_than_on_the_fullest_is_not_taken():
    full, other = Ran(exit_code=0), Ran(exit_code=1, said="Error: no such file.")
    said = recommend(
        [result("debian", 9, ran=full), result("alpine", 5, ran=full), result("scratch-musl", 1, ran=other)], {}
    )
    assert said.startswith("Take alpine (5 B), the smallest of the 2 bases")
    assert said.splitlines()[2:] == [
        "Not on scratch-musl, where it does otherwise: exit 1, and it says: Error: no such file."
    ]
    # Two ports found on one base and one on another are no other end.
    served = [result("debian", 9, ran=SERVES), result("scratch-musl", 1, ran=replace(SERVES, stop_seconds=0.1))]
    assert recommend(served, {}).startswith("Take scratch-musl")


def test_names_that_musl_dropped_are_told_with_what_makes_them_needless():
    asking = result("scratch-musl", 10, large_file_names=("open64", "stat64"))
    said = recommend([asking, result("debian", 20)], SUMMARIES).splitlines()[-1]
    assert said.startswith("On scratch-musl it asks for open64, stat64, which musl dropped in 1.2.4")
    assert said.endswith("`cargo update -p libc`.")


def test_many_libraries_are_counted():
    several = tuple(replace(LIBM, to=f"/lib/lib{name}.so") for name in "abc")
    said = [recommend([result("debian", 1, completed=several[:number])], {}) for number in (2, 3)]
    assert "with liba.so and libb.so, which it needs" in said[0]
    assert "with liba.so and 2 libraries more, which it needs" in said[1]


@pytest.mark.parametrize(
    ("ran", "words"),
    [
        (SERVES, "It listens on 8080 (HTTP 200) after 30 ms, and does not heed SIGTERM"),
        (
            replace(SERVES, stop_seconds=0.1, exit_code=0),
            "It listens on 8080 (HTTP 200) after 30 ms, and ends 100 ms after SIGTERM with exit code 0.",
        ),
        (Ran(running=True), "It runs on and listens on no TCP port, and does not heed SIGTERM"),
        (
            Ran(running=True, udp_ports=(53, 5353), listen_seconds=0.01),
            "It listens on 53/udp and 5353/udp after 10 ms, and does not heed SIGTERM",
        ),
        (
            replace(SERVES, peak_bytes=3_900_000),
            "It listens on 8080 (HTTP 200) after 30 ms, with 3.9 MB of memory at most",
        ),
    ],
)
def test_how_a_service_begins_and_ends_is_told(ran, words):
    assert recommend([result("debian", 1, ran=ran)], SUMMARIES).splitlines()[1].startswith(words)


def test_why_it_did_not_end_with_0_is_told_in_its_own_words():
    said = recommend([result("debian", 1, ran=Ran(exit_code=2, said="error: no FILE"))], SUMMARIES).splitlines()
    assert said[1] == "It ended with exit code 2, and said: error: no FILE"
    assert "arguments = [...]" in said[2]
    assert len(recommend([result("debian", 1, ran=Ran(exit_code=0))], SUMMARIES).splitlines()) == 1


def test_of_several_programs_each_has_its_own_answer():
    said = recommend([result("debian", 1), replace(result("debian", 1), sample="tool")], SUMMARIES)
    assert [line.partition(":")[0] for line in said.splitlines() if line] == ["app", "tool"]


@pytest.mark.parametrize(
    ("ran", "words"),
    [
        (None, ""),
        (Ran(), ""),
        (Ran(exit_code=2), "exit 2"),
        (SERVES, "serves 8080: HTTP 200"),
        (Ran(running=True, ports=(1, 2), answers=("", "no HTTP")), "serves 1, 2: no HTTP"),
        (Ran(running=True), "runs on"),
        (Ran(running=True, udp_ports=(53,)), "serves 53/udp"),
    ],
)
def test_what_it_did_is_a_column_of_few_words(ran, words):
    assert ran_text(result("debian", 1, ran=ran)) == words
    mended = result("debian", 1, ran=ran, mended=(TZ,))
    assert ran_text(mended) == (f"{words}, with tz" if words else "with tz")


def test_other_programs_get_it_as_values_and_only_where_a_program_was_left_to_itself():
    shown = result("debian", 1, ran=SERVES, completed=(LIBM,), mended=(TZ,))
    plain = result("alpine", 1)
    first, second = json.loads(render([shown, plain], "json"))
    if first["base"] == "alpine":
        first, second = second, first
    assert (first["running"], first["ports"], first["answers"]) == (True, "8080", "HTTP 200")
    assert (first["completed"], first["mended"], first["stop_seconds"]) == ("/lib/libm.so.6", "tz", None)
    assert second["running"] is None
    assert first.keys() == second.keys()
    assert {"running", "exit_code"} <= set(next(csv.reader([render([shown], "csv").splitlines()[0]])))
    assert "running" not in json.loads(render([plain], "json"))[0]


def test_the_same_failure_on_many_bases_is_told_once():
    failed = Failed(stage="run", reason="no", detail="because")
    other = replace(failed, detail="for another reason")
    said = render([result("alpine", 3, failed), result("debian", 2, failed), result("scratch-musl", 1, other)], "text")
    assert "\nalpine, debian failed at run: no\n    because\n" in said
    assert "\nscratch-musl failed at run: no\n    for another reason\n" in said
    logged = [replace(failed, stage="compile", detail=f"error\n  the whole log: {name}.log") for name in "ab"]
    said = render([result("alpine", 3, logged[0]), result("debian", 2, logged[1])], "text")
    assert "\nalpine, debian failed at compile: no\n    error\n      the whole log: a.log\n" in said
    assert "b.log" not in said


def test_ports_of_udp_are_told_apart_for_other_programs_too():
    (row,) = json.loads(render([result("debian", 1, ran=Ran(running=True, udp_ports=(53, 5353)))], "json"))
    assert (row["ports"], row["answers"]) == ("53/udp, 5353/udp", None)


def test_a_port_that_nobody_reaches_is_told():
    served = replace(SERVES, ports=(80, 81), answers=("HTTP 200", ""), local_ports=(81,))
    said = recommend([result("debian", 1, ran=served)], SUMMARIES).splitlines()
    assert said[2] == "Nobody outside its container reaches 81: have it listen on 0.0.0.0 instead of 127.0.0.1."
    assert not any("reaches" in line for line in recommend([result("debian", 1, ran=SERVES)], SUMMARIES).splitlines())
