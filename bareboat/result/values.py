"""What a cell came to: its outcome, its measurements and where they come from. One JSON file a cell.

Pure values here; they are written atomically and read back with every fault named.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from bareboat.inputs.limits import Limits  # noqa: TC001 -- pydantic reads the types of fields
from bareboat.inputs.mend import Mend  # noqa: TC001 -- likewise
from bareboat.result.measurement import Measurement  # noqa: TC001 -- likewise

SCHEMA = 3
Stage = Literal["base", "compile", "image", "preflight", "run", "measure"]
Way = Literal["static", "known", "observed"]
IDLE = "idle"  # the proof of what can be left out
_STRICT = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)  # JSON has no sign for those


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """The image ran as its sample expects and is what its recipe declares."""

    __pydantic_config__ = _STRICT

    kind: Literal["passed"] = "passed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The image did not run, or is not what its recipe declares."""

    __pydantic_config__ = _STRICT

    kind: Literal["failed"] = "failed"
    stage: Stage  # in which the cell ended
    reason: str  # one line
    detail: str = ""  # more lines, such as a difference or a log's last ones
    expected: str = ""  # the recipe's or sample's reason why this cell is known not to work; "" where it should


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """The cell was not tried."""

    __pydantic_config__ = _STRICT

    kind: Literal["skipped"] = "skipped"
    reason: str


