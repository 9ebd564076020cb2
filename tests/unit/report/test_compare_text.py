"""A comparison as text, Markdown and JSON, and the cheat sheet's figures beside ours."""

from __future__ import annotations

import json
from dataclasses import replace

from bareboat.report.compare import Comparison, compare
from bareboat.report.compare_sheet import tell_cheat_sheet
from bareboat.report.compare_text import tell_comparison
from bareboat.result.measurement import Measurement
from bareboat.result.values import Failed
from tests.unit.report.example_results import DEBIAN, SCRATCH
from tests.unit.report.test_compare import LIBC, RULES, cell, started

BROKEN = replace(cell(outcome=Failed(stage="run", reason="it said | <b>no</b>")), cell="web@alpine")
FOUND = compare(
    {
        "here": [
            cell(size=402_000, start=started(0.001, 0.0009, 0.0011), files=1, libc="musl"),
            replace(cell(), cell="web@alpine"),
        ]
    },
    {"here": [cell(size=416_000, start=started(0.0013, 0.0012, 0.0014), files=1, libc="glibc"), BROKEN]},
    RULES,
)


def test_the_text_as_a_user_sees_it():
    assert tell_comparison(FOUND, "HEAD (0123abc)", "text") == (
        "Compared with HEAD (0123abc).\n"
        "\n"
        "hello-world@scratch-musl\n"
        "  Size      402 kB -> 416 kB  +3.48 %  worse\n"
        "  Start-up    1 ms -> 1.3 ms  +30.0 %  worse\n"
        "    900 µs to 1.1 ms -> 1.2 ms to 1.4 ms\n"
        "  libc      musl -> glibc  changed\n"
        "\n"
        "web@alpine\n"
        "  Outcome   passed -> failed at run  worse\n"
        "    it said | <b>no</b>\n"
        "\n"
        "2 cells compared: of their figures 3 worse, 1 changed, 2 same; 0 gone, 0 new\n"
    )


def test_all_figures_are_shown_where_they_are_asked_for():
    whole = tell_comparison(FOUND, "HEAD", "text", whole=True)
    assert "  Outcome   passed -> passed  same\n" in whole
    assert "  Files          1 ->      1  +0.00 %  same\n" in whole


def test_no_line_of_text_is_wider_than_a_terminal_of_80():
    text = "rustls, with a provider that has a very long name, and OpenSSL beside it"
    long = Measurement(column=replace(LIBC, heading="A heading that takes room"), value=text)
    rules = replace(RULES, columns={})
    old = replace(cell(libc=long, size=10**12, files=123_456_789), cell="web@" + "x" * 60)
    new = replace(cell(libc=replace(long, value=f"{text}, and more"), size=10**12 + 1, files=1), cell=old.cell)
    other = replace(cell(), cell="web@other")
    both = compare({"a-host": [old], "b": [other]}, {"a-host": [new], "b": [other]}, rules)
    lines = tell_comparison(replace(both, gone=("cell" * 10,) * 9), "HEAD", "text").splitlines()
    assert max(map(len, lines)) <= 80
    assert any("1,000,000,000,000 B" in line for line in lines), "rounded they would be the same"


def test_markdown_has_what_is_worse_first_and_escapes_what_programs_say():
    lines = tell_comparison(FOUND, "main_1", "markdown").splitlines()
    assert lines[0] == "## Bareboat: 3 figures became worse"
    assert lines[2].startswith("Compared with main\\_1. 2 cells compared: of their figures 3 worse")
    rows = [[word.strip() for word in line.split(" | ")] for line in lines if line.startswith("| ")][1:]
    assert [row[-2] for row in rows] == ["worse", "worse", "worse", "changed"]
    assert any("it said \\| \\<b\\>no\\</b\\>" in line for line in lines)


def test_markdown_of_no_change_is_short():
    same = compare({"here": [cell(size=1)]}, {"here": [cell(size=1)]}, RULES)
    assert tell_comparison(same, "HEAD", "markdown") == (
        "## Bareboat: nothing became worse\n\n"
        "Compared with HEAD. 1 cell compared: of their figures 2 same; 0 gone, 0 new.\n"
    )


def test_json_has_unrounded_figures_and_all_cells():
    told = json.loads(tell_comparison(replace(FOUND, gone=tuple("abcdefg")), "HEAD", "json"))
    assert told["counts"] == {"worse": 3, "better": 0, "changed": 1, "not_judged": 0, "same": 2}
    assert told["gone"] == list("abcdefg")
    size = next(change for change in told["changes"] if change["column"] == "size")
    assert (size["old"], size["new"], size["change_percent"]) == (402_000, 416_000, 14_000 / 402_000 * 100)
    assert (size["host"], size["cell"], size["unit"], size["verdict"], size["why"]) == (
        *("here", "hello-world@scratch-musl", "bytes", "worse"),
        "",
    )


def test_nothing_to_compare_is_told_too():
    nothing = tell_comparison(Comparison(notes=("here was not measured then",)), "HEAD", "text")
    assert nothing == "Compared with HEAD.\n  here was not measured then\n\n0 cells compared; 0 gone, 0 new\n"


SHEET = {"hello-world@scratch-musl": 416_000, "web@alpine": 4_490_000, "hello-world@debian": 124_000_000}


def test_each_published_size_stands_beside_ours():
    assert tell_cheat_sheet({"here": (SCRATCH, DEBIAN)}, SHEET, "text") == (
        "here\n"
        "\n"
        "Cell                      Cheat sheet          Ours  Ratio\n"
        "hello-world@debian             124 MB        124 MB   1.00\n"
        "hello-world@scratch-musl       416 kB        402 kB   0.97\n"
        "web@alpine                    4.49 MB  not measured\n"
    )


def test_the_sheet_is_told_as_markdown_and_json_too():
    markdown = tell_cheat_sheet({"a_b": (DEBIAN,)}, SHEET, "markdown")
    assert markdown.startswith("## a\\_b\n\n| Cell ")
    records = json.loads(tell_cheat_sheet({"here": (SCRATCH,)}, SHEET, "json"))
    assert [record["ratio"] for record in records] == [None, 402_321 / 416_000, None]
