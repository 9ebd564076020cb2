"""Runs a job: base, program or image; what comes out is a value."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from pydantic import TypeAdapter, ValidationError

from bareboat.archive import read_copied
from bareboat.cell import make_cell
from bareboat.containerfile import COMPILE_STAGE, CRATES_STAGE, compile_stages
from bareboat.engine import KEY_LABEL, KIND_LABEL, OWN_NAMES, Build
from bareboat.errors import BareboatError
from bareboat.files import write_whole
from bareboat.hostfiles import fetch_secrets
from bareboat.plan import ImageJob, ProgramJob, RootJob
from bareboat.roots import make_root
from bareboat.workshop import Output, Program, RootImage, Workshop, make_key

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping
    from pathlib import Path

    from bareboat.plan import Job


@dataclass(frozen=True, slots=True, kw_only=True)
class _Record:
    """What is kept beside a compiled program."""

    seconds: float
    sha256: str


_RECORD = TypeAdapter(_Record)


def run_job(workshop: Workshop, job: Job, inputs: Mapping[Hashable, Output]) -> Output:
    """Do one job; `inputs` are the outputs of its needs by job id. Raises BareboatError."""
    match job:
        case RootJob():
            return make_root(workshop, job)
        case ProgramJob():
            return make_program(workshop, job, _root(inputs, job.toolchain))
        case ImageJob(cell=cell):
            program = inputs[cell.program.id]
            if not isinstance(program, Program):
                raise BareboatError(f"{cell.program.id} came to no program")
            harbor = inputs[cell.harbor.id] if cell.harbor else None
            roots = {job: _root(inputs, job) for job in cell.roots}
            return make_cell(workshop, cell, program, roots, harbor if isinstance(harbor, Program) else None)
        case _:
            assert_never(job)


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


def _root(inputs: Mapping[Hashable, Output], job: RootJob) -> RootImage:
    root = inputs[job.id]
    if not isinstance(root, RootImage):
        raise BareboatError(f"{job.id} came to no image")
    return root
