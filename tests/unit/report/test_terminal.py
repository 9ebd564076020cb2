"""What a terminal is shown is no wider than it is, and no word is cut; with results that were measured."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise

import pytest

from bareboat.report.bars import bar
from bareboat.report.fit import choose_columns, fold, shorten, stack_columns
from bareboat.report.render import render
from bareboat.report.table import choose_fields, columns, field_names, result_fields
from bareboat.report.terminal import show
from bareboat.result.measurement import Column, Measurement
from bareboat.result.store import hosts, load_all
from bareboat.system.screen import Screen
from tests.unit.project import ROOT
from tests.unit.report.example_results import ALL, DEBIAN, SCRATCH, SLIM

WIDTHS = (40, 80, 100, 140, 200)
MEASURED = {host: load_all(ROOT / "results" / host) for host in hosts(ROOT / "results")}
START_UP = Column(name="start_up_seconds", heading="Start-up", unit="seconds", order=5, better="less")


def words(text):
    return {word for word in re.split(r"\s+", text) if not set(word) <= set("─-█▏▎▍▌▋▊▉#")}


def is_narrow(text, width):
    """Whether every line fits, but for one that is a single word."""
    return all(len(line) <= width or len(line.split()) == 1 for line in text.splitlines())


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("chosen", [(), ("all",), ("tls", "size", "dns")], ids=["what fits", "all", "some"])
@pytest.mark.parametrize("host", MEASURED)
def test_committed_results_fit_every_terminal_and_no_word_is_cut(host, chosen, width):
    results = MEASURED[host]
    text = show(results, Screen(columns=width), chosen)
    assert is_narrow(text, width)
    assert all(name in text for name in {result.recipe for result in results})
    # The whole table has the same words; the last line names columns, and says how to see them.
    assert words(text.partition("\nNo room for ")[0]) <= words(render(results, "text"))


@pytest.mark.parametrize("host", MEASURED)
def test_a_wider_terminal_has_every_column_of_a_narrower_one(host):
    results = [result for result in MEASURED[host] if result.sample == "hello-world"]
    shown = []
    for width in WIDTHS:
        left = show(results, Screen(columns=width)).partition("No room for ")[2].partition(":")[0]
        shown.append({name.strip() for name in left.split(",")} - {""})
    for narrow, wide in pairwise(shown):
        assert wide <= narrow
    assert "size" not in shown[0]
    assert len(shown[-1]) < len(shown[0])


def test_what_there_is_no_room_for_is_named_as_it_can_be_asked_for():
    text = show(ALL, Screen(columns=40))
    assert re.search(r"^No room for [a-z_, \n]+:\s+`--columns\s+\w+,\.\.\.` shows", text, re.MULTILINE)
    said = " ".join(text.split())
    (left,) = re.findall(r"No room for ([a-z_, ]+): `--columns", said)
    assert set(left.split(", ")) <= set(field_names(columns(ALL)))
    assert "No room" not in show(ALL, Screen(columns=200))


def test_what_failed_is_told_below_a_narrow_table():
    text = show(ALL, Screen(columns=40))
    assert "distroless-static failed at run: exit" in text
    assert "alpine-gnu was skipped: Alpine has no" in text
    assert is_narrow(text, 40)


def test_columns_that_are_asked_for_stand_in_that_order_in_as_many_tables_as_it_takes():
    wide = show((DEBIAN, SCRATCH), Screen(columns=80), ("linkage", "size"))
    assert wide.splitlines()[0].split() == ["Base", "Linkage", "Size"]
    narrow = show((DEBIAN, SCRATCH), Screen(columns=28), ("linkage", "size", "files"))
    heads = [line.split() for line in narrow.splitlines() if line.startswith("Base")]
    assert heads == [["Base", "Linkage"], ["Base", "Size", "Files"]]


def test_a_column_that_no_result_has_is_no_reason_to_fail():
    assert [field.name for field in choose_fields(result_fields(ALL), ["base", "size", "size", "peak"])] == [
        *("base", "size", "peak"),
    ]
    assert show(ALL, Screen(columns=80), ("peak",)).startswith("Base\n")


def test_start_up_stands_beside_the_size_and_both_are_drawn():
    def timed(result, seconds):
        taken = Measurement(column=START_UP, value=seconds)
        return replace(result, measurements=(*result.measurements, taken))

    results = (timed(DEBIAN, 0.004), timed(SCRATCH, 0.001), SLIM)
    lines = show(results, Screen(columns=80)).splitlines()
    (debian,) = [line for line in lines if line.startswith("debian ")]
    (scratch,) = [line for line in lines if line.startswith("scratch-musl")]
    assert re.findall("[█▏▎▍▌▋▊▉]+", debian) == ["█" * 12, "█" * 12]
    assert re.findall("[█▏▎▍▌▋▊▉]+", scratch) == ["▏", "███"]
    assert "4 ms" in debian
    assert max(map(len, lines)) <= 80


def test_a_terminal_that_cannot_draw_blocks_has_bars_all_the_same():
    text = show((DEBIAN, SCRATCH, SLIM), Screen(columns=80, blocks=False))
    assert text.isascii()
    assert "############" in text


def test_one_figure_alone_is_not_drawn():
    assert "█" not in show((DEBIAN,), Screen(columns=80))


@pytest.mark.parametrize(("share", "blocks", "drawn"), [
    (1.0, True, "████"), (0.5, True, "██"), (0.53, True, "██▏"), (0.001, True, "▏"), (0.0, True, ""),
    (1.0, False, "####"), (0.5, False, "##"), (0.001, False, "#"), (0.0, False, ""),
])  # fmt: skip
def test_a_bar_is_as_long_as_its_share_and_never_invisible(share, blocks, drawn):
    assert bar(share, 4, blocks=blocks) == drawn


def test_columns_are_chosen_by_rank_and_then_from_the_left():
    assert choose_columns([5, 5, 5, 5], [0, 1, 1, 1], 100) == (0, 1, 2, 3)
    assert choose_columns([5, 5, 5, 5], [0, 3, 1, 2], 19) == (0, 2, 3)
    assert choose_columns([5, 5, 5, 5], [0, 1, 1, 1], 19) == (0, 1, 2)
    assert choose_columns([5, 50, 5], [0, 1, 2], 19) == (0,)  # in a wider table it may be the one that fits
    assert choose_columns([50, 5], [0, 1], 19) == (0,)


def test_columns_are_stacked_in_their_order_each_once():
    assert stack_columns([5, 5, 5, 5], 19) == ((0, 1, 2), (0, 3))
    assert stack_columns([5, 50, 5], 19) == ((0, 1), (0, 2))
    assert stack_columns([50, 5, 5], 19) == ((0, 1), (0, 2))
    assert stack_columns([5], 19) == ((0,),)


def test_lines_are_broken_at_spaces_alone_and_hang():
    assert fold("  one two-three four", 12, hang=2) == ["  one", "    two-three", "    four"]
    assert fold("", 10) == [""]
    assert fold("x" * 30, 10) == ["x" * 30]
    assert shorten("one two three", 11) == "one two ..."
    assert shorten("one two", 11) == "one two"


def test_what_goes_to_no_terminal_has_the_columns_that_are_asked_for():
    assert render(ALL, "text", chosen=("size", "libc")).splitlines()[0].split() == ["Base", "Size", "libc"]
    assert render(ALL, "markdown", chosen=("size",)).splitlines()[0].split() == ["|", "Base", "|", "Size", "|"]
    assert render(ALL, "markdown", wide=False) == render(ALL, "markdown")
    every = render(ALL, "text", chosen=("all",))
    assert all(heading in every for heading in ("Outcome", "Transfer", "Linkage", "PIE"))
