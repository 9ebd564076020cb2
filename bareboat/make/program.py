"""Compiles programs.

A compile runs in a container of its toolchain, with a copy of the sources and with cargo's folders of ours mounted:
nothing is committed as an image, and a change of one line compiles one crate. `invoke containerfile` has the same
commands as stages of a build, and the program is the same.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import secrets
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bareboat.engine.containers import Work
from bareboat.errors import BareboatError, CompileError, EngineError
from bareboat.inputs.rust_toolchain import is_asked_for
from bareboat.inputs.sample import SOURCES
from bareboat.inputs.sysroot import read_sysroot
from bareboat.make.build_program import build_program
from bareboat.make.compiler import compiler_of
from bareboat.make.context import PROCESSORS
from bareboat.make.credentials import fetch_with_credentials
from bareboat.make.sources import crate_digits, kept_sources, program_name
from bareboat.make.standing import ProgramRecord, keep_program, program_folder
from bareboat.plan.cargo_commands import (
    STD_PLACE,
    compile_commands,
    crates_commands,
    sysroot_place,
    target_cache,
    vendor_commands,
)
from bareboat.system.folders import remove

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from bareboat.inputs.sample import Sample
    from bareboat.inputs.sysroot import Sysroot
    from bareboat.make.context import JobContext, Program, RootImage
    from bareboat.plan.jobs import ProgramJob

# Cargo's last line: "Finished `release` profile [optimized] target(s) in 1m 02s".
_FINISHED = re.compile(r"^ *Finished .* in (?:(\d+)m )?([\d.]+)s$", re.MULTILINE)
_MINUTE_SECONDS = 60
_DIGITS = 16
# Written by recipes/toolchains/musl-std.sh's musl-link, in the folder that cargo links programs in.
LARGE_FILE_NAMES = "large-file-names"
# A crate takes about a hundred characters of cargo's listing, and a large program has a thousand of them.
_CRATES_CHARACTERS = 2**22


def make_program(context: JobContext, job: ProgramJob, toolchain: RootImage, std: RootImage | None = None) -> Program:
    """Compile a program, and keep it on disk; `std` has the source of the standard library where that is compiled."""
    _say_compiler(context, job, toolchain)
    if std:
        _check_std(toolchain, std)
    if job.sysroot:
        _check_sysroot(context, job.sysroot)
    if context.remote:
        key = program_folder(context, job, toolchain).name
        compiled = _Compiled(content=build_program(context, job, toolchain, key))
    else:
        compiled = _run_compile(context, job, toolchain)
    log = context.log(program_name(job)).read_text(encoding="utf-8", errors="replace")
    record = ProgramRecord(
        seconds=read_seconds(log),
        warm=compiled.warm,
        sha256=hashlib.sha256(compiled.content).hexdigest(),
        crates=compiled.crates,
        large_file_names=compiled.large_file_names,
    )
    return keep_program(context, job, toolchain, compiled.content, record)


def _say_compiler(context: JobContext, job: ProgramJob, toolchain: RootImage) -> None:
    """Say that another compiler is used than the one that the crate asks for, if so it is."""
    channel = job.sample.channel
    if not channel:
        return
    compiler = compiler_of(context, toolchain)
    if not is_asked_for(channel, compiler):
        context.tell_once(
            f"{job.sample.crate} asks for Rust {channel} in its rust-toolchain file: toolchain {job.toolchain.name} "
            f"compiles it instead, with {' '.join(compiler.split()[:2])}"
        )


def _check_std(toolchain: RootImage, std: RootImage) -> None:
    """Raise BareboatError where std's source is not of the toolchain's own compiler: it would compile no other."""
    if strange := [package for package in std.packages if package not in toolchain.packages]:
        named = ", ".join(f"{package.name} {package.version}" for package in strange)
        raise BareboatError(
            f"{named} is not of the compiler in {toolchain.reference}, which is older or newer\n"
            "  `invoke lock` makes both anew"
        )


def _check_sysroot(context: JobContext, sysroot: Sysroot) -> None:
    """Raise BareboatError where a C library of the user's own is not to be had as it was read."""
    if context.remote:
        raise BareboatError(f"the engine is on another machine, which has no {sysroot.folder} of this one")
    if read_sysroot(sysroot.path, sysroot.folder.parent).digest != sysroot.digest:
        raise BareboatError(f"{sysroot.folder}: its files changed during the run; run it again")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Compiled:
    """A compiled program, and what is known of its compile; None and nothing where an engine's build did it."""

    content: bytes
    warm: bool | None = None  # whether cargo found objects of an earlier compile
    crates: tuple[str, ...] | None = None  # those that cargo listed
    large_file_names: tuple[str, ...] = ()  # those that musl dropped and the linker wrapper brought


def _run_compile(context: JobContext, job: ProgramJob, toolchain: RootImage) -> _Compiled:
    target = target_folder(context, job, toolchain)
    with open_mounts(context, job, toolchain, target) as mounts:
        out, warm = mounts["/out"], (target / "build").is_dir()
        work = compile_work(job, toolchain, mounts, (*compile_commands(job), *crates_commands(job)))
        compile_in(context, work, context.log(program_name(job)))
        return _Compiled(
            content=(out / job.sample.binary).read_bytes(),
            warm=warm,
            crates=_read_crates(job.sample, out / "crates"),
            large_file_names=_read_names(target / job.sample.name / LARGE_FILE_NAMES),
        )


def target_folder(context: JobContext, job: ProgramJob, toolchain: RootImage) -> Path:
    """Where cargo keeps what it has compiled of a job."""
    # Cargo judges by time: what was compiled is as new as this very copy of the sources, and as no other of that name.
    return context.folders.targets / f"{target_cache(job, toolchain.source.digest)}-{crate_digits(job.sample)}"


