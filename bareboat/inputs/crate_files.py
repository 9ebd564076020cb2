"""A crate's files: which of them are its sources, and the digest of those."""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from bareboat.errors import BareboatError
from bareboat.inputs.extent import Extent
from bareboat.inputs.tomlfile import Parsed, Problem
from bareboat.system.files import read_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_GIT = ".git"
# The first only at the top of what a package's folder has: src/target/ may be a module.
NOT_SOURCE = frozenset({"target", _GIT})
ALL = Extent()
_TOLD = 10
_DEEPEST = 200


def read_sources(folder: Path, name: str, extent: Extent = ALL) -> Parsed[str]:
    """The SHA-256 of a crate's sources; or a problem for each thing among them that is no file or cannot be read.

    Problems call the crate's folder `name`.
    """
    whole, problems, root = hashlib.sha256(), list[Problem](), extent.root(folder)
    if root != folder:
        name = str(root)
    for path in source_files(folder, extent, problems_of=name, problems=problems):
        place = path.relative_to(root)
        try:
            sign, content = read_source(path)
        except OSError as error:
            problems.append(_problem(error, name, place))
        else:
            # A name is bytes to the kernel, whether or not they are UTF-8.
            whole.update(b"%s\0%s\0%d\0" % (os.fsencode(place), sign, len(content)))
            whole.update(content)
    if problems:
        return Parsed(value=None, problems=_first(problems, name))
    return Parsed(value=whole.hexdigest(), problems=())


def source_digest(folder: Path) -> str:
    """The SHA-256 of a crate's sources; raises BareboatError with every problem of them."""
    read = read_sources(folder, str(folder))
    if read.value is None:
        raise BareboatError("\n".join(str(problem) for problem in read.problems))
    return read.value


def read_source(path: Path) -> tuple[bytes, bytes]:
    """Whether a source is executable (`x` or `-`), and its content; of a link, where it points. Raises OSError.

    A link stays a link wherever the sources are copied to, and what it leads to there is another matter.
    """
    if path.is_symlink():
        return b"-", os.fsencode(os.readlink(path))  # noqa: PTH115 (a Path would spell it otherwise than it is)
    return b"x" if os.access(path, os.X_OK) else b"-", read_file(path)


def source_files(
    folder: Path, extent: Extent = ALL, *, problems_of: str = "", problems: list[Problem] | None = None
) -> Iterator[Path]:
    """All in a crate's extent that is no folder, links included, without cargo's output and git's history.

    A folder that cannot be read is one of the `problems`; without such a list OSError is raised.
    """
    root, belongs = extent.root(folder), _belonging(folder, extent)
    folders = [root]
    while folders:
        parent = folders.pop()
        place = parent.relative_to(root)
        try:
            entries = [entry for entry in _entries(parent, depth=len(place.parts)) if belongs(place / entry.name)]
        except OSError as error:
            if problems is None:
                raise
            problems.append(_problem(error, problems_of, place))
            continue
        # A build gets a link to a folder as a link, so it counts as a file.
        inner = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
        yield from (parent / name for name in sorted({entry.name for entry in entries} - set(inner)))
        folders += [parent / name for name in sorted(inner, reverse=True)]


def _belonging(folder: Path, extent: Extent) -> Callable[[Path], bool]:
    """What tells whether a place in the extent's root is a source, or a folder that may have some."""
    parts = [Path(part) for part in extent.parts(folder)]
    packages = [Path(extent.in_root(folder, place)) for place in ("", *extent.beside)]
    # A package is one though the folder that it lies in is ignored.
    leading = {place for package in packages for place in (package, *package.parents)}
    ignored = {Path(extent.in_root(folder, place)) for place in extent.ignored}
    ignored |= {package / name for package in packages for name in NOT_SOURCE}

    def belongs(place: Path) -> bool:
        if place in leading:
            return True
        inside = any(place.is_relative_to(part) for part in parts)
        return inside and place not in ignored and place.name != _GIT

    return belongs


def _entries(folder: Path, *, depth: int) -> list[os.DirEntry[str]]:
    if depth > _DEEPEST:
        raise OSError(errno.ENAMETOOLONG, f"lies more than {_DEEPEST} folders deep", str(folder))
    with os.scandir(folder) as entries:
        return list(entries)


def _problem(error: OSError, name: str, place: Path) -> Problem:
    # Of a thing that is no file, the reason says what it is.
    reason = str(error.strerror)
    if error.errno not in {errno.EINVAL, errno.ENAMETOOLONG}:
        reason = f"cannot be read: {reason}"
    cure = "make it readable, or move it" if error.errno in {errno.EACCES, errno.EPERM} else "move it"
    file = f"{name}/{place}" if place.parts else name
    return Problem(file=file, key="", text=f"{reason}; {cure} out of the crate's folder")


def _first(problems: list[Problem], name: str) -> tuple[Problem, ...]:
    more = len(problems) - _TOLD
    rest = [Problem(file=name, key="", text=f"{more} more of its files are like these")] if more > 0 else []
    return (*problems[:_TOLD], *rest)
