"""What Cargo's own keys of Cargo.toml and Cargo.lock say of a crate; what is wrong with them is Cargo's to tell."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from bareboat.inputs.tomlfile import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Cargo's own names, and nothing that a shell, a Containerfile or a path would read as more than one.
PROGRAM = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]*")


def description(manifest: dict[str, Any]) -> str:
    """What the package says that it is, in one line; "" where it says nothing, or its workspace says it."""
    return " ".join(_text(manifest["package"].get("description")).split())


def program_name(manifest: dict[str, Any]) -> str:
    """The program that `cargo run` would take."""
    return _named_program(manifest)[0]


def program_problems(manifest: dict[str, Any], file: str) -> Iterator[Problem]:
    """What is wrong with the program's name: it becomes a path, and a word of shells and Containerfiles."""
    name, key = _named_program(manifest)
    if not PROGRAM.fullmatch(name):
        text = f"{name!r} is no name of a program: letters, digits, `_`, `-`, `.` and `+` are"
        yield Problem(file=file, key=key, text=text)


def names_one_program(manifest: dict[str, Any], folder: Path, *, by_default: bool = True) -> bool:
    """Whether it is clear, without cargo, which program `cargo run` would take; else cargo is to be asked.

    Unless `by_default`, there may be no other program either.
    """
    package = manifest.get("package")
    if not isinstance(package, dict):
        return False
    if by_default and _text(package.get("default-run")):
        return True
    # A program that [[bin]] names may be the one that cargo finds by itself.
    named = [table for table in _tables(manifest.get("bin")) if _text(table.get("path")) != "src/main.rs"]
    return len(named) + (folder / "src" / "main.rs").is_file() == 1 and not (folder / "src" / "bin").exists()


def needs_crates(lock: dict[str, Any]) -> bool:
    """Whether the lock names crates of a registry or repository."""
    return any("source" in entry for entry in _tables(lock.get("package")))


def crate_names(lock: dict[str, Any]) -> frozenset[str]:
    """The names of all crates in the lock."""
    return frozenset(_text(entry.get("name")) for entry in _tables(lock.get("package")))


def stands_alone(manifest: dict[str, Any]) -> bool:
    """Whether the manifest names no other folder and no patch, so that cargo can fetch without any other file."""
    return not _has_path(manifest) and not {"workspace", "patch", "replace"} & manifest.keys()


def _has_path(value: object) -> bool:
    if isinstance(value, dict):
        return "path" in value or any(map(_has_path, value.values()))
    return isinstance(value, list) and any(map(_has_path, value))


def _named_program(manifest: dict[str, Any]) -> tuple[str, str]:
    """The program, and the key that names it."""
    package = manifest["package"]
    if default := _text(package.get("default-run")):
        return default, "package.default-run"
    named = (_text(table.get("name")) for table in _tables(manifest.get("bin")) if "name" in table)
    first = next(named, None)
    return (package["name"], "package.name") if first is None else (first, "bin.name")


def _text(value: object) -> str:
    # Cargo says what is wrong with its own keys; a description may also be the workspace's, which is a table here.
    return value if isinstance(value, str) else ""


def _tables(value: object) -> Iterator[dict[str, Any]]:
    return (table for table in (value if isinstance(value, list) else ()) if isinstance(table, dict))
