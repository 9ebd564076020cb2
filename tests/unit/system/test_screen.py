"""Whether an answer is read on a terminal, how wide that is and what it can draw."""

from __future__ import annotations

import io

import pytest

from bareboat.system.screen import Screen, find_screen


class Terminal(io.TextIOWrapper):
    def isatty(self):
        return True


@pytest.mark.parametrize(("encoding", "blocks"), [("utf-8", True), ("ascii", False), ("latin-1", False)])
def test_a_terminal_draws_what_its_encoding_has(monkeypatch, encoding, blocks):
    monkeypatch.setenv("COLUMNS", "123")
    assert find_screen(Terminal(io.BytesIO(), encoding=encoding)) == Screen(columns=123, blocks=blocks)


def test_what_goes_into_a_file_has_no_width(monkeypatch):
    monkeypatch.setenv("COLUMNS", "123")
    assert find_screen(io.StringIO()) is None