@contextlib.contextmanager
def open_mounts(context: JobContext, job: ProgramJob, toolchain: RootImage, target: Path) -> Iterator[dict[str, Path]]:
    """What a container that compiles has of this machine, by place; nobody else has it while the block runs."""
    with contextlib.ExitStack() as block:
        sources = block.enter_context(kept_sources(context, job.sample))
        mounts = {SOURCES: sources, "/target": target, **sysroot_mounts(job)}
        if job.sample.needs_crates:
            mounts["/crates"] = vendor(context, job, toolchain, sources)
        mounts["/out"] = block.enter_context(scratch_folder(context))
        # Waiting for another compile that has the folder is no part of this one's seconds: cargo starts after it.
        block.enter_context(context.locks.hold(f"target {target.name}", job.id))
        block.enter_context(context.locks.hold(PROCESSORS, job.id, shared=True))
        yield mounts


def compile_work(job: ProgramJob, toolchain: RootImage, mounts: Mapping[str, Path], commands: Sequence[str]) -> Work:
    """The work of commands that compile a job, in a container of its toolchain."""
    return Work(
        image=toolchain.image,
        command=in_a_shell(commands),
        mounts=mounts,
        image_mounts=std_mounts(job),
        writable=frozenset({SOURCES, "/target", "/out"}),
        folder=job.sample.source_folder,
    )


def std_mounts(job: ProgramJob) -> dict[str, str]:
    """The image that has the source of std, by the place where a compile finds it; nothing where it asks for none."""
    return {STD_PLACE: job.std.reference} if job.std else {}


def sysroot_mounts(job: ProgramJob) -> dict[str, Path]:
    """The folder of the C library that a compile has in the place of its toolchain's, by its place; nothing without."""
    return {sysroot_place(job.sysroot): job.sysroot.folder} if job.sysroot else {}


def compile_in(context: JobContext, work: Work, log: Path) -> None:
    """Do the work of a compile; raises CompileError."""
    work.mounts["/target"].mkdir(parents=True, exist_ok=True)
    try:
        context.engine.work(work, log)
    except EngineError as error:
        raise CompileError(error, log.read_text(encoding="utf-8", errors="replace").splitlines()) from error


@contextlib.contextmanager
def scratch_folder(context: JobContext) -> Iterator[Path]:
    """An empty folder of this run, which is gone after the block with all that containers left in it."""
    out = context.folders.scratch / f"out-{secrets.token_hex(8)}"
    out.mkdir(parents=True)
    try:
        yield out
    finally:
        remove(context.processes, out)


def vendor(context: JobContext, job: ProgramJob, toolchain: RootImage, sources: Path) -> Path:
    """The folder of the crates that manifest and lock name, each with its sources; fetched once."""
    folder = sources / job.sample.extent.place(job.sample.folder)
    named = [(folder / name).read_bytes() for name in ("Cargo.toml", "Cargo.lock")]
    # Where a manifest names other folders or patches, what is vendored may depend on any source.
    named += [] if job.sample.stands_alone else [job.sample.digest.encode()]
    lock = named[1].decode(errors="replace")
    crates = context.folders.crates / hashlib.sha256(b"\0".join(named)).hexdigest()[:_DIGITS]
    home = context.folders.crates / "cargo"
    with context.locks.hold("crates", f"the crates of {job.sample.crate}"):
        if crates.is_dir():
            return crates
        fetched = crates.with_name(f".{crates.name}.new")
        shutil.rmtree(fetched, ignore_errors=True)
        for each in (fetched, home):
            each.mkdir(parents=True, exist_ok=True)
        with fetch_with_credentials(context.processes, context.folders.scratch, lock) as mounts:
            work = Work(
                image=toolchain.image,
                command=in_a_shell(vendor_commands(job.sample, credentials=True)),
                mounts={SOURCES: sources, "/crates": fetched, "/cargo": home, **mounts},
                writable=frozenset({"/crates", "/cargo"}),
                folder=job.sample.source_folder,
                network=True,
            )
            context.engine.work(work, context.log(f"{program_name(job)} crates"))
        fetched.rename(crates)
    return crates


def in_a_shell(commands: Sequence[str]) -> tuple[str, ...]:
    """A command that does these one after the other, as the first process of a container."""
    # The first process of a container heeds only signals that it handles, and a shell handles none while it waits for a
    # command in the foreground: told to end, the compile would go on.
    return ("/bin/sh", "-c", f"trap 'exit 130' INT TERM; {{ {' && '.join(commands)}; }} & wait $!")


def _read_crates(sample: Sample, path: Path) -> tuple[str, ...] | None:
    """The names of the crates that cargo lists, each once; None where it was asked and listed none."""
    if sample.is_only_itself:
        return ()
    try:
        with path.open(encoding="utf-8", errors="replace") as listed:
            lines = listed.read(_CRATES_CHARACTERS).splitlines()
    except OSError:
        return None
    return tuple(sorted({line.split()[0] for line in lines if line.strip()})) or None


def _read_names(path: Path) -> tuple[str, ...]:
    """What the linker wrapper of the musl target noted beside the program; nothing where it had no cause to."""
    try:
        return tuple(path.read_text(encoding="ascii").split())
    except FileNotFoundError:
        return ()


def read_seconds(log: str) -> float | None:
    """What cargo says that it took; None where it did not run, because an engine had the whole compile in its cache."""
    finished = _FINISHED.findall(log)
    if not finished:
        return None
    minutes, seconds = finished[-1]
    return int(minutes or 0) * _MINUTE_SECONDS + float(seconds)
