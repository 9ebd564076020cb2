"""Compiles programs; what was compiled from the same sources, toolchain and flags is not compiled again."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError

from bareboat.archive import read_copied
from bareboat.engine.images import KEY_LABEL, KIND_LABEL, OWN_NAMES, Build
from bareboat.make.context import Program, make_key
from bareboat.make.fetch_secrets import fetch_secrets
from bareboat.plan.containerfile import COMPILE_STAGE, CRATES_STAGE, compile_stages
from bareboat.system.files import write_whole

if TYPE_CHECKING:
    from pathlib import Path

    from bareboat.make.context import RootImage, Workshop
    from bareboat.plan.jobs import ProgramJob


@dataclass(frozen=True, slots=True, kw_only=True)
class _Record:
    """What is kept beside a compiled program."""

    seconds: float
    sha256: str


_RECORD = TypeAdapter(_Record)


def make_program(workshop: Workshop, job: ProgramJob, toolchain: RootImage) -> Program:
    """Have the compiled program on disk; compiled only when sources, toolchain or flags changed."""
    stages = compile_stages(job, toolchain.reference)
    key = make_key("program", stages, toolchain.source.digest, job.sample.digest)
    folder = workshop.folders.programs / key
    known = None if workshop.force else _read_record(folder)
    record = known or _compile(workshop, job, stages, key, folder)
    return Program(
        status="unchanged" if known else "built",
        note="",
        path=folder / "program",
        sha256=record.sha256,
        seconds=record.seconds,
        toolchain=toolchain,
    )


def _compile(workshop: Workshop, job: ProgramJob, stages: str, key: str, folder: Path) -> _Record:
    engine, name = workshop.engine, f"{job.sample.name}:{job.target}-{job.crt}-{job.toolchain.name}".replace("+", "_")
    start = time.monotonic()
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
        engine.build(crates, workshop.log(f"{job.id} crates"))
    if workshop.force:
        # With the image go its layers, so that the compile really runs again; the fetched crates stay.
        engine.remove(program.tag)
    built = engine.build(program, workshop.log(job.id))
    content = read_copied(engine.copy_out(built, job.binary), job.id)[0].content
    record = _Record(seconds=round(time.monotonic() - start, 3), sha256=hashlib.sha256(content).hexdigest())
    write_whole(folder / "program", content, mode=0o755)
    write_whole(folder / "record.json", _RECORD.dump_json(record))
    return record


def _read_record(folder: Path) -> _Record | None:
    try:
        record = _RECORD.validate_json((folder / "record.json").read_bytes())
        content = (folder / "program").read_bytes()
    except (OSError, ValidationError):
        return None
    return record if hashlib.sha256(content).hexdigest() == record.sha256 else None
