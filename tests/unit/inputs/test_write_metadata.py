"""Keys come into a Cargo.toml, and nothing else changes in it."""

from __future__ import annotations

import pytest
import tomli

from bareboat.errors import SampleError
from bareboat.inputs.write_metadata import merge, table_of, write_metadata

WANTED = {"arguments": ["--root", 'a "b" ü'], "env": {"PORT": "8080"}, "with": {"scratch-*": ["tz"]}}
PLAIN = """\
# a crate
[package]
name = 'sloop'   # spelt so

[dependencies]  # none but
serde = "1"
"""
# As people write it, and what the table says already.
WAYS = {
    "plain": (PLAIN, {}),
    "no line's end": ('[package]\nname = "sloop"', {}),
    "table": (f'{PLAIN}\n[package.metadata.bareboat]  # mine\nenv = {{A="1"}} # a\n', {"env": {"A": "1"}}),
    "empty table": (f"{PLAIN}\n[package.metadata.bareboat]\nenv = {{}} # a\n", {"env": {}}),
    "tables of a table": (
        f'{PLAIN}\n[package.metadata.bareboat.with]\n"alpine" = ["tz"] # a\n\n[profile.release]\nstrip = true\n',
        {"with": {"alpine": ["tz"]}},
    ),
    "other metadata": ('[package]\nname = "s"\n[package.metadata]\nx = 1\n[[bin]]\nname = "b"\n', {}),
    "out of order": ('[package]\nname = "s"\n[features]\n[package.metadata.docs]\nx = 1\n# end\n[profile.dev]\n', {}),
    "in a line": ('[package]\nname = "s"\nmetadata = { bareboat = { on_request = true } } # a\n', {"on_request": True}),
    "dotted": ('package.name = "s"\npackage.metadata.bareboat.env.A = "1"\n[features]\n', {"env": {"A": "1"}}),
}


@pytest.mark.parametrize("way", WAYS)
def test_keys_are_added_in_every_way_to_write_it_and_nothing_else_changes(way):
    text, there = WAYS[way]
    written = write_metadata(text, WANTED)
    before, after = tomli.loads(text), tomli.loads(written.text)
    assert table_of(after) == merge(there, WANTED)
    assert merge(before, {"package": {"metadata": {"bareboat": WANTED}}}) == after
    lines = iter(written.text.splitlines())
    assert all(any(line == other for other in lines) for line in text.splitlines() if not line.endswith("# a"))
    assert written.text.count("# a") == text.count("# a")
    assert written.text.endswith("\n")
    assert written.kept == ()


def test_the_new_table_stands_between_blank_lines_and_is_the_block():
    written = write_metadata(PLAIN, WANTED, {"with": "else it lacks time zones"})
    block = (
        "[package.metadata.bareboat]\n"
        'arguments = ["--root", "a \\"b\\" ü"]\n'
        'env = { PORT = "8080" }\n'
        'with = { "scratch-*" = ["tz"] } # else it lacks time zones\n'
    )
    assert written.block == block
    package, dependencies = PLAIN.split("\n\n")
    assert written.text == f"{package}\n\n{block}\n{dependencies}"


def test_what_has_a_value_keeps_it_and_is_told():
    text = f'{PLAIN}\n[package.metadata.bareboat]\narguments = []\nenv = {{ PORT = "1", A = "2" }}\n'
    written = write_metadata(text, {**WANTED, "env": {"PORT": "8080", "A": "2", "B": "3"}})
    assert written.kept == ("arguments", "env.PORT")
    assert table_of(tomli.loads(written.text)) == {
        "arguments": [],
        "env": {"PORT": "1", "A": "2", "B": "3"},
        "with": {"scratch-*": ["tz"]},
    }
    assert 'env = { PORT = "1", A = "2", B = "3" }' in written.text
    assert "arguments" not in written.block


def test_a_file_to_which_nothing_is_added_stays_byte_for_byte():
    text = f"{write_metadata(PLAIN, WANTED).text}\n\n\n"
    again = write_metadata(text, WANTED)
    assert (again.text, again.block, again.kept) == (text, "", ())


def test_line_ends_of_windows_stay():
    text = PLAIN.replace("\n", "\r\n")
    assert write_metadata(text, WANTED).text == write_metadata(PLAIN, WANTED).text.replace("\n", "\r\n")


def test_what_cannot_be_added_to_is_told_with_the_block_to_add():
    with pytest.raises(SampleError, match=r"only its author can add to; it wants:\n\n\[package.metadata.bareboat\]\n"):
        write_metadata('[package]\nname = "s"\nmetadata.bareboat = 3\n', WANTED)
