"""The files of containers.conf(5) and storage.conf(5): read as tables, laid over each other, written as TOML."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import tomli

from bareboat.errors import HostError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# There are no dates in these files.
Value: TypeAlias = "str | bool | int | float | list[Value] | dict[str, Value]"
Table: TypeAlias = "dict[str, Value]"

VENDOR_FOLDER = Path("/usr/share/containers")
SYSTEM_FOLDER = Path("/etc/containers")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def overlay(below: Table, above: Table) -> Table:
    """Both tables as one: `above` wins key by key; a list that ends in `{append = true}` is added to the one below."""
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        if isinstance(value, dict):
            merged[key] = overlay(under if isinstance(under, dict) else {}, value)
        elif isinstance(value, list):
            # The attribute is new in Podman 4.8 and an error to older ones, so it is carried out here.
            plain: list[Value] = [item for item in value if not isinstance(item, dict)]
            if {"append": True} in value and isinstance(under, list):
                plain = [*under, *plain]
            merged[key] = plain
        else:
            merged[key] = value
    return merged


def toml(table: Table) -> str:
    """The table as TOML: tables may nest, lists hold plain values."""
    return "\n".join(_lines(table, ()))


def _lines(table: Table, name: tuple[str, ...]) -> Iterable[str]:
    plain: Table = {key: value for key, value in table.items() if not isinstance(value, dict)}
    if name and (plain or not table):
        yield f"[{'.'.join(map(_key, name))}]"
    for key, value in plain.items():
        yield f"{_key(key)} = {_literal(value)}"
    if plain or not table:
        yield ""
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _lines(value, (*name, key))


def _literal(value: Value) -> str:
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return f"[{', '.join(map(_literal, value))}]"
    return str(value)


def _key(text: str) -> str:
    return text if _BARE_KEY.fullmatch(text) else _quoted(text)


def _quoted(text: str) -> str:
    # A JSON string is a TOML basic string, but for DEL, which TOML wants escaped.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007F")


def user_folder(environment: Mapping[str, str]) -> Path:
    """Where this user keeps files for Podman."""
    home = environment.get("HOME") or str(Path.home())
    return Path(environment.get("XDG_CONFIG_HOME") or f"{home}/.config") / "containers"


def read_settings(path: Path) -> Table:
    """The file's settings, none when it is absent or not ours to read. Raises HostError when it is not TOML."""
    try:
        settings: Table = tomli.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, PermissionError, NotADirectoryError):
        return {}
    except (tomli.TOMLDecodeError, UnicodeDecodeError) as error:
        raise HostError(f"{path}: {error}; Podman does not read it either: mend it or move it away") from error
    return settings
