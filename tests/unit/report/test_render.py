from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

import pytest

from bareboat.report import render
from bareboat.result.measurement import Measurement, Spread
from bareboat.result.values import Failed, Passed
from tests.unit.report.example_results import ALL, BROKEN, COLUMNS, DEBIAN, SCRATCH, SLIM, result

WEB = result("debian", sample="webserver", size=129_000_000, files=9, tls="rustls")
FORMATS = ("text", "markdown", "csv", "json")


def test_the_text_table_as_a_user_sees_it() -> None:
    assert render(ALL, "text", wide=False) == (
        "                                   Cheat                                              Base\n"
        "Base              Outcome    Size  sheet Ratio Files libc  CRT     Linkage      Build from\n"
        "───────────────── ─────── ─────── ────── ───── ───── ───── ─────── ─────────── ────── ─────────\n"
        "debian            passed   124 MB 124 MB  1.00  3456 glibc dynamic dynamic-pie 3.21 s bootstrap\n"
        "debian-slim       passed  80.8 MB               2000 glibc                            registry\n"
        "scratch-musl      passed   402 kB 416 kB  0.97     1 musl  static  static-pie  72.2 s scratch\n"
        "distroless-static failed   200 MB                  9                                  bootstrap\n"
        "alpine-gnu        skipped\n"
        "\n"
        "Compiled by rustc 1.90.0 of toolchain sha256:0123456789ab.\n"
        "Measured on trixie, kernel 6.12.0, Podman 5.4.2, crun 1.21.\n"
        "\n"
        r"distroless-static failed at run: exit 127 | it said \x1b[31mred\x1b[0m and <b>more</b>"
        "\n"
        "    --- expected\n"
        "    +++ said\n"
        "    -Hello, world!\n"
        r"    +       sh: \x1b]0;title\x07not found"
        "\n"
        "\n"
        "alpine-gnu was skipped: Alpine has no glibc\n"
    )


def test_the_main_columns_fit_a_terminal_of_100_with_the_longest_names_there_are() -> None:
    longest = replace(DEBIAN, recipe="scratch-musl-dynamic")
    assert max(map(len, render((longest, SCRATCH, BROKEN), "text", wide=False).splitlines()[:6])) <= 100


def test_a_column_nobody_has_a_figure_for_takes_no_room_in_text() -> None:
    assert "Ratio" not in render((WEB,), "text")
    assert "Ratio" in render((WEB,), "markdown")


@pytest.mark.parametrize("detail", ["", "\n", "image not known", "image not known\n"])
def test_details_that_say_no_more_than_the_reason_are_left_out(detail: str) -> None:
    failed = replace(BROKEN, outcome=Failed(stage="base", reason="image not known", detail=detail))
    assert render((failed,), "text").endswith("\n\ndistroless-static failed at base: image not known\n")


@pytest.mark.parametrize("form", FORMATS)
def test_no_escape_sequence_passes_and_the_text_ends_with_one_newline(form: str) -> None:
    hostile = "\x1b]0;x\x07\x9b2J\u202e"
    everywhere = replace(
        BROKEN, recipe=hostile, sample=hostile, outcome=Failed(stage="run", reason=hostile, detail=hostile)
    )
    said = render((everywhere, DEBIAN), form)
    assert not set(said) & set("\x1b\x07\x9b\u202e")
    assert said.endswith("\n")
    assert not said.endswith("\n\n")


def test_markdown_escapes_what_would_break_its_table() -> None:
    table, origin = (part.splitlines() for part in render(ALL, "markdown").split("\n\n"))
    assert len(table) == 2 + len(ALL)
    compiled, measured = "Compiled by rustc 1.90.0 of toolchain sha256:0123456789ab.", "Measured on trixie, kernel "
    assert origin == [f"{compiled} {measured}6.12.0, Podman 5.4.2, crun 1.21."]
    assert table[1].startswith("|:---")
    assert "--:|" in table[1]
    assert r"failed at run: exit 127 \| it said \\x1b\[31mred\\x1b\[0m and \<b\>more\</b\>" in table[5]


