"""Columns are asked for by name, and a run of the user's own crate says how to ask further."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from bareboat.commands.build import MatrixOptions, build_matrix
from bareboat.commands.pages import ReportOptions, print_report
from bareboat.commands.plan_inputs import OwnCrate
from bareboat.commands.project import Project
from bareboat.commands.shown import hush, read_columns, show_summary, terminal_of
from bareboat.errors import InputError
from bareboat.matrix.progress import Muted
from bareboat.system.process import Processes
from bareboat.system.screen import Screen
from tests.unit.project import ROOT
from tests.unit.report.example_results import ALL


@pytest.fixture
def terminal(monkeypatch):
    monkeypatch.setattr("bareboat.commands.shown.find_screen", lambda _: Screen(columns=80))


def test_a_column_is_named_as_the_table_or_as_csv_names_it():
    assert read_columns(("size", "size_bytes", "Build", "build-seconds", "transfer-size", "all"), "text") == (
        *("size", "size", "build", "build", "transfer_size", "all"),
    )


@pytest.mark.parametrize("ask", [
    lambda columns: build_matrix(Project(root=ROOT), MatrixOptions(columns=columns), Processes(), io.StringIO()),
    lambda columns: print_report(Project(root=ROOT), ReportOptions(columns=columns), Processes(), io.StringIO()),
], ids=["build-matrix", "report"])  # fmt: skip
def test_a_column_that_there_is_not_is_told_before_anything_is_done(ask):
    with pytest.raises(
        InputError, match=r"^--columns sise: no such column \(did you mean 'size'\?\); there are: base,"
    ):
        ask(("sise",))


def test_data_has_every_column():
    with pytest.raises(InputError, match=r"^--columns is for text and markdown: csv has them all"):
        read_columns(("size",), "csv")


def test_a_view_cannot_be_quiet_and_verbose():
    view = io.StringIO()
    with pytest.raises(InputError, match=r"^--quiet and --verbose"):
        hush(view, quiet=True, verbose=True)
    assert hush(view, quiet=False, verbose=True) is view
    assert isinstance(hush(view, quiet=True, verbose=False), Muted)


@pytest.mark.usefixtures("terminal")
def test_only_text_is_for_a_terminal():
    assert terminal_of("text") is not None
    assert terminal_of("markdown") is terminal_of("json") is None


def test_a_file_is_no_terminal():
    assert terminal_of("text") is None


@pytest.mark.usefixtures("terminal")
def test_the_hosts_of_a_report_stand_one_below_the_other_on_a_terminal():
    text, code = print_report(Project(root=ROOT), ReportOptions(), Processes(), io.StringIO())
    assert code == 0
    assert "debian-12-amd64-rootful\n=======================\n\n" in text
    assert "debian-12-amd64-rootless\n========================\n\n" in text
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.usefixtures("terminal")
def test_the_commands_that_explain_name_the_crate_where_the_user_is_not():
    here, named = Path("/home/me/app"), Path("/two words")
    standing = show_summary(ALL, OwnCrate(crate=here, bin="server"), here, (Path("/kept"), None), "Take it.")
    assert "    invoke explain hello-world@distroless-static --bin=server\n" in standing
    assert "`invoke report` shows all figures, with `--html` as a page." in standing
    away = show_summary(ALL, OwnCrate(crate=here), None, (named, named), "Take it.")
    assert "    invoke explain hello-world@distroless-static --crate=/home/me/app '--results=/two words'\n" in away
    assert "Results: /two words\n`--columns all` shows all figures." in away
