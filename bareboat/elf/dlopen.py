"""Reads from an ELF file's notes which libraries it may load by dlopen(3) while it runs.

Source: https://systemd.io/ELF_DLOPEN_METADATA/.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bareboat.elf.layout import WALK_LIMIT, fault

if TYPE_CHECKING:
    from bareboat.elf.layout import Layout

NT_DLOPEN = 0x407C0C0A
NOTE_LIMIT_BYTES = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Dlopen:
    """One library that may be loaded."""

    # Alternatives, the best first: any of them will do.
    sonames: tuple[str, ...]
    # What the program needs it for, "" where the note does not say.
    feature: str
    # As the note spells it: required, recommended or suggested; recommended where the note does not say.
    priority: str


def read_dlopens(layout: Layout) -> tuple[Dlopen, ...]:
    """The entries of every dlopen note, in the file's order. Raises BareboatError for a note in another format."""
    found: list[Dlopen] = []
    for note in layout.notes():
        if note.name == b"FDO" and note.kind == NT_DLOPEN:
            found.extend(_read_entry(entry) for entry in _read_list(note.content))
    if len(found) > WALK_LIMIT:
        raise fault("its dlopen notes have no end")
    return tuple(found)


def _read_list(content: bytes) -> list[object]:
    try:
        entries = json.loads(content.rstrip(b"\0")) if len(content) <= NOTE_LIMIT_BYTES else None
    except (ValueError, RecursionError):
        entries = None
    if not isinstance(entries, list):
        raise fault("a dlopen note is no short JSON list")
    return entries


def _read_entry(entry: object) -> Dlopen:
    fields = entry if isinstance(entry, dict) else {}
    sonames = fields.get("soname")
    if not isinstance(sonames, list) or not sonames or not all(map(_is_name, sonames)):
        raise fault("a dlopen note names no library")
    feature, priority = fields.get("feature", ""), fields.get("priority", "recommended")
    return Dlopen(
        sonames=tuple(sonames),
        feature=feature if _is_name(feature) else "",
        priority=priority if _is_name(priority) else "recommended",
    )


def _is_name(value: object) -> bool:
    # JSON can spell characters that no file name has, NUL and halves of surrogate pairs: none of them is printable.
    return isinstance(value, str) and value != "" and value.isprintable()