Outcome = Annotated[Passed | Failed | Skipped, Field(discriminator="kind")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """The machine and the engine that measured."""

    __pydantic_config__ = _STRICT

    name: str  # the host's folder under results/
    system: str  # the distribution and its version
    kernel: str  # the release, as uname says it
    architecture: str
    podman: str
    buildah: str
    runtime: str  # the OCI runtime and its version
    storage_driver: str
    rootless: bool
    bareboat: str
    cores: int = 0  # by which runs are limited; 0 in results of versions that did not ask
    # Digits that tell this machine from others of the same system, and nothing else; "" where it has no number.
    machine: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a base or toolchain came from."""

    __pydantic_config__ = _STRICT

    kind: Literal["scratch", "registry", "bootstrap"]
    reference: str
    digest: str
    packages: tuple[str, ...] = ()  # `name=version` of what it was made from; empty for a registry image


@dataclass(frozen=True, slots=True, kw_only=True)
class RootKeys:
    """What identifies an image that was built on, compiled in or copied from."""

    __pydantic_config__ = _STRICT

    key: str  # of what its recipe says of it; "" of a registry's
    digest: str  # its own, `sha256:...`
    pins: str  # SHA-256 (hex) of the versions and checksums of its packages, as the lock has them; "" of a registry's


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingredients:
    """What a result's key was made of, as far as it takes an engine or a compiler to know it.

    With this, today's recipes, samples, lock and code give today's key of the same result.
    """

    __pydantic_config__ = _STRICT

    roots: dict[str, RootKeys]  # by the id of the job that made or pulled it
    program: str  # the key of the compile
    program_sha256: str
    crates: tuple[str, ...] | None  # those that the program may be linked with; None where that is not known
    harbor: str  # the key of the compile of the instrument that a service is held to; "" of no service
    harbor_sha256: str  # likewise
    sources: str  # the key of what the image is made from
    image: str  # the image's key
    traced: bool  # whether what the program opens could be observed
    # The key of the compile of the instrument that measures from inside; "" in results of versions that had none.
    gauge: str = ""
    gauge_sha256: str = ""  # likewise


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """All that went into a result."""

    __pydantic_config__ = _STRICT

    host: Host
    base: Source
    toolchain: Source
    image_id: str
    compiler: str = ""  # what `rustc --version` says in the toolchain; "" in results of schema 2
    made: Ingredients | None = None  # None in results of schema 2
    commit: str  # of the checkout, with `+dirty` where a file of it differed; "" outside one
    measured_at: str  # UTC, as ISO 8601 writes it
    limits: Limits | None = None  # what a run could take; None in results of versions that did not say


@dataclass(frozen=True, slots=True, kw_only=True)
class Preflight:
    """Whether the program was predicted to start in its image, and whether it did."""

    __pydantic_config__ = _STRICT

    predicted: bool
    why: str  # one line of what is missing; "" where it is predicted to start
    observed: bool | None  # None in results of versions that did not run what is predicted not to start
    said: str  # one line of what loader or runtime said; "" where it started


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestRow:
    """One file or copied folder of a from-scratch image: what it is, where it comes from, and who needs it."""

    __pydantic_config__ = _STRICT

    path: str
    kind: Literal["file", "directory", "symlink"]
    size_bytes: int  # of a folder, what all in it weighs
    mode: str  # octal digits
    source: str  # the copy's `from`, or "compile"
    package: str  # "" where no package has it
    version: str
    why: str
    # The ways by which it, or something in it, was found needed: static (interpreter and DT_NEEDED), known (what libc
    # and others load at run time), observed (opened in the verify run).
    ways: tuple[Way, ...] = ()
    files: int = 1  # how many a copied folder has in it
    # How many of them nobody needs: those that no way found, or, where running without them was tried, what that came
    # to. None where some were found by no way and the run was not observed.
    idle_files: int | None = 0
    proof: str = ""  # what came of running without it: "needed", "needed by RUN", "idle"; "" where not tried

    @property
    def needed(self) -> bool | None:
        """Whether anybody needs it; None where that is not known. A proof outranks what the other ways found."""
        if self.proof:
            return self.proof != IDLE
        if self.ways:
            return True
        return None if self.idle_files is None else False


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One question that a service was asked, and what came of it."""

    __pydantic_config__ = _STRICT

    name: str
    passed: bool  # whether the answer was right
    observed: str
    excused: str = ""  # why the answer is known to be wrong here; "" where it should be right


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What a program did by itself of which nothing was expected."""

    __pydantic_config__ = _STRICT

    running: bool = False  # whether it ran on until it was told to end
    exit_code: int | None = None  # None where it was killed, and where it did not start
    ports: tuple[int, ...] = ()  # the TCP ports that it listened on
    local_ports: tuple[int, ...] = ()  # those of them that nobody outside its container reaches
    udp_ports: tuple[int, ...] = ()  # those that it took datagrams at, where it listened on no TCP port
    # Of each TCP port to `GET /`, or what is to be asked: `HTTP 200`, `no HTTP`, or "" where it could not be asked.
    answers: tuple[str, ...] = ()
    listen_seconds: float | None = None  # from its start until it listened; None where it did not
    stop_seconds: float | None = None  # from SIGTERM to its end; None where it was killed, or ended by itself
    peak_bytes: int | None = None  # the most memory that its first process had when it was asked and had answered
    said: str = ""  # a line that it wrote to its standard error: the first that speaks of an error, else the last
    waits: bool = False  # whether it was waiting for an answer of others when its time was over, and listened nowhere

    @property
    def all_ports(self) -> tuple[str, ...]:
        """`8080`, `5353/udp`: those of TCP, and those of UDP told apart."""
        return (*map(str, self.ports), *(f"{port}/udp" for port in self.udp_ports))


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """A library that no recipe names and that came aboard from the toolchain, because the program needs it."""

    __pydantic_config__ = _STRICT

    path: str  # in the toolchain
    to: str  # in the image
    why: str  # who needs it


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One cell's outcome, measurements and provenance."""

    __pydantic_config__ = _STRICT

    schema_version: int = SCHEMA
    cell: str
    sample: str
    recipe: str
    platform: str
    key: str  # "" where an error ended the cell
    outcome: Outcome
    measurements: tuple[Measurement, ...] = ()
    # What somebody else says that an image like this weighs: joined when a table is made, and kept nowhere.
    published_bytes: Annotated[int | None, Field(exclude=True)] = None
    provenance: Provenance | None = None  # None where the cell failed before its base and toolchain were known
    preflight: Preflight | None = None  # likewise
    manifest: tuple[ManifestRow, ...] = ()  # of a from-scratch image, sorted by path, without folders that were implied
    # Why what a from-scratch image's program opens was not seen, or not all of it; "" where it was, and on a base.
    unobserved: str = ""
    probes: tuple[Probe, ...] = ()  # what a service was asked
    ran: Ran | None = None  # what a program did of which nothing was expected; None where something was
    # The libraries that the program's closure missed, and that came aboard for that alone.
    completed: tuple[Completed, ...] = ()
    lacks: str = ""  # the provision that brings what the program says that it lacks; "" where it says nothing like it
    lacks_library: str = ""  # the file's name of a library that it says that it lacks; likewise
    # The names of large-file functions that the program asks for, musl 1.2.4 dropped, and were linked all the same.
    large_file_names: tuple[str, ...] = ()
    mended: tuple[Mend, ...] = ()  # what came aboard because a run without it said so

    @property
    def fails_as_expected(self) -> bool:
        """Whether its recipe says that it cannot work, and it did not."""
        return isinstance(self.outcome, Failed) and bool(self.outcome.expected)
