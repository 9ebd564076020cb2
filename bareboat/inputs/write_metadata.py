"""Writes keys into `[package.metadata.bareboat]` of a Cargo.toml's text, and leaves all that is there as it is. Pure.

Comments, order and spelling stay; a key that is there keeps its value.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import tomli
import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import AbstractTable, InlineTable, Table

from bareboat.errors import SampleError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import TypeAlias

    from tomlkit.items import Item

    Keys: TypeAlias = Mapping[str, Any]

_PATH = ("package", "metadata", "bareboat")


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A Cargo.toml with more keys in its table."""

    # The whole file.
    text: str
    # What is new, as a block of its own under the table's heading; "" where nothing is.
    block: str
    # The dotted keys, in the table, that were there already and have another value than was wanted.
    kept: tuple[str, ...]


def write_metadata(text: str, wanted: Keys, notes: Mapping[str, str] | None = None) -> Written:
    """The text with those of the `wanted` keys that are not there; `notes` has comments to stand behind some of them.

    Tables are completed key by key. Raises SampleError where the text is written in a way that cannot be added to.
    """
    ends = "\r\n" if "\r\n" in text and text.count("\r\n") == text.count("\n") else "\n"
    plain = text.replace("\r\n", "\n") if ends == "\r\n" else text
    document = tomli.loads(plain)
    before = table_of(document)
    new, kept = _absent(before, wanted), tuple(_differing(before, wanted))
    if not new:
        return Written(text=text, block="", kept=kept)
    block = _add("", new, notes or {})
    try:
        whole = _add(plain, new, notes or {})
        sound = tomli.loads(whole) == merge(document, {"package": {"metadata": {"bareboat": new}}})
        sound = sound and _is_in(plain, whole)
    except (TOMLKitError, AttributeError, TypeError, ValueError):
        sound = False
    if not sound:
        raise SampleError(f"Cargo.toml: is written in a way that only its author can add to; it wants:\n\n{block}")
    return Written(text=whole.replace("\n", ends), block=block, kept=kept)


def table_of(document: Keys) -> dict[str, Any]:
    """The table of a Cargo.toml that was read; empty where there is none."""
    table: Any = document
    for key in _PATH:
        table = table.get(key, {}) if isinstance(table, dict) else {}
    return table if isinstance(table, dict) else {}


def _absent(there: Keys, wanted: Keys) -> dict[str, Any]:
    """Those of the wanted keys that are not there, also within tables that are."""
    new: dict[str, Any] = {}
    for key, value in wanted.items():
        if key not in there:
            new[key] = value
        elif _are_tables(there[key], value) and (more := _absent(there[key], value)):
            new[key] = more
    return new


def _differing(there: Keys, wanted: Keys, prefix: str = "") -> Iterator[str]:
    for key, value in wanted.items():
        if key not in there or there[key] == value:
            continue
        if _are_tables(there[key], value):
            yield from _differing(there[key], value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}"


def merge(there: Keys, new: Keys) -> dict[str, Any]:
    """A table with more keys, and those that both have as they are `there`, unless they are tables themselves."""
    both = {key: merge(there[key], new[key]) for key in there.keys() & new.keys() if _are_tables(there[key], new[key])}
    return {**new, **there, **both}


def _are_tables(*values: object) -> bool:
    return all(isinstance(value, dict) for value in values)


def _add(text: str, new: Keys, notes: Mapping[str, str]) -> str:
    document = tomlkit.parse(text if not text or text.endswith("\n") else f"{text}\n")
    table: Any = document
    for key in _PATH:
        if key not in table:
            table.append(key, tomlkit.table(is_super_table=key != _PATH[-1]))
        table = table[key]
    is_new = not table
    _fill(table, new, notes)
    if is_new and isinstance(table, Table):
        table.add(tomlkit.nl())
    return document.as_string().rstrip("\n") + "\n"


def _fill(table: Any, new: Keys, notes: Mapping[str, str]) -> None:
    for key, value in new.items():
        there = table.get(key)
        if isinstance(there, InlineTable) and not value.keys() & there.keys():
            table[key] = _spliced(there, value)
            continue
        if isinstance(there, AbstractTable):
            _fill(there, value, {})
            continue
        item = tomlkit.value(_spelt(value))
        if key in notes and not isinstance(table, InlineTable):
            item.comment(notes[key])
        table.append(key, item)


def _spliced(there: InlineTable, new: Keys) -> Item:
    """A table in one line with more keys; tomlkit itself would put blanks where nobody does."""
    inside = there.as_string().strip().removeprefix("{").removesuffix("}").strip()
    more = _spelt(new).removeprefix("{ ")
    return tomlkit.value(f"{{ {inside}, {more}" if inside else f"{{ {more}")


def _spelt(value: object) -> str:
    """A value as TOML has it, in one line."""
    if isinstance(value, dict):
        pairs = (f"{tomlkit.key(key).as_string()} = {_spelt(one)}" for key, one in value.items())
        return f"{{ {', '.join(pairs)} }}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_spelt, value))}]"
    item: Item = tomlkit.item(value)
    return item.as_string()


def _is_in(before: str, after: str) -> bool:
    """Whether the old text is all there in the new one, comments and order included: it was only added to."""
    rest = iter(after)
    return all(character in rest for character in before.rstrip("\n"))
