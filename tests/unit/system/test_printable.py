"""Text of programs as it may be shown: one line, or lines with their tabs, and nothing that a terminal would obey."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bareboat.system.printable import printable_lines

CLIPBOARD = "\x1b]52;c;ZWNobyBoYWNrZWQ=\x07"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", ""),
        ("two\n\tlines\n", "two\n\tlines\n"),
        ("10%\r20%\rdone\r\n", "10%\n20%\ndone\n"),
        (f"a{CLIPBOARD}b\n", "a\\x1b]52;c;ZWNobyBoYWNrZWQ=\\x07b\n"),
        ("\x9b31mred", r"\x9b31mred"),
        ("├─ ünïcödé 漢字", "├─ ünïcödé 漢字"),
        ("gnp.\u202eexe\u2028\udcff", r"gnp.\u202eexe \udcff"),
    ],
)
def test_lines_and_tabs_stay_and_controls_are_spelt(text, said):
    assert printable_lines(text) == said


@settings(deadline=None)
@given(st.text(max_size=60))
def test_nothing_that_a_terminal_obeys_gets_through(text):
    said = printable_lines(text)
    bad = {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert not [one for one in said if unicodedata.category(one) in bad and one not in "\n\t"]
    assert printable_lines(said) == said
    said.encode()
