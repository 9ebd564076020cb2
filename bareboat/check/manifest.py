"""The manifest of a from-scratch image: every file aboard, where it is from, and which way found it needed. Pure."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from bareboat.result.values import ManifestRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bareboat.archive import Image
    from bareboat.check.strace_log import Opened
    from bareboat.check.trace import Trace
    from bareboat.closure import Closure
    from bareboat.make.copies import CopiedEntry
    from bareboat.make.image import ImageContents
    from bareboat.result.values import Way

_STATIC = frozenset({"program", "interpreter", "needed"})


def make_manifest(contents: ImageContents, image: Image, closure: Closure, trace: Trace) -> tuple[ManifestRow, ...]:
    """A row for the program and for each file that was copied or made, one for each folder; sorted by path.

    Where the trace did not see everything, nothing is said to be idle.
    """
    cell = contents.cell
    # What the image's own settings name, its engine starts.
    named = (*cell.starter[:1], *cell.healthcheck[:1])
    ways = _ways(image, closure, trace.opened, named)
    program = image.find(cell.program_path)
    rows = [
        ManifestRow(
            path=cell.program_path,
            kind="file",
            size_bytes=program.size_bytes if program else 0,
            mode="0755",
            source="compile",
            package=cell.sample.name,
            version="",
            why="the program",
            ways=_ordered(ways.get(cell.program_path, set())),
        )
    ]
    for _, group in groupby(contents.items, key=lambda item: item.number):
        rows.append(_row(tuple(group), ways, observed=not trace.unseen))
    return tuple(sorted(rows, key=lambda row: row.path))


def _row(items: tuple[CopiedEntry, ...], ways: Mapping[str, set[Way]], *, observed: bool) -> ManifestRow:
    first = items[0]
    found = {f"/{item.entry.path}": ways.get(f"/{item.entry.path}", set()) for item in items}
    whole = found[f"/{first.entry.path}"]
    files = [item for item in items if item.entry.kind != "directory"]
    # Whoever names the folder may ask for anything in it.
    idle = [] if whole else [item for item in files or items if not found[f"/{item.entry.path}"]]
    return ManifestRow(
        path=f"/{first.entry.path}{'/' if first.entry.kind == 'directory' else ''}",
        kind=first.entry.kind,
        size_bytes=sum(len(item.entry.content) for item in items),
        mode=f"{first.entry.mode:04o}",
        source=first.copy.source,
        package=first.owner.name if first.owner else "",
        version=first.owner.version if first.owner else "",
        why=first.copy.why,
        ways=_ordered(set().union(*found.values())),
        files=len(files),
        idle_files=len(idle if files else ()) if observed or not idle else None,
    )


def _ways(image: Image, closure: Closure, opened: Iterable[Opened], named: Iterable[str]) -> dict[str, set[Way]]:
    """Which ways found each path of the image needed, by its path with all links followed and by the one asked for."""
    ways: dict[str, set[Way]] = {path: {"static"} for path in named}
    for needed in closure.files:
        way: Way = "static" if needed.way in _STATIC else "known"
        for path in {needed.path, needed.real_path}:
            ways.setdefault(path, set()).add(way)
    for access in opened:
        file = image.find(access.path) if access.found else None
        for path in {access.path, f"/{file.path}"} if file else ():
            ways.setdefault(path, set()).add("observed")
    return ways


def _ordered(ways: set[Way]) -> tuple[Way, ...]:
    order: tuple[Way, ...] = ("static", "known", "observed")
    return tuple(way for way in order if way in ways)
