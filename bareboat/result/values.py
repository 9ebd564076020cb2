"""What a cell came to: its outcome, its measurements and where they come from. One JSON file a cell.

Pure values here; they are written atomically and read back with every fault named.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

SCHEMA = 2
Unit = Literal["bytes", "seconds", "count", "text", "flag"]
Stage = Literal["base", "compile", "image", "preflight", "run", "measure"]
Way = Literal["static", "known", "observed"]
_STRICT = ConfigDict(extra="forbid", strict=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A measurement's place in the table: `order` from the left, `heading` at its top, the unit of its values.

    `meaning` is what the results page says below the table, in Markdown: what the figure counts and how it was taken.
    """

    __pydantic_config__ = _STRICT

    name: str
    heading: str
    unit: Unit
    order: int
    meaning: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One figure taken from the image as shipped; None where it does not apply."""

    __pydantic_config__ = _STRICT

    column: Column
    value: bool | int | float | str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """The image ran as its sample expects and is what its recipe declares."""

    __pydantic_config__ = _STRICT

    kind: Literal["passed"] = "passed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """It did not: the stage it ended in, one line of why, and the details (a diff, a log's tail) below it.

    `expected` is the recipe's reason why this cell is known not to work; "" where it should.
    """

    __pydantic_config__ = _STRICT

    kind: Literal["failed"] = "failed"
    stage: Stage
    reason: str
    detail: str = ""
    expected: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """It was not tried, and why."""

    __pydantic_config__ = _STRICT

    kind: Literal["skipped"] = "skipped"
    reason: str


Outcome = Annotated[Passed | Failed | Skipped, Field(discriminator="kind")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """The machine and the engine that measured. `name` is the folder under results/."""

    __pydantic_config__ = _STRICT

    name: str
    system: str
    kernel: str
    architecture: str
    podman: str
    buildah: str
    runtime: str
    storage_driver: str
    rootless: bool
    bareboat: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a base or toolchain came from: `registry` or `bootstrap` (or `scratch`), its reference and digest.

    `packages` are `name=version` of what it was made from, empty for a registry image.
    """

    __pydantic_config__ = _STRICT

    kind: Literal["scratch", "registry", "bootstrap"]
    reference: str
    digest: str
    packages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """All that went in: host, base, toolchain, the image's id, the commit of Bareboat's checkout, the time (UTC)."""

    __pydantic_config__ = _STRICT

    host: Host
    base: Source
    toolchain: Source
    image_id: str
    commit: str
    measured_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Preflight:
    """Whether the program was predicted to start in its image, and whether it did; None where it was not run.

    `why` and `said` are one line each of what is missing and of what loader or runtime said; "" where it starts.
    """

    __pydantic_config__ = _STRICT

    predicted: bool
    why: str
    observed: bool | None
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AboardFile:
    """One entry of a from-scratch image: what it is, where it comes from, why it is there, and who needs it.

    `mode` is in octal digits; `package` and `version` are "" where no package has it. A folder that was copied is one
    entry: `files` says how many are in it, `size_bytes` what they weigh. `ways` are those that found it, or something
    in it, needed: static (interpreter and DT_NEEDED), known (what libc and others load at run time), observed (opened
    in the verify run); `idle_files` are those that none did. `proof` is what came of running without it: "needed",
    "needed by RUN", "idle"; "" where not tried.
    """

    __pydantic_config__ = _STRICT

    path: str
    kind: Literal["file", "directory", "symlink"]
    size_bytes: int
    mode: str
    source: str
    package: str
    version: str
    why: str
    ways: tuple[Way, ...] = ()
    files: int = 1
    idle_files: int = 0
    proof: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One thing that a service was asked: what it is called, whether the answer was right, and what was observed.

    `excused` says why the answer is known to be otherwise here; "" where it should be right.
    """

    __pydantic_config__ = _STRICT

    name: str
    passed: bool
    observed: str
    excused: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One cell's outcome, measurements and provenance. `published_bytes` is what others say of this base.

    `provenance` is None where the cell failed before its base and toolchain were known, or was skipped; so is
    `preflight`. `manifest` is what a from-scratch image holds, sorted by path, without the folders that only lead to
    something; empty for other bases. `probes` are what a service was asked in the harbor.
    """

    __pydantic_config__ = _STRICT

    schema_version: int = SCHEMA
    cell: str
    sample: str
    recipe: str
    platform: str
    key: str
    outcome: Outcome
    measurements: tuple[Measurement, ...] = ()
    published_bytes: int | None = None
    provenance: Provenance | None = None
    preflight: Preflight | None = None
    manifest: tuple[AboardFile, ...] = ()
    probes: tuple[Probe, ...] = ()

    @property
    def fails_as_expected(self) -> bool:
        """Whether its recipe says that it cannot work, and it did not."""
        return isinstance(self.outcome, Failed) and bool(self.outcome.expected)


def printable(text: str) -> str:
    r"""`text` as one line that is safe to show: reasons hold a program's raw output, which a terminal would obey.

    Each line break and tab becomes a space; other control, formatting and unpaired surrogate characters are spelt out,
    as `\x1b` or `\u202e`, so that no escape sequence and no reordering of letters gets through.
    """
    return "".join(_shown(character) for character in text.rstrip())


def _shown(character: str) -> str:
    if character.isspace():
        return " "
    return character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
