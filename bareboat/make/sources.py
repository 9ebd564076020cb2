"""Keeps a copy of a crate's sources for the container that compiles them, changed only where the sources changed.

The copy is of the nearest folder that has all of them, with nothing else in it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from typing import TYPE_CHECKING

from bareboat.errors import BareboatError
from bareboat.inputs.crate_files import read_source, source_digest, source_files
from bareboat.system.folders import folder_digits

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from bareboat.inputs.extent import Extent
    from bareboat.inputs.sample import Sample
    from bareboat.make.context import JobContext
    from bareboat.plan.jobs import ProgramJob


def crate_digits(sample: Sample) -> str:
    """The digits by which two crates of one name in different folders are told apart."""
    return folder_digits(sample.folder)


def program_name(job: ProgramJob) -> str:
    """The job's id, and by what it is told from that of another crate of its name, which may be under way as well."""
    return f"{job.id} {crate_digits(job.sample)}"


@contextlib.contextmanager
def kept_sources(context: JobContext, sample: Sample) -> Iterator[Path]:
    """A copy of the sample's sources, which no other run changes while the block runs."""
    copy = context.folders.sources / f"{sample.crate}-{crate_digits(sample)}"
    name, what = f"sources {copy.name}", f"the sources of {sample.crate}"
    while True:
        # One at a time looks and copies, so that the next finds what it needs, and does not wait until that is unused.
        with context.locks.hold(f"copy of {name}", what):
            with context.locks.hold(name, what, shared=True):
                same = _is_copy(sample, copy)
            if not same:
                with context.locks.hold(name, what):
                    sync_sources(sample, copy)
        with context.locks.hold(name, what, shared=True):
            if _is_copy(sample, copy):
                yield copy
                return


def _is_copy(sample: Sample, copy: Path) -> bool:
    return copy.is_dir() and source_digest(copy) == sample.digest


def sync_sources(sample: Sample, copy: Path) -> None:
    """Make `copy` hold the sample's sources and nothing else; what has the same content stays as it is.

    Cargo judges by time: a file that changed gets a new time whatever its own is, one of an older checkout included,
    and a file that did not keeps the time of its copy. Raises BareboatError where the sources are no longer those that
    the sample was read from.
    """
    copy_sources(sample.folder, sample.extent, copy)
    if source_digest(copy) != sample.digest:
        raise BareboatError(f"{sample.folder}: its files changed during the run; run it again")


def copy_sources(folder: Path, extent: Extent, copy: Path, keep: Collection[Path] = ()) -> None:
    """Make `copy` hold the sources of the crate in `folder`, and nothing else but what is to be kept there."""
    root = extent.root(folder)
    wanted = {path.relative_to(root): path for path in source_files(folder, extent)}
    copy.mkdir(parents=True, exist_ok=True)
    _remove_others(copy, {*wanted, *keep})
    for place, source in wanted.items():
        if not _is_same(source, copy / place):
            _replace(source, copy / place)


def _remove_others(copy: Path, wanted: set[Path]) -> None:
    folders = {parent for place in wanted for parent in place.parents}
    for parent, names, files in os.walk(copy):
        for name in (*names, *files):
            path = copy / parent / name
            place = path.relative_to(copy)
            if path.is_symlink() or not path.is_dir():
                if place not in wanted:
                    path.unlink()
            elif place not in folders:
                shutil.rmtree(path)
        names[:] = [name for name in names if (copy / parent / name).is_dir()]


def _is_same(source: Path, there: Path) -> bool:
    if source.is_symlink() != there.is_symlink() or not (there.is_symlink() or there.is_file()):
        return False
    return source.lstat().st_size == there.lstat().st_size and read_source(source) == read_source(there)


def _replace(source: Path, there: Path) -> None:
    if there.is_dir() and not there.is_symlink():
        shutil.rmtree(there)
    there.parent.mkdir(parents=True, exist_ok=True)
    there.unlink(missing_ok=True)
    executable, content = read_source(source)
    if source.is_symlink():
        there.symlink_to(os.fsdecode(content))
    else:
        there.write_bytes(content)
        there.chmod(0o755 if executable == b"x" else 0o644)
