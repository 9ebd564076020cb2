"""Compiles a program by a build, for an engine on another machine, which cannot mount our folders."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bareboat.archive import read_copied
from bareboat.engine.images import KEY_LABEL, KIND_LABEL, OWN_NAMES, Build
from bareboat.make.fetch_secrets import fetch_secrets
from bareboat.make.sources import kept_sources, program_name
from bareboat.plan.containerfile import COMPILE_STAGE, CRATES_STAGE, compile_stages

if TYPE_CHECKING:
    from pathlib import Path

    from bareboat.make.context import JobContext, RootImage
    from bareboat.plan.jobs import ProgramJob


def build_program(context: JobContext, job: ProgramJob, toolchain: RootImage, key: str) -> bytes:
    """The program's bytes, from the compile stage of its Containerfile."""
    # Of two builds of one crate at once, one would find the other's half of the steps in the engine's cache, and would
    # have to do the rest, which needs a network, without one.
    with context.locks.hold(f"build of {job.sample.crate}", job.id), kept_sources(context, job.sample) as sources:
        return _build(context, job, toolchain, sources, key)


def _build(context: JobContext, job: ProgramJob, toolchain: RootImage, sources: Path, key: str) -> bytes:
    engine, log = context.engine, context.log(program_name(job))
    stages = compile_stages(job, toolchain.reference, toolchain.source.digest)
    name = f"{job.sample.name}:{job.target}-{job.crt}-{job.toolchain.name}".replace("+", "_")
    program = Build(
        containerfile=stages,
        context=sources,
        tag=f"{OWN_NAMES}program/{name}",
        labels={KIND_LABEL: "program", KEY_LABEL: key},
        target=COMPILE_STAGE,
    )
    if job.sample.needs_crates:
        crates = Build(
            containerfile=stages,
            context=sources,
            tag=f"{OWN_NAMES}crates/{name}",
            labels={KIND_LABEL: "crates", KEY_LABEL: key},
            target=CRATES_STAGE,
            network=True,
            secrets=fetch_secrets(),
        )
        engine.build(crates, context.log(f"{program_name(job)} crates"))
    if context.force:
        # With the image go its layers, so that the compile really runs again; the fetched crates stay.
        engine.remove(program.tag)
    return read_copied(engine.copy_out(engine.build(program, log), job.binary), job.id)[0].content
