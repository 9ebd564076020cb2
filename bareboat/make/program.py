"""Compiles programs.

A compile runs in a container of its toolchain, with a copy of the sources and with cargo's folders of ours mounted:
nothing is committed as an image, and a change of one line compiles one crate. `invoke containerfile` has the same
commands as stages of a build, and the program is the same.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
from typing import TYPE_CHECKING

from bareboat.engine.containers import Work
from bareboat.make.build_program import build_program
from bareboat.make.fetch_secrets import fetch_secrets
from bareboat.make.sources import sync_sources
from bareboat.make.standing import ProgramRecord, keep_program, program_folder
from bareboat.plan.containerfile import CA_SECRET, CARGO_SECRET, compile_commands, target_cache, vendor_commands
from bareboat.system.folders import remove
from bareboat.system.locks import hold

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bareboat.inputs.sample import Sample
    from bareboat.make.context import JobContext, Program, RootImage
    from bareboat.plan.jobs import ProgramJob

# Cargo's last line: "Finished `release` profile [optimized] target(s) in 1m 02s".
_FINISHED = re.compile(r"^ *Finished .* in (?:(\d+)m )?([\d.]+)s$", re.MULTILINE)
_MINUTE_SECONDS = 60
_DIGITS = 16
_SECRETS = {CARGO_SECRET: "/run/cargo-config.toml", CA_SECRET: "/run/ca-bundle.crt"}


def make_program(context: JobContext, job: ProgramJob, toolchain: RootImage) -> Program:
    """Compile a program, and keep it on disk."""
    if context.remote:
        key = program_folder(context, job, toolchain).name
        content, warm = build_program(context, job, toolchain, key), None
    else:
        content, warm = _run_compile(context, job, toolchain)
    log = context.log(job.id).read_text(encoding="utf-8", errors="replace")
    record = ProgramRecord(seconds=read_seconds(log), warm=warm, sha256=hashlib.sha256(content).hexdigest())
    return keep_program(context, job, toolchain, content, record)


def _run_compile(context: JobContext, job: ProgramJob, toolchain: RootImage) -> tuple[bytes, bool]:
    """The program's bytes, and whether cargo found objects of an earlier compile."""
    sources = _sources(context, job.sample)
    mounts = {"/src": sources}
    if job.sample.needs_crates:
        mounts["/crates"] = _vendor(context, job, toolchain, sources)
    # Cargo judges by time: what was compiled is as new as this very copy of the sources, and as no other of that name.
    target = context.folders.targets / f"{target_cache(job, toolchain.source.digest)}-{_place(job.sample)}"
    out = context.folders.scratch / f"out-{secrets.token_hex(8)}"
    out.mkdir(parents=True)
    mounts |= {"/target": target, "/out": out}
    try:
        # Waiting for another compile that has the folder is no part of this one's seconds: cargo starts after it.
        with hold(target.with_name(f"{target.name}.lock")):
            warm = (target / "build").is_dir()
            target.mkdir(parents=True, exist_ok=True)
            work = Work(
                image=toolchain.reference,
                command=_in_a_shell(compile_commands(job)),
                mounts=mounts,
                writable=frozenset({"/src", "/target", "/out"}),
                folder="/src",
            )
            context.engine.work(work, context.log(job.id))
        return (out / job.sample.binary).read_bytes(), warm
    finally:
        remove(context.processes, out)


def _place(sample: Sample) -> str:
    """The digits by which two crates of one name in different folders are told apart."""
    return hashlib.sha256(os.fsencode(sample.folder.resolve())).hexdigest()[:_DIGITS]


def _sources(context: JobContext, sample: Sample) -> Path:
    copy = context.folders.sources / f"{sample.crate}-{_place(sample)}"
    with hold(copy.with_name(f"{copy.name}.lock")):
        sync_sources(sample, copy)
    return copy


def _vendor(context: JobContext, job: ProgramJob, toolchain: RootImage, sources: Path) -> Path:
    """The folder of the crates that manifest and lock name, each with its sources; fetched once."""
    named = [(sources / name).read_bytes() for name in ("Cargo.toml", "Cargo.lock")]
    # Where a manifest names other folders or patches, what is vendored may depend on any source.
    named += [] if job.sample.stands_alone else [job.sample.digest.encode()]
    crates = context.folders.crates / hashlib.sha256(b"\0".join(named)).hexdigest()[:_DIGITS]
    home = context.folders.crates / "cargo"
    with hold(context.folders.crates / "lock"):
        if crates.is_dir():
            return crates
        fetched = crates.with_name(f".{crates.name}.new")
        shutil.rmtree(fetched, ignore_errors=True)
        for folder in (fetched, home):
            folder.mkdir(parents=True, exist_ok=True)
        own = {_SECRETS[name]: path for name, path in fetch_secrets().items()}
        work = Work(
            image=toolchain.reference,
            command=_in_a_shell(vendor_commands()),
            mounts={"/src": sources, "/crates": fetched, "/cargo": home, **own},
            writable=frozenset({"/crates", "/cargo"}),
            folder="/src",
            network=True,
        )
        context.engine.work(work, context.log(f"{job.id} crates"))
        fetched.rename(crates)
    return crates


def _in_a_shell(commands: Sequence[str]) -> tuple[str, ...]:
    # The first process of a container heeds only signals that it handles, and a shell handles none while it waits for a
    # command in the foreground: told to end, the compile would go on.
    return ("/bin/sh", "-c", f"trap 'exit 130' INT TERM; {{ {' && '.join(commands)}; }} & wait $!")


def read_seconds(log: str) -> float | None:
    """What cargo says that it took; None where it did not run, because an engine had the whole compile in its cache."""
    finished = _FINISHED.findall(log)
    if not finished:
        return None
    minutes, seconds = finished[-1]
    return int(minutes or 0) * _MINUTE_SECONDS + float(seconds)
