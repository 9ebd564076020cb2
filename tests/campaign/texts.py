"""Changes to files of text: to the values in a table, to its words and lines, and to its bytes."""

from __future__ import annotations

import copy
import json
import re
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import tomli_w

from tests.fuzz import harness

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator, Sequence

WORDS = (
    *("", " ", "x", "..", "/", "/etc/x;id", "/../../x", "a" * 300, "x" * 100_000, "\n", "a\nb", "\r", "\t", "\x00"),
    *("\x1b[2J", "\u202e", "\x85", "\ufeff", "\udcff".encode("utf-8", "replace").decode(), "é", "文", "$(x)", "${x}"),
    *(
        "`x`",
        "'",
        '"',
        "\\",
        "&&",
        "|",
        "*",
        "[!",
        "[",
        "?",
        "%",
        "{0}",
        "%s",
        "name",
        "kind",
        "sha256:",
        "-1",
        "1e999",
    ),
    *("true", "musl", "gnu", "toolchain", "base:alpine", "package:x", "recipe", "new", "2026-01-01", "hello-world"),
)
NUMBERS = (0, 1, -1, 255, 256, 2**31, 2**53 + 1, 2**63 - 1, 2**63, 2**64, -(2**70), 10**40, 0.5, -0.0, 1e308, 5e-324)
ODD = (float("inf"), float("nan"), True, False, [], [[]], [[[]]], {}, {"": ""}, {"a": {"b": {"c": []}}})
DATES = (date(2026, 1, 1), datetime(2026, 1, 1, tzinfo=UTC), datetime(1, 1, 1, tzinfo=UTC).time())
# What no change of a value gives: depth, length, and numbers of more digits than Python turns into one.
TOML_BOMBS = (
    "a = " + "[" * 5000 + "]" * 5000,
    "a = " + "{a=" * 5000 + "1" + "}" * 5000,
    ".".join("a" * 5000) + " = 1",
    "[" + ".".join("a" * 5000) + "]",
    "a = " + "9" * 10_000,
    "a = 1e" + "9" * 10_000,
    "a = 0x" + "f" * 10_000,
    "\n".join(f"[[a.b{number}]]" for number in range(3000)),
    'a = """' + "\n" * 100_000 + '"""',
    "a = 9999-99-99",
    "a = 2026-02-30T25:61:61Z",
    "\ufeffa = 1",
    "a = 1\r\nb = 2\r",
)
JSON_BOMBS = (
    "[" * 100_000,
    "[" * 5000 + "]" * 5000,
    '{"a":' * 5000 + "1" + "}" * 5000,
    "9" * 10_000,
    "-1e" + "9" * 10_000,
    '{"a": 1, "a": 2}',
    "NaN",
    "[Infinity]",
    '"\\ud800"',
    "null",
    "",
)


def change_toml(chance: random.Random, seeds: Sequence[dict[str, Any]]) -> bytes:
    """A TOML file: a seed with other values, or with its text or its bytes changed besides; seldom something else."""
    if chance.random() < 0.02:
        return chance.choice(TOML_BOMBS).encode()
    table = _change_table(chance, chance.choice(seeds), (*WORDS, *NUMBERS, *ODD, *DATES))
    try:
        text = tomli_w.dumps(table)
    except (TypeError, ValueError, AttributeError):
        # A list of tables and of what is none has no form in TOML.
        text = tomli_w.dumps(chance.choice(seeds))
    return _change_bytes(chance, _change_text(chance, text, TOML_BOMBS))


def change_json(chance: random.Random, seeds: Sequence[Any]) -> bytes:
    """A JSON file, in the same way."""
    if chance.random() < 0.02:
        return chance.choice(JSON_BOMBS).encode()
    value = _change_table(chance, chance.choice(seeds), (*WORDS, *NUMBERS, *ODD, None))
    return _change_bytes(chance, _change_text(chance, json.dumps(value, indent=1), JSON_BOMBS))


def change_lines(chance: random.Random, seeds: Sequence[bytes]) -> bytes:
    """A file of lines: a seed with lines and words moved, doubled, lost or replaced, or with its bytes changed."""
    text = chance.choice(seeds).decode("latin-1")
    for _ in range(chance.randint(0, 3)):
        text = _change_text(chance, text, ("x" * 100_000, "(" * 10_000, '"' * 10_000, "\\" * 10_001, "a/" * 5000))
    return _change_bytes(chance, text, "latin-1")


def _change_table(chance: random.Random, value: Any, replacements: Sequence[Any]) -> Any:
    value = copy.deepcopy(value)
    for _ in range(chance.choice((0, 1, 1, 1, 2, 3, 5))):
        if places := list(_places(value)):
            _change_place(chance, *chance.choice(places), places, replacements)
    return value


def _change_place(
    chance: random.Random, inner: Any, key: Any, places: Sequence[tuple[Any, Any]], replacements: Sequence[Any]
) -> None:
    match chance.randrange(8):
        case 0:
            del inner[key]
        case 1 if isinstance(inner, dict):
            inner[str(chance.choice(WORDS))] = inner.pop(key)
        case 2:
            holder, other = chance.choice(places)
            inner[key] = copy.deepcopy(holder[other])
        case 3 if isinstance(inner, list):
            inner.extend(copy.deepcopy(inner[key]) for _ in range(chance.choice((1, 2, 200))))
        case 4 if isinstance(inner[key], str):
            inner[key] += str(chance.choice(WORDS))
        case 5 | 6 if isinstance(inner[key], str | int | float):
            alike = [other for other in replacements if type(other) is type(inner[key])]
            inner[key] = chance.choice(alike or replacements)
        case _:
            inner[key] = copy.deepcopy(chance.choice(replacements))


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    keys = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in list(keys):
        yield value, key
        yield from _places(value[key])


def _change_text(chance: random.Random, text: str, bombs: Sequence[str]) -> str:
    if chance.random() < 0.6:
        return text
    lines = text.split("\n")
    at, other = chance.randrange(len(lines)), chance.randrange(len(lines))
    match chance.randrange(6):
        case 0:
            del lines[at]
        case 1:
            lines[at], lines[other] = lines[other], lines[at]
        case 2:
            lines[at:at] = [lines[other]] * chance.choice((1, 2, 500))
        case 3:
            lines[at] = chance.choice(bombs)
        case _:
            words = re.split(r"(\W+)", lines[at])
            words[chance.randrange(len(words))] = str(chance.choice((*WORDS, *NUMBERS)))
            lines[at] = "".join(words)
    return "\n".join(lines)


def _change_bytes(chance: random.Random, text: str, encoding: str = "utf-8") -> bytes:
    data = text.encode(encoding, "surrogateescape" if encoding == "utf-8" else "replace")
    return harness.mutate(chance, [data]) if chance.random() < 0.2 else data
