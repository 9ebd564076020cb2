"""Writes a cell as one whole multi-stage Containerfile. Pure.

The same text serves everybody: the matrix builds it, `invoke containerfile` prints it, and Podman, Buildah and Docker
make the same root filesystem of it. Steps run without network but for the stage that fetches crates; who builds by
hand may give `--network=none` where no crate is fetched.
"""

from __future__ import annotations

import json
import posixpath
import re
import shlex
from typing import TYPE_CHECKING

from bareboat.inputs.sample import SOURCES
from bareboat.plan.cargo_commands import (
    STD_PLACE,
    compile_commands,
    escaped,
    sysroot_place,
    target_cache,
    vendor_commands,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bareboat.inputs.recipe import Copy
    from bareboat.plan.jobs import Cell, PlannedCopy, ProgramJob, RootJob

CRATES_STAGE = "crates"
COMPILE_STAGE = "compile"
MADE_STAGE = "made"
_MADE = "/made"
_ROOT = "0:0"
STAGE_LABEL = "io.bareboat.stage"
# Not at the stage's beginning: old Buildah runs the last step of a stage again, though it has it in its cache.
_COMPILED = f"LABEL {STAGE_LABEL}={COMPILE_STAGE}"

# The secrets that the fetching step takes when they are given: the host's cargo configuration and CA bundle. They are
# mounted for that step alone and leave nothing in any layer.
CARGO_SECRET = "bareboat-cargo-config"  # noqa: S105 (the name of a mount)
CA_SECRET = "bareboat-ca-bundle"  # noqa: S105 (the name of a mount)
# What `--build-context` calls the folder of a C library of the user's own.
SYSROOT_CONTEXT = "bareboat-sysroot"


def render_containerfile(cell: Cell, references: Mapping[RootJob, str], toolchain_digest: str = "") -> str:
    """The whole Containerfile; `references` are what the cell's toolchain and roots are called."""
    stages = render_stages(cell, references, toolchain_digest)
    said = [f"{cell.id}: {cell.recipe.summary}"]
    if cell.program.sysroot:
        said.append(f"its C library is handed on by --build-context {SYSROOT_CONTEXT}=FOLDER")
    return _lines(*map(_comment, said)) + "\n".join(stages)


def render_stages(cell: Cell, references: Mapping[RootJob, str], toolchain_digest: str = "") -> tuple[str, ...]:
    """Its stages, the shipped one last."""
    toolchain = references[cell.program.toolchain]
    return (
        compile_stages(cell.program, toolchain, toolchain_digest),
        *(compile_stages(job, toolchain, toolchain_digest, job.sample.name) for job in cell.crew),
        *_made_stage(cell),
        shipped_stage(cell, references),
    )


def compile_stages(job: ProgramJob, toolchain: str, digest: str = "", name: str = COMPILE_STAGE) -> str:
    """The stages up to the compiled program at `job.binary`; equal for all cells that share the job.

    `toolchain` is what the toolchain's image is called. `digest` is the image's, so that the folder of compiled objects
    is this very compiler's; without it the folder is that of whatever image has the name. The last stage has a `name`.
    """
    if not job.sample.needs_crates:
        compiling = _compile(job, digest)
        return _lines(f"FROM {toolchain} AS {name}", *_sources(job), compiling, _COMPILED)
    # Manifest and lock come before the sources, where that is enough: a change of a source fetches nothing anew.
    alone = job.sample.stands_alone
    first = ("WORKDIR /src", "COPY Cargo.toml Cargo.lock ./", "RUN mkdir src && touch src/main.rs src/lib.rs")
    return _lines(
        f"FROM {toolchain} AS {CRATES_STAGE}",
        f"LABEL {STAGE_LABEL}={CRATES_STAGE}",
        *(first if alone else _sources(job)),
        _vendor(job),
        "",
        f"FROM {CRATES_STAGE} AS {name}",
        *(("RUN rm -r src", "COPY . .") if alone else ()),
        _compile(job, digest),
        _COMPILED,
    )


def shipped_stage(cell: Cell, references: Mapping[RootJob, str]) -> str:
    """The stage that is shipped: one explicit COPY for each file or folder that comes aboard."""
    runtime = cell.recipe.runtime
    environment = [f"ENV {name}={_quote(value)}" for name, value in sorted(runtime.env.items())]
    return _lines(
        f"FROM {references[cell.base] if cell.base else 'scratch'}",
        *([f"COPY --from={MADE_STAGE} {_MADE}/ /"] if list(_made(cell)) else []),
        *(line for planned in cell.copies if not planned.copy.is_made for line in _copy(cell, planned, references)),
        f"COPY --from={COMPILE_STAGE} {cell.program.binary} {cell.program_path}",
        *environment,
        f"USER {runtime.user}",
        *([f"HEALTHCHECK CMD {json.dumps(cell.healthcheck)}"] if cell.healthcheck else []),
        f"ENTRYPOINT {json.dumps(cell.entrypoint)}",
    )


def _made_stage(cell: Cell) -> Iterator[str]:
    """The stage in which stands what no image has: the recipe's own texts and empty folders."""
    made = [planned.copy for planned in _made(cell)]
    # A file's folder only where it is copied: a COPY with --chown gives away the folders that it makes, too.
    folders = dict.fromkeys(f"{_MADE}{copy.to.removesuffix('/').rpartition('/')[0]}" for copy in made)
    commands = [command for copy in made if copy.is_made for command in _make(copy)]
    if made:
        making = _run((), (f"install -d {shlex.join(folders)}", *commands))
        yield _lines(f"FROM {COMPILE_STAGE} AS {MADE_STAGE}", making)


def _made(cell: Cell) -> Iterator[PlannedCopy]:
    return (planned for planned in cell.copies if planned.copy.is_made or planned.copy.owner != _ROOT)


def _make(copy: Copy) -> Iterator[str]:
    target = shlex.quote(f"{_MADE}{copy.to.removesuffix('/')}")
    if copy.is_folder:
        yield f"install -d {target}"
    else:
        yield f"printf '%b' {shlex.quote(escaped(copy.text or ''))} > {target}"
    yield f"chmod {copy.permissions:04o} {target}"
    if copy.owner != _ROOT:
        yield f"chown {copy.owner} {target}"


def _copy(cell: Cell, planned: PlannedCopy, references: Mapping[RootJob, str]) -> tuple[str, str]:
    copy, source, path = planned.copy, planned.source, planned.copy.path
    if planned.program:
        origin, path = planned.program.sample.name, planned.program.binary
    else:
        # The compile stage stands on the toolchain, so what the toolchain has is there too, under one name less.
        origin = COMPILE_STAGE if source in {None, cell.program.toolchain} else references[source]
    options = [f"--from={origin}"]
    options += [f"--chown={copy.owner}"] if copy.owner != _ROOT else []
    options += [f"--chmod={copy.mode}"] if copy.mode else []
    return _comment(copy.why), f"COPY {' '.join(options)} {path} {copy.to}"


def _sources(job: ProgramJob) -> tuple[str, ...]:
    """What brings the sources to /src, from the context, the nearest folder that has all of them, or as texts."""
    sample = job.sample
    if sample.texts:
        return (f"WORKDIR {SOURCES}", *(line for place, text in sample.texts for line in _written(place, text)))
    parts = [_unexpanded(part) for part in sample.extent.parts(sample.folder)]
    copies = [f"COPY {json.dumps([part, part], ensure_ascii=False)}" if part else "COPY . ." for part in parts]
    folder = _unexpanded(sample.source_folder)
    return (f"WORKDIR {SOURCES}", *copies, *([f"WORKDIR {folder}"] if folder != SOURCES else []))


def _written(place: str, text: str) -> tuple[str, ...]:
    """What writes a text to a place, a line of it a line, so that it can be read."""
    lines = (shlex.quote(line) for line in text.splitlines())
    folder = shlex.quote(posixpath.dirname(place) or ".")
    return (
        f"RUN mkdir -p {folder} && printf '%s\\n' \\",
        *(f"    {line} \\" for line in lines),
        f"    > {shlex.quote(place)}",
    )


def _unexpanded(path: str) -> str:
    # In most steps an unescaped $ is replaced by a build variable.
    return re.sub(r"([\\$])", r"\\\1", path)


def _vendor(job: ProgramJob) -> str:
    # Crates are vendored into a layer, so that the compile needs neither network nor a cache that may have gone;
    # the cache mount only spares the download.
    return _run(
        (
            "--mount=type=cache,id=bareboat-cargo,target=/cargo,sharing=locked",
            f"--mount=type=secret,id={CARGO_SECRET},target=/run/cargo-config.toml",
            f"--mount=type=secret,id={CA_SECRET},target=/run/ca-bundle.crt",
        ),
        ("mkdir /crates", *vendor_commands(job.sample)),
    )


def _compile(job: ProgramJob, digest: str) -> str:
    # Cargo judges by time, and the folder of compiled objects may be younger than a source that was changed.
    whole = "." if job.sample.source_folder == SOURCES else SOURCES
    std = (f"--mount=type=bind,from={job.std.reference},target={STD_PLACE}",) if job.std else ()
    own = job.sysroot
    sysroot = (f"--mount=type=bind,from={SYSROOT_CONTEXT},target={sysroot_place(own)}",) if own else ()
    return _run(
        (f"--mount=type=cache,id={target_cache(job, digest)},target=/target,sharing=locked", *std, *sysroot),
        (f"find {whole} -type f -exec touch {{}} +", *compile_commands(job)),
    )


def _comment(text: str) -> str:
    # One line, whatever the text holds; what follows the cell's id or a blank is never a directive such as `escape=`.
    return f"# {' '.join(text.split())}"


def _quote(value: str) -> str:
    # ENV is no JSON: an unescaped $ is replaced by a build variable, and \u00e9 stays as it is written.
    return '"' + re.sub(r'(["\\$])', r"\\\1", value) + '"'


def _run(mounts: tuple[str, ...], commands: tuple[str, ...]) -> str:
    return "RUN " + " \\\n    ".join([*mounts, " && \\\n    ".join(commands)])


def _lines(*lines: str) -> str:
    return "\n".join(lines) + "\n"
