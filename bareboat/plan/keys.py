"""Composes every key: the SHA-256 of all that can change what a job makes. Pure.

A key goes onto the image as a label, or into the result; where it is found again nothing is done anew. Each kind has a
version of its own, to be raised when the same input comes to mean another output. A measurement's version is its
column's. tests/unit/plan/test_keys.py demands of every input that it is in a key, or says why it cannot matter.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Protocol

from bareboat.plan.containerfile import compile_stages, shipped_stage

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bareboat.archive import Entry
    from bareboat.inputs.base import RootBootstrap
    from bareboat.inputs.expectation import Expectation
    from bareboat.inputs.limits import Limits
    from bareboat.inputs.recipe import Compile
    from bareboat.plan.jobs import Cell, ProgramJob, RootJob

ROOT_VERSION = "2"
PROGRAM_VERSION = "5"
IMAGE_VERSION = "1"
CELL_VERSION = "3"
# Fields of what is expected that came later, each with the value that says nothing.
_LATER = {"network": False, "stderr_has": None}


class HostFacts(Protocol):
    """What of a host can change how an image runs there."""

    @property
    def podman(self) -> str:
        """Podman's version."""

    @property
    def buildah(self) -> str:
        """Buildah's version."""

    @property
    def runtime(self) -> str:
        """The OCI runtime and its version."""

    @property
    def kernel(self) -> str:
        """The kernel's release."""

    @property
    def storage_driver(self) -> str:
        """What the image store lies on."""


class ColumnFacts(Protocol):
    """A measurement."""

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def version(self) -> int:
        """The version of what it means and of how it is taken."""


def root_key(bootstrap: RootBootstrap | None, script: str) -> str:
    """The key of a root made from packages; `script` is the text of the file that the bootstrap names."""
    return _digest(ROOT_VERSION, "root", bootstrap, script)


def pins_key(pins: Mapping[str, str]) -> str:
    """The key of the packages that a root was made from: `VERSION sha256:DIGITS` by name, as the lock has them."""
    return _digest(ROOT_VERSION, "pins", sorted(pins.items()))


def program_key(job: ProgramJob, toolchain: str, toolchain_digest: str) -> str:
    """The key of a compiled program; `toolchain` is what its Containerfile calls the image of that digest."""
    stages = compile_stages(job, toolchain, toolchain_digest)
    return _digest(PROGRAM_VERSION, "program", stages, toolchain_digest, job.sample.digest)


def image_key(cell: Cell, program_sha256: str, digests: Mapping[RootJob, str], entries: Iterable[Entry]) -> str:
    """The key of a cell's image: of its content and its settings, and of its base where it has one.

    `digests` are those of the cell's roots, `entries` all that comes aboard beside the program.
    """
    aboard = [
        (entry.path, entry.kind, entry.mode, entry.uid, entry.gid, entry.target, _sha256(entry.content))
        for entry in entries
    ]
    # A comment says why a file is copied: it changes nothing of the image.
    stage = [line for line in shipped_stage(cell, digests).splitlines() if not line.startswith("#")]
    started = (cell.entrypoint, cell.healthcheck) if cell.starter or cell.healthcheck else ()
    shipped = stage if cell.base else (_settings(cell), cell.program_path, *started)
    return _digest(IMAGE_VERSION, "image", shipped, program_sha256, aboard)


def source_key(cell: Cell, program_sha256: str, digests: Mapping[RootJob, str]) -> str:
    """The key of what a cell's image is made from: the same sources give an image of the same key."""
    sources = sorted((job.id, digest) for job, digest in digests.items())
    copies = [(planned.copy, planned.source.id if planned.source else "") for planned in cell.copies]
    stage = shipped_stage(cell, digests)
    # The closure of the same program, taken in the same toolchain, asks for the same libraries beside those it loads.
    completed = ("completed", *cell.loads) if cell.completes else ()
    crew = [program_key(job, job.toolchain.reference, digests[job.toolchain]) for job in cell.crew]
    manned = ("crew", *crew) if crew else ()
    return _digest(
        IMAGE_VERSION, "source", stage, _settings(cell), program_sha256, sources, copies, *completed, *manned
    )


def cell_key(
    cell: Cell,
    image: str,
    *,
    crates: Iterable[str] | None,
    harbor_sha256: str,
    gauge_sha256: str,
    host: HostFacts,
    limits: Limits,
    traced: bool,
    columns: Iterable[ColumnFacts],
) -> str:
    """The key of a cell's result: of the image's key, what is expected of it, and all that runs and measures it."""
    return _digest(
        CELL_VERSION,
        "cell",
        image,
        _declared(cell.recipe.compile),
        [_expected(run) for run in cell.sample.expectations],
        cell.expect_failure,
        # What a manifest says of a copy is kept in the result.
        [(planned.copy.source, planned.copy.why) for planned in cell.copies],
        None if crates is None else sorted(crates),
        (harbor_sha256, sorted(cell.excuses.items())),
        gauge_sha256,
        asdict(limits),
        (host.podman, host.buildah, host.runtime, host.kernel, host.storage_driver, traced),
        [(column.name, column.version) for column in columns],
        *(("libc", cell.sample.libc) if cell.sample.libc else ()),
    )


def _declared(compiled: Compile) -> dict[str, object]:
    """What a recipe declares of its program, without its folders: what is in them is in the program's key."""
    return {name: value for name, value in asdict(compiled).items() if not name.startswith("sysroot")}


def _expected(run: Expectation) -> dict[str, object]:
    """What is expected of a run, without those later fields that say nothing: so older keys stand."""
    said = asdict(run)
    return {name: value for name, value in said.items() if name not in _LATER or value != _LATER[name]}


def _settings(cell: Cell) -> dict[str, object]:
    """Those of the recipe's runtime that an image has; what a run may take is in the cell's key alone."""
    return {"user": cell.recipe.runtime.user, "env": cell.recipe.runtime.env}


def _digest(version: str, kind: str, *parts: object) -> str:
    text = json.dumps([version, kind, *[str(part) for part in parts]])
    return _sha256(text.encode())


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
