"""Turns a TOML file into a frozen value, or into all its problems, each with its key and a suggestion."""

from __future__ import annotations

import difflib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import tomli
from pydantic import TypeAdapter, ValidationError

from bareboat.system.files import read_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from pydantic_core import ErrorDetails

T = TypeVar("T")
# A lock of a thousand crates has half a megabyte.
_LIMIT_BYTES = 16 * 2**20
# A problem quotes what is wrong, which may be a megabyte; a list of what there is has its place here, too.
_SHOWN = 2000
# A table that is there five hundred times has the same problem as often.
_TOLD = 50
# What is said of a problem, by pydantic's name of it, where no more is to be said.
_SAID = {
    **dict.fromkeys(("missing", "missing_argument", "missing_keyword_only_argument"), "is missing"),
    "union_tag_not_found": "needs a key `kind`",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong with one file."""

    file: str
    # Dotted, `compile.toolchain` for example; "" if the problem is not one key's.
    key: str
    # What is wrong, in one line.
    text: str

    def __str__(self) -> str:
        """`file: key: text`, in one line."""
        return ": ".join(spelt(part) for part in (self.file, self.key, self.text) if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed(Generic[T]):
    """The result of reading a file: a value and no problem, or no value and at least one problem."""

    value: T | None
    problems: tuple[Problem, ...]


def read_toml(path: Path, name: str) -> Parsed[dict[str, Any]]:
    """Parse one file, which problems call `name`."""
    try:
        return Parsed(value=tomli.loads(read_file(path, limit_bytes=_LIMIT_BYTES).decode()), problems=())
    except FileNotFoundError:
        return _failed(name, "", "there is no such file")
    except OSError as error:
        return _failed(name, "", f"cannot be read: {error.strerror}")
    except UnicodeDecodeError as error:
        return _failed(name, "", f"cannot be read: {error}")
    except (ValueError, RecursionError) as error:
        # Beside what is no TOML: nested too deeply, or a number with more digits than Python turns into one.
        return _failed(name, "", f"not TOML: {error}")


def validate(table: Mapping[str, Any], adapter: TypeAdapter[T], name: str) -> Parsed[T]:
    """Make a value of a parsed table, or find all its problems: unknown keys, wrong types, rules between fields."""
    try:
        # By way of JSON: strict validation accepts a list for a tuple there only. JSON has no dates, and a date that is
        # written without quotes is no text.
        text = json.dumps(table, default=lambda value: {type(value).__name__: str(value)})
        return Parsed(value=adapter.validate_json(text), problems=())
    except ValidationError as error:
        schema = adapter.json_schema()
        found = tuple(dict.fromkeys(_problem(detail, schema, name) for detail in error.errors(include_url=False)))
        more = len(found) - _TOLD
        rest = _failed(name, "", f"{more} more problems are like these").problems if more > 0 else ()
        return Parsed(value=None, problems=(*found[:_TOLD], *rest))
    except ValueError as error:  # a number that was written in hex digits, and has too many of ours
        return _failed(name, "", str(error))


def spelt(text: str) -> str:
    """The text as one line of bounded length, in which no character means anything to a terminal."""
    shown = text if len(text) <= _SHOWN else f"{text[: _SHOWN // 2]} ... {text[-_SHOWN // 2 :]}"
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in shown)


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """` (did you mean 'x'?)` if a known word is similar, else the list of known words, else ""."""
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    if near:
        return f" (did you mean '{near[0]}'?)"
    return f" (there are: {', '.join(known)})" if known else ""


def subtable(parent: Mapping[str, Any], key: str) -> dict[str, Any]:
    """The table of that key; an empty one where there is none."""
    found = parent.get(key)
    return found if isinstance(found, dict) else {}


def _failed(name: str, key: str, text: str) -> Parsed[Any]:
    return Parsed(value=None, problems=(Problem(file=name, key=key, text=text),))


def _problem(detail: ErrorDetails, schema: dict[str, Any], name: str) -> Problem:
    path = detail["loc"]
    return Problem(file=name, key=".".join(_written(path, schema)), text=_text(detail, path, schema))


def _text(detail: ErrorDetails, path: tuple[int | str, ...], schema: dict[str, Any]) -> str:
    context, given = detail.get("ctx", {}), detail["input"]
    match detail["type"]:
        case "unexpected_keyword_argument" | "extra_forbidden":
            text = f"unknown key{did_you_mean(str(path[-1]), _known_keys(path[:-1], schema))}"
        case kind if kind in _SAID:
            text = _SAID[kind]
        case "literal_error":
            text = f"{str(given)!r} is not one of {context['expected']}{_near(str(given), str(context['expected']))}"
        case "union_tag_invalid":
            text = f"kind '{context['tag']}' is not one of {context['expected_tags']}"
        case "value_error":
            text = str(context["error"])
        case "dataclass_type":
            text = f"is a table with keys ({', '.join(_known_keys(path, schema))}), not {given!r}"
        case "string_pattern_mismatch":
            text = f"{str(given)!r} does not have the form {context['pattern']}"
        case _:
            text = f"{detail['msg'][:1].lower()}{detail['msg'][1:]}, not {given!r}"
    return text


def _near(word: str, expected: str) -> str:
    known = [option.strip(" '") for option in expected.replace(" or ", ",").split(",")]
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.4)
    return f" (did you mean '{near[0]}'?)" if near else ""


def _written(path: tuple[int | str, ...], schema: dict[str, Any]) -> Iterator[str]:
    """The keys of a path as the user's file has them, without the tag of a union, which pydantic puts in as a key."""
    nodes = [schema]
    for part in map(str, path):
        if not any(part in _tags(node) for node in nodes):
            yield part
        nodes = [child for node in nodes for child in _children(node, part, schema)]


def _tags(node: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What an option of a union is called that its problems are told of, and the option: by its `kind`, or its type."""
    mapping = node.get("discriminator", {}).get("mapping", {})
    options = () if mapping else node.get("oneOf", ())
    return {kind: {"$ref": reference} for kind, reference in mapping.items()} | {
        option["$ref"].rpartition("/")[2]: option for option in options if "$ref" in option
    }


def _known_keys(path: tuple[int | str, ...], schema: dict[str, Any]) -> list[str]:
    """The keys that a table at `path` may have, by the JSON schema, without `name`, which only the loader sets."""
    nodes = [schema]
    for part in path:
        nodes = [child for node in nodes for child in _children(node, str(part), schema)]
    return sorted({key for node in nodes for key in node.get("properties", {})} - {"name"})


def _children(node: dict[str, Any], key: str, schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if tagged := _tags(node).get(key):
        yield _resolve(tagged, schema)
    child = node.get("properties", {}).get(key)
    if child is None:
        return
    for option in child.get("anyOf", [child]):
        yield _resolve(option, schema)


def _resolve(node: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    reference = node.get("$ref")
    if reference is None:
        return node
    definition: dict[str, Any] = schema["$defs"][str(reference).rsplit("/", 1)[-1]]
    return definition
