"""What Bareboat needs of a container engine, as a Protocol and the values that cross it.

PodmanEngine (podman_engine.py) is the real one; a contract suite holds every engine to this page.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bareboat.engine.tracer import Tracer
    from bareboat.result.values import Host

KIND_LABEL = "io.bareboat.kind"
KEY_LABEL = "io.bareboat.key"
RUN_LABEL = "io.bareboat.run"
OWN_NAMES = "localhost/bareboat/"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredImage:
    """An image in the store: its id, its registry's digest (both `sha256:...`; "" without registry), names, labels."""

    id: str
    digest: str
    names: tuple[str, ...]
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """One `podman build`: the Containerfile's text, the folder it copies from, what to call the image.

    `network` is for a stage that fetches crates; `secrets` are mount names and the host's files behind them.
    """

    containerfile: str
    context: Path
    tag: str
    labels: Mapping[str, str]
    target: str = ""
    network: bool = False
    secrets: Mapping[str, Path] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReport:
    """What one run of an image showed; `exit_code` is None when it was killed after `timeout_seconds`.

    `refused` is what the runtime said when it could not start the program at all; there is no exit code then either.
    """

    exit_code: int | None
    stdout: bytes
    stderr: bytes
    refused: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """One container to start and leave running, confined as a run is, and read-only.

    `network` is "none", or the id of a container whose loopback is shared. `mounts` are places in the container and
    what of this machine is there, read-only unless `writable` names the place.
    """

    image: str
    command: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    mounts: Mapping[str, Path] = field(default_factory=dict)
    writable: str = ""
    network: str = "none"


class Engine(Protocol):
    """What Bareboat needs of a container engine; safe to use from many threads."""

    def host(self) -> Host:
        """The machine, the engine's versions and modes, as the engine itself says them."""

    def image(self, reference: str) -> StoredImage | None:
        """The image of that name or id; None when the store has none."""

    def build(self, build: Build, log: Path) -> str:
        """Build, tag and label an image; returns its id. Raises EngineError with the log's last lines."""

    def load(self, archive: Path) -> None:
        """Load an OCI or docker archive under the name that it carries."""

    def pull(self, reference: str) -> StoredImage:
        """Fetch an image from its registry; raises EngineError saying what the registry answered."""

    def save(self, image_id: str, to: Path) -> None:
        """Write an image as a docker archive, layers uncompressed."""

    def copy_out(self, image_id: str, path: str) -> bytes:
        """One file or folder of an image as an uncompressed tar whose first member it is; links to it are followed.

        Raises BareboatError where nothing is there.
        """

    def run(
        self, image_id: str, arguments: tuple[str, ...], timeout_seconds: float, *, writable: bool = False
    ) -> RunReport:
        """Run an image confined: its own user, no capability, no new privilege, no network, read-only or not."""

    def start(self, start: Start) -> str:
        """Start a container and return its id; raises BareboatError with the words of a runtime that refuses it."""

    def process_of(self, container: str) -> int | None:
        """The number of a running container's first process on this machine; None when it has ended."""

    def signal(self, container: str, name: str) -> None:
        """Send a signal, such as SIGTERM, to a container's first process; nothing happens when it has ended."""

    def output_of(self, container: str) -> bytes:
        """What a container has written to its standard output so far."""

    def finish(self, container: str, timeout_seconds: float) -> RunReport:
        """Wait until a container ends by itself, or kill it when time is over; it stays until it is discarded."""

    def discard(self, container: str) -> None:
        """Remove a container, running or not."""

    def trace(
        self, image_id: str, command: tuple[str, ...], timeout_seconds: float, tracer: Tracer, logs: Path
    ) -> RunReport:
        """Run an image's program, read-only and confined as `run` does, under strace; its logs come to `logs`."""

    def tag(self, image_id: str, name: str) -> None:
        """Give an image one more name, `repository:tag`."""

    def remove(self, reference: str) -> None:
        """Remove one image and the layers that only it has; nothing happens when there is none."""

    def clean(self) -> tuple[str, ...]:
        """Remove every container and image of Bareboat's; returns what was removed."""
