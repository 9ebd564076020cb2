"""TOML files: a value, or every problem at once, each with its key and what was probably meant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ConfigDict, Field, TypeAdapter

from bareboat.inputs.tomlfile import Problem, did_you_mean, read_toml, validate

STRICT = ConfigDict(extra="forbid", strict=True)


@dataclass(frozen=True, kw_only=True)
class Sail:
    __pydantic_config__ = STRICT

    kind: Literal["sail"]
    cloth: Literal["cotton", "dacron"] = "dacron"


@dataclass(frozen=True, kw_only=True)
class Motor:
    __pydantic_config__ = STRICT

    kind: Literal["motor"]
    watts: Annotated[int, Field(gt=0)]


@dataclass(frozen=True, kw_only=True)
class Boat:
    __pydantic_config__ = STRICT

    length: float
    decks: tuple[str, ...] = ()
    drive: Annotated[Sail | Motor, Field(discriminator="kind")] | None = None

    def __post_init__(self) -> None:
        if self.length > 100:
            raise ValueError("no such berth")


ADAPTER = TypeAdapter(Boat)


def problems(**table):
    loaded = validate(table, ADAPTER, "boat.toml")
    assert loaded.value is None
    return [str(problem) for problem in loaded.problems]


def test_a_file_is_read(tmp_path):
    path = tmp_path / "x.toml"
    path.write_text('name = "é"\n[a.b]\nc = [1, 2]\n', encoding="utf-8")
    loaded = read_toml(path, "x.toml")
    assert loaded.value == {"name": "é", "a": {"b": {"c": [1, 2]}}}
    assert loaded.problems == ()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "there is no such file"),
        (b"a = 1\nb = = 2\n", "not TOML: Invalid value (at line 2, column 5)"),
        (b"a = 1\na = 2\n", "not TOML: Cannot overwrite a value (at line 2, column 6)"),
        (b"\xff\xfe", "cannot be read: 'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"),
    ],
    ids=str,
)
def test_a_file_that_gives_no_table_is_one_problem_without_a_key(tmp_path, content, said):
    path = tmp_path / "x.toml"
    if content is not None:
        path.write_bytes(content)
    loaded = read_toml(path, "called.toml")
    assert loaded.value is None
    assert loaded.problems == (Problem(file="called.toml", key="", text=said),)


@pytest.mark.parametrize(
    "text",
    [
        f"a = {'[' * 5000}{']' * 5000}",
        f"a = {'{a=' * 5000}1{'}' * 5000}",
        f"{'.'.join('a' * 5000)} = 1",
        f"a = {'9' * 9999}",
    ],
    ids=range(4),
)
def test_a_file_that_is_too_deep_or_has_too_long_a_number_is_one_problem(tmp_path, text):
    (tmp_path / "x.toml").write_text(text, encoding="utf-8")
    (problem,) = read_toml(tmp_path / "x.toml", "x.toml").problems
    assert str(problem).startswith("x.toml: not TOML: ")


def test_a_date_is_no_text(tmp_path):
    (tmp_path / "x.toml").write_text("length = 1\ndecks = [2026-01-01]", encoding="utf-8")
    read = read_toml(tmp_path / "x.toml", "x.toml")
    assert read.value is not None
    (problem,) = validate(read.value, ADAPTER, "x.toml").problems
    assert str(problem) == "x.toml: decks.0: input should be a valid string, not {'date': '2026-01-01'}"


def test_a_number_of_too_many_hex_digits_is_a_problem(tmp_path):
    (tmp_path / "x.toml").write_text(f"length = 0x{'f' * 9999}", encoding="utf-8")
    read = read_toml(tmp_path / "x.toml", "x.toml")
    assert read.value is not None
    (problem,) = validate(read.value, ADAPTER, "x.toml").problems
    assert "digits" in str(problem)


def test_a_problem_is_one_line_of_bounded_length_whatever_it_quotes():
    loaded = validate({"length": "a\nb\x1b[2J" + "c" * 100_000, "k\ney": 1}, ADAPTER, "boat.toml")
    for problem in loaded.problems:
        assert str(problem).isprintable()
        assert len(str(problem)) < 5000
    assert any("k\\ney" in str(problem) for problem in loaded.problems)


def test_very_many_problems_are_counted():
    loaded = validate({"length": 1, **{f"key{number}": 1 for number in range(200)}}, ADAPTER, "boat.toml")
    assert len(loaded.problems) == 51
    assert str(loaded.problems[-1]) == "boat.toml: 150 more problems are like these"


def test_a_folder_in_place_of_a_file_is_a_problem(tmp_path):
    (problem,) = read_toml(tmp_path, "x.toml").problems
    assert problem.text.startswith("cannot be read: ")


def test_a_table_becomes_a_value():
    loaded = validate({"length": 12, "decks": ["a", "b"], "drive": {"kind": "motor", "watts": 5}}, ADAPTER, "x")
    assert loaded.value == Boat(length=12.0, decks=("a", "b"), drive=Motor(kind="motor", watts=5))
    assert loaded.problems == ()


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({}, "boat.toml: length: is missing"),
        ({"length": 1, "lenght": 1}, "boat.toml: lenght: unknown key (did you mean 'length'?)"),
        ({"length": 1, "zzz": 1}, "boat.toml: zzz: unknown key (there are: decks, drive, length)"),
        ({"length": "1"}, "boat.toml: length: input should be a valid number, not '1'"),
        ({"length": 1, "decks": ["a", 2]}, "boat.toml: decks.1: input should be a valid string, not 2"),
        ({"length": 101}, "boat.toml: no such berth"),
        ({"length": 1, "drive": {}}, "boat.toml: drive: needs a key `kind`"),
        ({"length": 1, "drive": {"kind": "oar"}}, "boat.toml: drive: kind 'oar' is not one of 'sail', 'motor'"),
        (
            {"length": 1, "drive": {"kind": "sail", "cloth": "coton"}},
            "boat.toml: drive.cloth: 'coton' is not one of 'cotton' or 'dacron' (did you mean 'cotton'?)",
        ),
        (
            {"length": 1, "drive": {"kind": "motor", "watts": 0}},
            "boat.toml: drive.watts: input should be greater than 0, not 0",
        ),
        (
            {"length": 1, "drive": {"kind": "motor", "watts": 1, "watt": 2}},
            "boat.toml: drive.watt: unknown key (did you mean 'watts'?)",
        ),
    ],
)
def test_a_problem_is_one_line(table, said):
    assert problems(**table) == [said]


def test_a_key_that_is_spelled_like_a_kind_is_still_told():
    assert problems(length=1, sail=1, drive={"kind": "motor", "watts": 1, "motor": 2}) == [
        "boat.toml: drive.motor: unknown key (there are: kind, watts)",
        "boat.toml: sail: unknown key (there are: decks, drive, length)",
    ]


def test_all_problems_come_at_once():
    found = problems(lenght=1, decks="upper", drive={"kind": "motor", "wats": 1})
    assert sorted(line.split(": ")[1] for line in found) == ["decks", "drive.wats", "drive.watts", "lenght", "length"]


@pytest.mark.parametrize(
    ("word", "known", "said"),
    [
        ("gun", ("gnu", "musl"), " (did you mean 'gnu'?)"),
        ("zzz", ("gnu", "musl"), " (there are: gnu, musl)"),
        ("zzz", (), ""),
    ],
)
def test_a_hint_is_the_nearest_word_or_all(word, known, said):
    assert did_you_mean(word, known) == said


@given(
    st.dictionaries(
        st.text(max_size=8) | st.sampled_from(["length", "decks", "drive", "kind", "motor", "watts"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.dates(),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(st.sampled_from(["kind", "watts", "x"]), inner, max_size=3)
            ),
            max_leaves=6,
        ),
        max_size=4,
    )
)
def test_whatever_is_written_comes_out_as_a_value_or_as_problems_that_can_be_read(table):
    loaded = validate(table, ADAPTER, "boat.toml")
    assert (loaded.value is None) == bool(loaded.problems)
    assert all(problem.text and str(problem).startswith("boat.toml: ") for problem in loaded.problems)
