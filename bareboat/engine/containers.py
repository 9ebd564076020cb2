"""What Bareboat needs of an engine's containers: a Protocol and the values that cross it.

Every container is confined: its image's own user, no capability, no new privilege, limited memory and processes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from bareboat.inputs.limits import LIMITS, Limits

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bareboat.engine.tracer import Tracer

# The label of every container that Bareboat starts; its value is the digits of the run that started it.
RUN_LABEL = "io.bareboat.run"
# The networks of a container: loopback alone, and what the engine gives a container that is told nothing of networks.
NO_NETWORK, OUTSIDE = "none", "outside"
# By whether a run has one.
NETWORKS = {False: NO_NETWORK, True: OUTSIDE}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReport:
    """What a container showed until it ended."""

    # None when it was killed because its time was over, and when it was refused.
    exit_code: int | None
    # Everything that it wrote to its standard output, or the last part of very much.
    stdout: bytes
    # The same of its standard error.
    stderr: bytes
    # What the runtime said when it could not start the program at all; "" for a program that started.
    refused: str = ""
    # Whether the kernel killed something in it because its memory was full.
    out_of_memory: bool = False
    # Whether it was killed because it wrote more into the folder for a trace's logs than any trace has.
    flooded: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """One container to start and leave running."""

    # The name or id of its image.
    image: str
    # The arguments that follow the image's entrypoint; () for the image's own.
    command: tuple[str, ...] = ()
    # What is run in place of the image's entrypoint, such as an instrument that is mounted; () for the image's own.
    entrypoint: tuple[str, ...] = ()
    # What is added to the image's environment.
    environment: Mapping[str, str] = field(default_factory=dict)
    # Files and folders of this machine, each by the place in the container where it is to be seen.
    mounts: Mapping[str, Path] = field(default_factory=dict)
    # The one place among `mounts` that the container may write to; "" for none.
    writable: str = ""
    # Whether /tmp is a file system in memory that everybody may write to, and that counts as its memory.
    tmp: bool = False
    # Whether it may not write to the image's own root filesystem.
    read_only: bool = True
    # NO_NETWORK, OUTSIDE, or the id of a running container whose loopback is shared.
    network: str = NO_NETWORK
    # What it may take.
    limits: Limits = LIMITS


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A command that is run to its end in a container, as the image's root, for what it leaves in mounted folders."""

    # The name or id of its image.
    image: str
    # The program and its arguments; the image's entrypoint is left out.
    command: tuple[str, ...]
    # Files and folders of this machine, each by the place in the container where it is to be seen.
    mounts: Mapping[str, Path] = field(default_factory=dict)
    # Names of images, each by the place in the container where its root filesystem is to be seen.
    image_mounts: Mapping[str, str] = field(default_factory=dict)
    # The places among `mounts` that the command may write to.
    writable: frozenset[str] = frozenset()
    # The folder in the container in which the command runs.
    folder: str = "/"
    # Whether it has a network: what fetches crates needs one, everything else goes without.
    network: bool = False


class Containers(Protocol):
    """The containers of an engine; safe to use from many threads.

    What takes the id of a container raises BareboatError when there is none of that id, unless it says otherwise.
    """

    def run(
        self,
        image_id: str,
        arguments: tuple[str, ...],
        timeout_seconds: float,
        *,
        limits: Limits = LIMITS,
        writable: bool = False,
        network: str = NO_NETWORK,
    ) -> RunReport:
        """Run an image to its end, its root filesystem read-only unless `writable`; `network` is as `Start` has it.

        A program that the runtime refuses is a report too. Raises HostError where this machine gives no network.
        """

    def trace(self, start: Start, timeout_seconds: float, tracer: Tracer, logs: Path) -> RunReport:
        """Run a program of an image to its end as `run` does, under strace; its logs come to the folder `logs`.

        The command begins with the program.
        """

    def work(self, work: Work, log: Path) -> None:
        """Run a command to its end, its outputs written to `log` as they come.

        Raises EngineError with the log's last lines where its exit code is not 0.
        """

    def start(self, start: Start) -> str:
        """Start a container and return its id.

        Raises RefusedError where the runtime will not have it, HostError where this machine gives no network.
        """

    def process_of(self, container: str) -> int | None:
        """The number of a running container's first process on this machine; None when it has ended."""

    def signal(self, container: str, name: str) -> None:
        """Send a signal, such as SIGTERM, to a container's first process; nothing happens when it has ended."""

    def output_of(self, container: str) -> bytes:
        """What a container has written to its standard output so far."""

    def finish(self, container: str, timeout_seconds: float) -> RunReport:
        """Wait until a container ends by itself, or kill it when time is over; it stays until it is discarded."""

    def discard(self, container: str) -> None:
        """Remove a container, and kill it where it runs; nothing happens when there is none."""