def test_more_than_one_sample_is_a_group_each_in_text_and_markdown_only() -> None:
    both = (WEB, *ALL)
    assert render(both, "text").startswith("hello-world\n\n")
    assert "\n\nwebserver\n\n" in render(both, "text")
    assert render(both, "markdown").startswith("## hello-world\n\n|")
    assert "\n\n## webserver\n\n|" in render(both, "markdown")
    assert "hello-world" not in render(ALL, "text")
    assert len(render(both, "csv").splitlines()) == 1 + len(both)


def test_csv_holds_raw_figures() -> None:
    first, *_, failed, skipped = csv.DictReader(io.StringIO(render(ALL, "csv")))
    assert first["base"] == "debian"
    assert first["size_bytes"] == "124400000"
    assert first["cheat_sheet_bytes"] == "124000000"
    assert first["ratio"] == "1.0032"
    assert first["build_seconds"] == "3.214"
    assert first["files"] == "3456"
    assert first["pie"] == "true"
    assert first["base_source"] == "bootstrap"
    assert first["stage"] == ""
    assert (failed["outcome"], failed["stage"]) == ("failed", "run")
    assert failed["reason"] == r"exit 127 | it said \x1b[31mred\x1b[0m and <b>more</b>"
    assert failed["ratio"] == ""
    assert (skipped["outcome"], skipped["reason"], skipped["size_bytes"]) == ("skipped", "Alpine has no glibc", "")


def test_json_is_a_list_of_objects_with_the_same_keys_and_units_in_them() -> None:
    read = json.loads(render((*ALL, WEB), "json"))
    assert len({tuple(each) for each in read}) == 1
    assert [(each["sample"], each["base"]) for each in read][-1] == ("webserver", "debian")
    debian = read[0]
    assert debian["size_bytes"] == 124_400_000
    assert debian["build_seconds"] == 3.214
    assert debian["pie"] is True
    assert debian["tls"] is None
    assert debian["outcome"] == Passed().kind


def test_records_say_how_sure_a_figure_is_and_why_one_was_not_taken() -> None:
    spread = Spread(runs=20, p10=0.001, p90=0.004, low=0.0015, high=0.0025)
    build, libc = COLUMNS["build"], COLUMNS["libc"]
    sure = Measurement(column=build, value=0.002, spread=spread)
    unsure = Measurement(column=build, value=None, why="the machine\nwas busy")
    untold = Measurement(column=libc, value=None, why="a link to itself")
    results = (replace(SCRATCH, measurements=(sure,)), replace(SLIM, measurements=(unsure, untold)))
    second, first = json.loads(render(results, "json"))
    assert [key for key in first if "build" in key] == [key for key in second if "build" in key]
    assert {key: value for key, value in first.items() if "build" in key} == {
        "build_seconds": 0.002,
        "build_seconds_runs": 20,
        "build_seconds_p10": 0.001,
        "build_seconds_p90": 0.004,
        "build_seconds_low": 0.0015,
        "build_seconds_high": 0.0025,
    }
    assert [value for key, value in second.items() if "build" in key] == [None] * 6
    assert first["not_taken"] == {}
    assert second["not_taken"] == {"build_seconds": "the machine was busy", "libc": "a link to itself"}
    other, one = csv.DictReader(io.StringIO(render(results, "csv")))
    assert (one["build_seconds_low"], one["not_taken"]) == ("0.0015", "")
    assert other["not_taken"] == "libc: a link to itself; build_seconds: the machine was busy"
    assert "build_seconds_low" not in json.loads(render(ALL, "json"))[0]


def test_nothing_measured_is_said() -> None:
    assert [render((), form) for form in FORMATS[:2]] == ["No results.\n", "No results.\n"]
    assert render((), "csv").startswith("sample,base,platform,outcome,")
    assert json.loads(render((), "json")) == []
