"""Crates of a test, as files."""

from __future__ import annotations


def write(folder, contents):
    """Write files, each by its place in the folder; the folder."""
    for name, content in contents.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content, encoding="utf-8")
    return folder
