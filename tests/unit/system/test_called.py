"""Messages name our commands as the user calls them."""

from __future__ import annotations

import io

import pytest

from bareboat.commands.plan_inputs import teller
from bareboat.console import tell

TOLD = "`invoke doctor` finds out why; invoke is no command here"


@pytest.mark.parametrize(
    ("called", "told"),
    [
        ("/home/me/.venv/bin/bareboat", TOLD.replace("`invoke", "`bareboat")),
        ("/usr/lib/python3/dist-packages/bareboat/__main__.py", TOLD.replace("`invoke", "`bareboat")),
        ("/home/me/bareboat/.venv/bin/invoke", TOLD),
        ("", TOLD),
    ],
)
def test_a_command_is_named_as_it_was_called(monkeypatch, capsys, called, told):
    monkeypatch.setattr("sys.argv", [called])
    tell(TOLD)
    view = io.StringIO()
    teller(view)(TOLD)
    assert (capsys.readouterr().err, view.getvalue()) == (f"{told}\n", f"{told}\n")
