"""Which files outside of a crate's folder cargo reads because manifests name them: path dependencies.

`cargo metadata` would follow them, but only where it is given all of them, and this is what finds out which.
https://doc.rust-lang.org/cargo/reference/specifying-dependencies.html#specifying-path-dependencies
"""

from __future__ import annotations

import contextlib
import glob
import os.path
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bareboat.inputs.cargo_metadata import find_workspace
from bareboat.inputs.tomlfile import read_toml, subtable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_MANIFEST = "Cargo.toml"


def find_beside(folder: Path) -> tuple[str, ...]:
    """The packages outside that the crate or workspace in `folder` needs, as `../shared`, sorted.

    The manifest of such a package's workspace is there too: it may have the package's version, or its dependencies.
    """
    found, seen = set[Path](), set[Path]()
    waiting = [folder, *_real(_members(folder))]
    while waiting:
        package = waiting.pop()
        if package in seen:
            continue
        seen.add(package)
        outside = not package.is_relative_to(folder)
        manifest = read_toml(package / _MANIFEST, "").value
        if manifest is None:
            continue  # whatever is wrong with it, cargo tells it
        workspace = find_workspace(package)
        if outside:
            found.add(package)
            if workspace and workspace != package:
                found.add(workspace / _MANIFEST)
        waiting += _real(_paths(package, manifest, workspace, own=not outside))
    return tuple(sorted(os.path.relpath(path, folder) for path in found))


def _real(paths: Iterable[Path]) -> Iterator[Path]:
    """Where they are, links followed; what can be nowhere is cargo's to tell."""
    for path in paths:
        with contextlib.suppress(OSError, RuntimeError, ValueError):
            yield path.resolve()


def _members(folder: Path) -> Iterator[Path]:
    manifest = read_toml(folder / _MANIFEST, "").value or {}
    members = subtable(manifest, "workspace").get("members")
    for pattern in members if isinstance(members, list) else ():
        if isinstance(pattern, str):
            yield from (folder / place for place in glob.glob(pattern, root_dir=folder))  # noqa: PTH207 (takes any text)


def _paths(package: Path, manifest: dict[str, Any], workspace: Path | None, *, own: bool) -> Iterator[Path]:
    """The folders that a package's manifest names, and none by its whole path, which no container has."""
    shared = (read_toml(workspace / _MANIFEST, "").value if workspace else None) or {}
    inherited = subtable(subtable(shared, "workspace"), "dependencies")
    for table in _dependencies(manifest, own=own):
        for name in table:
            wanted, place = subtable(table, name), package
            if wanted.get("workspace") is True and workspace:
                wanted, place = subtable(inherited, name), workspace
            path = wanted.get("path")
            if isinstance(path, str) and not Path(path).is_absolute():
                yield place / path


def _dependencies(manifest: dict[str, Any], *, own: bool) -> Iterator[dict[str, Any]]:
    """The tables of dependencies; those of tests, and patches, count for packages of one's own alone."""
    kinds = ["dependencies", "build-dependencies", *(["dev-dependencies"] if own else [])]
    for place in (manifest, *_tables(manifest, "target")):
        yield from (subtable(place, kind) for kind in kinds)
    if own:
        yield from _tables(manifest, "patch")
        yield subtable(manifest, "replace")


def _tables(parent: dict[str, Any], key: str) -> Iterator[dict[str, Any]]:
    return (table for table in subtable(parent, key).values() if isinstance(table, dict))
