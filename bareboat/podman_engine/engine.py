"""The engine that is Podman.

`podman build` goes by argument vector, because podman-py's build drops options that it does not know and swallows the
log; so do compiles, whose output is to be seen as it comes. Everything else goes through the API (api.py) of a private
`podman system service` that lives as long as the run.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Self

from bareboat.engine.containers import NO_NETWORK, Start
from bareboat.errors import BareboatError, HostError
from bareboat.inputs.limits import LIMITS, Limits
from bareboat.podman_engine.builds import build_arguments, guarded, prepared
from bareboat.podman_engine.client import Client
from bareboat.podman_engine.facts import Facts, keep_facts, read_facts, recall_facts
from bareboat.podman_engine.names import container_name
from bareboat.podman_engine.store_list import StoreList, layer_bytes
from bareboat.system.files import replacing
from bareboat.system.logs import LogCopy

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path
    from types import TracebackType

    from bareboat.engine.containers import RunReport, Work
    from bareboat.engine.images import Build, StoredImage
    from bareboat.engine.tracer import Tracer
    from bareboat.podman_engine.api import Api
    from bareboat.podman_engine.client import Attached
    from bareboat.podman_engine.own_images import OwnImages
    from bareboat.result.values import Host
    from bareboat.system.folders import Folders
    from bareboat.system.process import Processes

SERVICE_START_SECONDS = 20.0
SERVICE_LOG = "service.log"
# A Unix socket's path has 108 bytes with its final NUL (unix(7)).
_SOCKET_PATH_BYTES = 107


class PodmanEngine:
    """Podman through a private service. Use as a context manager: the service ends with the block.

    `environment` is added to that of every Podman process. The folder `own` of the run's `folders` takes the socket and
    what Podman makes meanwhile. `remote` says that CONTAINER_HOST names the service, which then may be on another
    machine and see none of our files.
    """

    def __init__(self, processes: Processes, environment: Mapping[str, str], folders: Folders) -> None:
        self._processes = processes
        self._folders = folders
        service = os.environ.get("CONTAINER_HOST", "")
        self.remote = bool(service)
        self._client = Client(processes=processes, environment=environment, folders=folders, remote=self.remote)
        self._url = service or f"http+unix://{folders.own / 'sock'}"
        self._answers = self.remote  # whether the service is known to answer
        self._facts: Facts | None = None
        self._list: StoreList | None = None
        self._starting = threading.Lock()

    def __enter__(self) -> Self:
        """Start the service, unless CONTAINER_HOST names one; whatever asks it first waits until it answers."""
        self._facts = None if self.remote else recall_facts(self._folders.engine, os.environ)
        self._client = replace(self._client, run_root=self._facts.run_root if self._facts else "")
        if not self.remote:
            self._start_service()
        if self._facts is None:
            with self._api() as api:
                info = api.info()
            self._facts = read_facts(info) if self.remote else keep_facts(self._folders.engine, info, os.environ)
            self._client = replace(self._client, run_root=self._facts.run_root)
        self._list = None if self.remote else StoreList(self._facts.images_file)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """End the service."""
        if not self.remote:
            self._processes.end(self._service)

    def host(self) -> Host:
        """The machine, the engine's versions and modes, as the engine itself says them."""
        return self._known.host

    def find(self, reference: str) -> str | None:
        if self._list and (found := self._list.find(reference)):
            return found
        image = self.image(reference)
        return image.id if image else None

    def image(self, reference: str) -> StoredImage | None:
        with self._api() as api:
            return api.image(reference)

    def build(self, build: Build, log: Path) -> str:
        arguments = build_arguments(build)
        with prepared(build, self._folders.own, remote=self.remote) as context:
            guard = () if context.folder == build.context else guarded(context.folder)
            words = [*arguments, f"--ignorefile={context.ignored}", str(context.folder)]
            self._client.run(words, stdin=build.containerfile, log=log, before=guard)
        built = self.image(build.tag)
        if built is None:
            raise BareboatError(f"podman build said nothing, yet there is no image {build.tag}; see {log}")
        return built.id

    def load(self, archive: Path) -> None:
        with self._api() as api:
            api.load(archive)

    def pull(self, reference: str) -> StoredImage:
        with self._api() as api:
            return api.pull(reference)

    def save(self, image_id: str, to: Path) -> None:
        with replacing(to) as file, self._api() as api:
            for chunk in api.save(image_id):
                file.write(chunk)

    def export(self, name: str, to: Path) -> None:
        with replacing(to) as file, self._api() as api:
            for chunk in api.export(name):
                file.write(chunk)

    def copy_out(self, image_id: str, path: str) -> bytes:
        with self._api() as api:
            return api.copy_out(image_id, path)

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
        start = Start(image=image_id, command=arguments, limits=limits, network=network)
        with self._api() as api:
            return api.run(start, timeout_seconds, writable=writable)

    def work(self, work: Work, log: Path) -> None:
        self._client.work(work, log)

    def attach(self, attached: Attached) -> int:
        """Run a container that the user sits before, and remove it; returns its exit code, as a shell has it."""
        name = container_name(self._folders.run)
        try:
            return self._client.attach(attached, name, lambda number: self.signal(name, signal.Signals(number).name))
        finally:
            self.discard(name)

    def push(self, image_id: str, reference: str, log: Path) -> str:
        """As `Client.push` says."""
        return self._client.push(image_id, reference, log)

    def start(self, start: Start) -> str:
        with self._api() as api:
            return api.start(start)

    def process_of(self, container: str) -> int | None:
        with self._api() as api:
            return api.process_of(container)

    def signal(self, container: str, name: str) -> None:
        with self._api() as api:
            api.signal(container, name)

    def output_of(self, container: str) -> bytes:
        with self._api() as api:
            return api.output_of(container)

    def finish(self, container: str, timeout_seconds: float) -> RunReport:
        with self._api() as api:
            return api.finish(container, timeout_seconds)

    def discard(self, container: str) -> None:
        with self._api() as api:
            api.discard(container)

    def trace(self, start: Start, timeout_seconds: float, tracer: Tracer, logs: Path) -> RunReport:
        with self._api() as api:
            return api.trace(start, timeout_seconds, tracer, logs)

    def tag(self, image_id: str, name: str) -> None:
        with self._api() as api:
            api.tag(image_id, name)

    def remove_nameless(self, ids: Collection[str]) -> None:
        # Podman's own listing looks at every image for each: seconds, where there are hundreds.
        listed = self._list.nameless(ids) if self._list else None
        if ids if listed is None else listed:
            with self._api() as api:
                api.remove_images(api.nameless(ids) if listed is None else listed)

    def remove(self, reference: str) -> None:
        with self._api() as api:
            api.remove(reference)

    def own_images(self) -> OwnImages:
        """What of the store is Bareboat's."""
        with self._api() as api:
            return api.own_images()

    def remove_own(self, own: OwnImages) -> None:
        """Remove what is Bareboat's alone, and Bareboat's names of what is the user's too."""
        with self._api() as api:
            for name in own.names:
                api.untag(name)
            for image_id in own.ids:
                api.remove_unused(image_id)

    def bytes_of(self, ids: Collection[str]) -> int | None:
        """What the disk has for these images alone, in bytes; None where the store cannot be looked into."""
        return None if self.remote else layer_bytes(self._known.images_file, ids)

    @property
    def _known(self) -> Facts:
        if self._facts is None:
            raise BareboatError("the engine is used before its block has begun")
        return self._facts

    @contextlib.contextmanager
    def _api(self) -> Iterator[Api]:
        from bareboat.podman_engine.api import connect

        self._wait_for_service()
        with connect(self._url, self._folders.run, lambda: self._processes.stopped) as api:
            yield api

    def _start_service(self) -> None:
        socket = self._folders.own / "sock"
        if len(os.fsencode(socket)) > _SOCKET_PATH_BYTES:
            raise HostError(f"{socket} is too long a path for a socket; set XDG_CACHE_HOME to a shorter one")
        log = LogCopy(self._folders.own / SERVICE_LOG, self._processes.clean)
        with log.stream as stream:
            self._service = self._processes.start(
                self._client.command(["system", "service", "--time=0", f"unix://{socket}"]),
                env=self._client.own_environment,
                # Where a container's memory was full, conmon 2.1.6 leaves a file `oom`.
                cwd=self._folders.own,
                stderr=stream,
            )

    def _wait_for_service(self) -> None:
        if self._answers:
            return
        from bareboat.podman_engine.api import answers

        with self._starting:
            deadline = time.monotonic() + SERVICE_START_SECONDS
            while not self._answers and time.monotonic() < deadline and self._service.poll() is None:
                self._answers = answers(self._url)
                if not self._answers:
                    time.sleep(0.005)
        if not self._answers:
            said = (self._folders.own / SERVICE_LOG).read_text(errors="replace").strip()
            raise HostError(f"`podman system service` does not answer: {said}\n  `invoke doctor` finds out why")
