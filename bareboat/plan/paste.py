"""What a user writes into Cargo.toml and .cargo/config.toml to have cargo alone compile a program as a job does. Pure.

What files cannot say, such as a linker script, is in the commands.
"""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

from bareboat.plan.cargo_commands import environment, linkage

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bareboat.inputs.cargo import Cargo
    from bareboat.plan.jobs import ProgramJob

_SCRIPT = "small.ld"
_BARE = frozenset({"true", "false"})


def paste_block(jobs: Sequence[ProgramJob]) -> str:
    """The lines of both files and the commands; `jobs` compile one sample, each for another target."""
    cargo = jobs[0].sample.cargo
    blocks = [_profile(cargo), _configuration(jobs), _script(cargo), *(_commands(job) for job in jobs)]
    return "\n".join("".join(f"{line}\n" for line in block) for block in blocks if block)


def _profile(cargo: Cargo) -> list[str]:
    if not cargo.settings:
        return []
    settings = (f"{key} = {_value(value)}" for key, value in sorted(cargo.settings.items()))
    return ["# Cargo.toml, of the workspace where there is one", f"[profile.{cargo.profile}]", *settings]


def _value(text: str) -> str:
    """A setting's value as TOML; cargo takes numbers and truth values without quotes."""
    return text if text.isdecimal() or text in _BARE else json.dumps(text)


def _configuration(jobs: Sequence[ProgramJob]) -> list[str]:
    lines = ["# .cargo/config.toml"]
    for job in jobs:
        if "RUSTFLAGS" in job.sample.cargo.env:
            return []  # cargo would take nothing of it
        own, more = job.sample.rustflags.beside(job.target), job.sample.cargo.rustflags
        flags = [*own, "".join(linkage(job)), *more, *_for_all(job.sample.cargo)]
        lines += [f"[target.{job.target}]", "rustflags = [", *(f"    {json.dumps(flag)}," for flag in flags), "]"]
    return lines


def _for_all(cargo: Cargo) -> tuple[str, ...]:
    """The flags of the program's own crate, where it does no harm that every crate is given them."""
    harmless = all(flag.startswith("-Clink-arg") for flag in cargo.link_rustflags)
    return cargo.link_rustflags if harmless else ()


def _script(cargo: Cargo) -> list[str]:
    if not cargo.linker_script:
        return []
    return ["# beside it, once", f"cat > {_SCRIPT} <<'END'", *cargo.linker_script.splitlines(), "END"]


def _commands(job: ProgramJob) -> list[str]:
    sample, cargo = job.sample, job.sample.cargo
    last = () if _for_all(cargo) else cargo.link_rustflags
    last = (*last, f"-Clink-arg=-Wl,-T,{_SCRIPT}") if cargo.linker_script else last
    words = [*cargo.options, *sample.package_option, "--target", job.target, "--bin", sample.binary]
    build = ["cargo", "rustc", *words, "--", *last] if last else ["cargo", "build", *words]
    rewrite = ["objcopy", *cargo.objcopy, f"target/{job.target}/{cargo.folder}/{sample.binary}"]
    return [
        "# compile" + "".join(f"; {need}" for need in _needs(cargo)),
        " ".join([*environment(_without_settings(job)), shlex.join(build)]),
        *([shlex.join(rewrite)] if cargo.objcopy else []),
    ]


def _needs(cargo: Cargo) -> Iterator[str]:
    if any("-fuse-ld=lld" in flag for flag in cargo.link_rustflags):
        yield "needs lld"
    if cargo.build_std:
        yield "needs std's source: rustup component add rust-src"


def _without_settings(job: ProgramJob) -> ProgramJob:
    """The job without what is in Cargo.toml by then."""
    return replace(job, sample=replace(job.sample, cargo=replace(job.sample.cargo, settings={})))
