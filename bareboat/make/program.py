"""Compiles programs; what was compiled from the same sources, toolchain and flags is not compiled again."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError

from bareboat.archive import read_copied
from bareboat.engine.images import KEY_LABEL, KIND_LABEL, OWN_NAMES, Build
from bareboat.make.context import Program
from bareboat.make.fetch_secrets import fetch_secrets
from bareboat.plan.containerfile import COMPILE_STAGE, CRATES_STAGE, WARM_TARGET, compile_stages
from bareboat.plan.keys import program_key
from bareboat.system.files import write_whole

if TYPE_CHECKING:
    from pathlib import Path

    from bareboat.make.context import JobContext, RootImage
    from bareboat.plan.jobs import ProgramJob

# Cargo's last line: "Finished `release` profile [optimized] target(s) in 1m 02s".
_FINISHED = re.compile(r"^ *Finished .* in (?:(\d+)m )?([\d.]+)s$", re.MULTILINE)
_MINUTE_SECONDS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class _Record:
    """What is kept beside a compiled program."""

    sha256: str
    seconds: float | None
    warm: bool | None


_RECORD = TypeAdapter(_Record)


def make_program(context: JobContext, job: ProgramJob, toolchain: RootImage) -> Program:
    """Have the compiled program on disk; compiled only when sources, toolchain or flags changed."""
    key = program_key(job, toolchain.reference, toolchain.source.digest)
    folder = context.folders.programs / key
    known = None if context.force else _read_record(folder)
    record = known or _compile(context, job, toolchain, key)
    return Program(
        status="unchanged" if known else "built",
        note="on what an earlier compile left" if record.warm and not known else "",
        path=folder / "program",
        sha256=record.sha256,
        seconds=record.seconds,
        warm=record.warm,
        toolchain=toolchain,
    )


def _compile(context: JobContext, job: ProgramJob, toolchain: RootImage, key: str) -> _Record:
    engine, log = context.engine, context.log(job.id)
    stages = compile_stages(job, toolchain.reference, toolchain.source.digest)
    name = f"{job.sample.name}:{job.target}-{job.crt}-{job.toolchain.name}".replace("+", "_")
    program = Build(
        containerfile=stages,
        context=job.sample.folder,
        tag=f"{OWN_NAMES}program/{name}",
        labels={KIND_LABEL: "program", KEY_LABEL: key},
        target=COMPILE_STAGE,
    )
    if job.sample.needs_crates:
        crates = Build(
            containerfile=stages,
            context=job.sample.folder,
            tag=f"{OWN_NAMES}crates/{name}",
            labels={KIND_LABEL: "crates", KEY_LABEL: key},
            target=CRATES_STAGE,
            network=True,
            secrets=fetch_secrets(),
        )
        engine.build(crates, context.log(f"{job.id} crates"))
    if context.force:
        # With the image go its layers, so that the compile really runs again; the fetched crates stay.
        engine.remove(program.tag)
    built = engine.build(program, log)
    content = read_copied(engine.copy_out(built, job.binary), job.id)[0].content
    seconds, warm = read_compile_log(log.read_text(encoding="utf-8", errors="replace"))
    record = _Record(seconds=seconds, warm=warm, sha256=hashlib.sha256(content).hexdigest())
    folder = context.folders.programs / key
    write_whole(folder / "program", content, mode=0o755)
    write_whole(folder / "record.json", _RECORD.dump_json(record))
    return record


def read_compile_log(text: str) -> tuple[float | None, bool | None]:
    """What cargo says that it took, in seconds, and whether it found an earlier compile's objects.

    Waiting for another compile that holds the folder is not counted: cargo starts after it. Both are None where the
    compile was in the engine's own cache, so that cargo did not run.
    """
    finished = _FINISHED.findall(text)
    if not finished:
        return None, None
    minutes, seconds = finished[-1]
    return int(minutes or 0) * _MINUTE_SECONDS + float(seconds), f"\n{WARM_TARGET}\n" in text


def _read_record(folder: Path) -> _Record | None:
    try:
        record = _RECORD.validate_json((folder / "record.json").read_bytes())
        content = (folder / "program").read_bytes()
    except (OSError, ValidationError):
        return None
    return record if hashlib.sha256(content).hexdigest() == record.sha256 else None
