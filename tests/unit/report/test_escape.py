from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from bareboat.report.escape import markdown_text
from bareboat.system.printable import printable

MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
texts = st.text(max_size=60) | st.text(st.sampled_from("\\`*_[]<>&|~$#! ab\n\r\t\x1b()/.:-+=\"'1;"), max_size=40)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("plain", "plain"),
        ("ünïcödé 漢字 µs", "ünïcödé 漢字 µs"),
        ("two\nlines\r\n\tand a tab\n", "two lines   and a tab"),
        ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
        ("\x9b31mred", r"\x9b31mred"),
        ("\x7f\x08\x07\0", r"\x7f\x08\x07\x00"),
        ("gnp.\u202eexe", r"gnp.\u202eexe"),
        ("zero\u200bwidth", r"zero\u200bwidth"),
        ("half \udcff", r"half \udcff"),
    ],
)
def test_what_is_no_visible_character_is_spelt(text: str, said: str) -> None:
    assert printable(text) == said


@settings(deadline=None)
@given(texts)
def test_nothing_that_a_terminal_obeys_gets_through(text: str) -> None:
    said = printable(text)
    assert all(unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Zl", "Zp"} for character in said)
    assert len(said.splitlines()) <= 1
    said.encode()


@settings(deadline=None)
@given(texts)
@example("a|b\\|c")
@example("\\")
@example("![x](javascript:1) <script>alert(1)</script> &lt; `code` ~~gone~~")
@example("<https://example.com>")
def test_markdown_shows_a_cell_as_it_was_written(text: str) -> None:
    tokens = MARKDOWN.parse(f"| a | b |\n|---|---|\n| {markdown_text(text)} | x |\n")
    cells = [token for token in tokens if token.type == "inline"]
    assert [cell.content for cell in cells[:2]] == ["a", "b"]
    assert cells[3].content == "x"
    assert {child.type for child in cells[2].children} <= {"text", "text_special"}
    shown = "".join(child.content for child in cells[2].children)
    assert shown == printable(text).strip()
