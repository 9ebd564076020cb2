"""A result that may be committed: no secret, no folder of the machine, no number of a thread."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bareboat.result.measurement import Column, Measurement
from bareboat.result.portable import portable
from bareboat.result.values import Failed, Passed, Preflight, Probe, Ran, Skipped
from tests.unit.result.test_store import RESULT

PLACES = {"/home/me": "~", "/home/me/project": ".", "/var/cache/me/bareboat": "~/.cache/bareboat"}
COLUMN = Column(name="x", heading="X", unit="seconds", order=1)
NAMES = st.text(st.sampled_from("abc019-_./ é\n"), max_size=20)


def said(text, places=PLACES):
    return portable(replace(RESULT, outcome=Failed(stage="run", reason=text)), places).outcome.reason


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("/home/me/project/rust-samples/x/src/main.rs:2:5", "./rust-samples/x/src/main.rs:2:5"),
        ("--volume=/var/cache/me/bareboat/sources/x:/src", "--volume=~/.cache/bareboat/sources/x:/src"),
        ("file:///home/me/x, /home/me.", "file://~/x, ~."),
        ("/home/me-too/x /home/me.old /srv/home/me/x", "/home/me-too/x /home/me.old /srv/home/me/x"),
        ("/src/src/main.rs in /crates/vendor/itoa", "/src/src/main.rs in /crates/vendor/itoa"),
        ("thread 'main' (1234) panicked at src/main.rs:2:5:\nx", "thread 'main' panicked at src/main.rs:2:5:\nx"),
        ("thread '<unnamed>' (77) panicked", "thread '<unnamed>' panicked"),
        ("thread 'main' (9) has overflowed its stack", "thread 'main' has overflowed its stack"),
        ("a thread 'x' (12) ran", "a thread 'x' (12) ran"),
        ("proxy http://user:word@host", "proxy http://***@host"),
    ],
)
def test_a_text_is_the_same_on_every_machine(text, kept):
    assert said(text) == kept


def test_a_crate_at_the_root_of_all_files_hides_nothing():
    assert said("/src/main.rs", {"/": "."}) == "/src/main.rs"


@settings(deadline=None)
@given(before=NAMES, after=NAMES)
def test_no_place_is_named_whatever_stands_around_it(before, after):
    text = said(f"{before} /home/me/{after}")
    assert "/home/me/" not in text
    assert said(text) == text


def test_every_text_is_looked_at_and_names_and_figures_stay():
    path = "at /home/me/x"
    result = replace(
        RESULT,
        cell="me@scratch",
        outcome=Failed(stage="run", reason=path, detail=path, expected=path),
        preflight=Preflight(predicted=True, why=path, observed=False, said=path),
        ran=Ran(exit_code=1, said=path),
        probes=(Probe(name="x", passed=False, observed=path),),
        measurements=(Measurement(column=COLUMN, value=None, why=path),),
    )
    kept = portable(result, PLACES)
    assert kept.measurements == (Measurement(column=COLUMN, value=None, why="at ~/x"),)
    assert (kept.outcome.reason, kept.outcome.detail) == ("at ~/x", "at ~/x")
    # Why a cell is expected to fail is the recipe's own word, by which the next run knows the result again.
    assert kept.outcome.expected == path
    assert (kept.preflight.why, kept.preflight.said, kept.probes[0].observed, kept.ran.said) == ("at ~/x",) * 4
    assert portable(replace(RESULT, outcome=Skipped(reason=path)), PLACES).outcome == Skipped(reason="at ~/x")
    assert portable(RESULT, PLACES) == RESULT
    assert portable(replace(RESULT, outcome=Passed()), {}).outcome == Passed()
