"""Compiles a program once more as it was compiled, but with its symbols: they say whose each of its bytes is.

Cargo is told nothing of it, because its profile is part of the names that it gives to what it compiles, and other names
give another program. What stands between cargo and rustc changes rustc's last words alone: it removes no symbol, and
the linker writes down what it put where.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bareboat.errors import BareboatError
from bareboat.make.program import compile_in, compile_work, open_mounts, target_folder
from bareboat.make.sources import program_name
from bareboat.make.standing import program_folder
from bareboat.plan.cargo_commands import compile_commands
from bareboat.system.files import write_whole

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bareboat.make.context import JobContext, RootImage
    from bareboat.plan.jobs import ProgramJob

_VERSION = "3"  # raised when twins come to be made in another way
_PLACE = "/out/keep-symbols"
# `-C strip=symbols`, as cargo says it, and what a crate's own flags may say to the same end.
# Build scripts are linked, too, but all of them before the program. The map stays with what cargo keeps, because cargo
# links nothing anew that is there already.
_KEEPER = """#!/bin/sh
case " $* " in *" --crate-type bin "*) set -- "$@" -C link-arg=-Wl,-Map={map} ;; esac
for word do
  shift
  case "$word" in
    strip=* | link-arg=-s | link-arg=-Wl,-s | link-arg=-Wl,--strip-*) word=strip=none ;;
    -Cstrip=* | -Clink-arg=-s | -Clink-arg=-Wl,-s | -Clink-arg=-Wl,--strip-*) word=-Cstrip=none ;;
  esac
  set -- "$@" "$word"
done
exec "$@"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Twin:
    """A program that has its symbols."""

    content: bytes
    # What the toolchain's own tools call its symbols, first with their names as they stand and then as people read
    # them, line by line; b"" twice where it has no such tool.
    names: tuple[bytes, bytes]
    # What its linker wrote down of where it put what; b"" where it did not.
    map: bytes


def make_twin(context: JobContext, job: ProgramJob, toolchain: RootImage, tell: Callable[[str], None]) -> Twin:
    """The twin of a job's program, compiled unless it was before; raises BareboatError where it cannot be.

    `tell` is told before it is compiled, which takes about as long as the program took without earlier objects.
    """
    folder = program_folder(context, job, toolchain)
    with context.locks.hold(f"twin {folder.name}", f"the twin of {job.id}"):
        if not _place(folder, "twin").is_file():
            tell(f"{job.id}: compiling its twin, the same with its symbols; log: {_log(context, job)}")
            _compile(context, job, toolchain, folder)
        return Twin(
            content=_place(folder, "twin").read_bytes(),
            names=(_place(folder, "names").read_bytes(), _place(folder, "readable").read_bytes()),
            map=_place(folder, "map").read_bytes(),
        )


def _compile(context: JobContext, job: ProgramJob, toolchain: RootImage, folder: Path) -> None:
    if context.remote:
        raise BareboatError("the engine is on another machine, where no twin can be compiled")
    target = target_folder(context, job, toolchain)
    with open_mounts(context, job, toolchain, target.with_name(f"{target.name}-twin-{_VERSION}")) as mounts:
        out, map_file = mounts["/out"], f"/target/{job.sample.name}.map"
        keeper = out / _PLACE.rpartition("/")[2]
        keeper.write_text(_KEEPER.format(map=map_file), encoding="ascii")
        keeper.chmod(0o755)
        # In the same order, so that the lines of the one belong to those of the other.
        named = f"nm -p {job.binary} > /out/names && nm -p -C {job.binary} > /out/readable"
        listing = (f"{{ {{ {named}; }} || rm -f /out/names; }}", f"{{ cp {map_file} /out/map || true; }}")
        commands = (f"export RUSTC_WRAPPER={_PLACE}", *compile_commands(_as_linked(job)), *listing)
        work = compile_work(job, toolchain, mounts, commands)
        compile_in(context, work, _log(context, job))
        for name in ("names", "readable", "map"):
            listed = (out / name).read_bytes() if (out / name).is_file() else b""
            write_whole(_place(folder, name), listed)
        # The last, so that what it is there with is whole.
        write_whole(_place(folder, "twin"), (out / job.sample.binary).read_bytes())


def _as_linked(job: ProgramJob) -> ProgramJob:
    """The job without what is done to its program after it is linked, which may be to take its symbols away."""
    return replace(job, sample=replace(job.sample, cargo=replace(job.sample.cargo, objcopy=())))


def _place(folder: Path, name: str) -> Path:
    return folder / f"twin-{_VERSION}.{name}"


def _log(context: JobContext, job: ProgramJob) -> Path:
    return context.log(f"{program_name(job)} twin")
