"""The engine that is Podman.

`podman build` goes by argument vector, because podman-py's build drops options that it does not know and swallows the
log; everything else goes through the API of a private `podman system service` that lives as long as the run.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from typing import TYPE_CHECKING, Self

import requests
from podman import PodmanClient
from podman.errors import APIError, ImageNotFound, NotFound, PodmanError

from bareboat.engine.containers import RUN_LABEL
from bareboat.engine.images import KIND_LABEL, OWN_NAMES, StoredImage
from bareboat.errors import BareboatError, EngineError, HostError, StoppedError
from bareboat.inputs.sample import NOT_SOURCE
from bareboat.podman_engine import containers
from bareboat.podman_engine.facts import Facts, keep_facts, read_facts, recall_facts
from bareboat.podman_engine.monitors import monitor_file
from bareboat.podman_engine.store_list import StoreList
from bareboat.system.files import replacing, write_whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    from bareboat.engine.containers import RunReport, Start, Work
    from bareboat.engine.images import Build
    from bareboat.engine.tracer import Tracer
    from bareboat.result.values import Host
    from bareboat.system.process import Processes

SERVICE_START_SECONDS = 20.0
SERVICE_LOG = "service.log"
# A Unix socket's path has 108 bytes with its final NUL (unix(7)).
_SOCKET_PATH_BYTES = 107


class PodmanEngine:
    """Podman through a private service. Use as a context manager: the service ends with the block.

    `environment` is added to that of every Podman process; `folder` takes temporaries, cache mounts and the socket.
    `remote` says that CONTAINER_HOST names the service, which then may be on another machine and see none of our files.
    """

    def __init__(self, processes: Processes, environment: Mapping[str, str], folder: Path) -> None:
        self._processes = processes
        self._environment = dict(environment)
        self._folder = folder
        service = os.environ.get("CONTAINER_HOST", "")
        self.remote = bool(service)
        self._url = service or f"http+unix://{folder / 'podman.sock'}"
        self._answers = self.remote  # whether the service is known to answer
        self._facts: Facts | None = None
        self._list: StoreList | None = None
        self._starting = threading.Lock()

    def __enter__(self) -> Self:
        """Start the service, unless CONTAINER_HOST names one; whatever asks it first waits until it answers."""
        if not self.remote:
            self._start_service()
        self._facts = None if self.remote else recall_facts(self._folder, os.environ)
        if self._facts is None:
            with self._client() as client:
                info = client.info()  # type: ignore[no-untyped-call]
            self._facts = read_facts(info) if self.remote else keep_facts(self._folder, info, os.environ)
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
        with self._client() as client:
            try:
                attributes = client.images.get(reference).attrs
            except (NotFound, ImageNotFound):
                return None
            except APIError:
                # Of an image that was written half Podman 5 says what is missing and Podman 4 that it crashed; both
                # say that it does not exist, and both can remove it.
                if client.images.exists(reference):
                    raise
                client.images.remove(reference, force=True)
                return None
        return StoredImage(
            id=f"sha256:{_bare(attributes['Id'])}",
            # A pulled image is known by the digest that its registry gave it, not by that of our copy's manifest.
            digest=next((name.partition("@")[2] for name in attributes.get("RepoDigests") or ()), ""),
            names=tuple(attributes.get("RepoTags") or ()),
            labels=attributes.get("Labels") or {},
        )

    def build(self, build: Build, log: Path) -> str:
        options = ["--timestamp=0", "--pull=never", "--file=-", f"--tag={build.tag}"]
        options += [f"--label={name}={value}" for name, value in sorted(build.labels.items())]
        options += [f"--target={build.target}"] if build.target else []
        options += [] if build.network else ["--network=none"]
        options += [f"--secret=id={name},src={path}" for name, path in sorted(build.secrets.items())]
        ignore = self._folder / f"ignore-{threading.get_ident()}"
        write_whole(ignore, "".join(f"{name}\n" for name in sorted(NOT_SOURCE)).encode())
        self._podman(
            ["build", *options, f"--ignorefile={ignore}", str(build.context)], stdin=build.containerfile, log=log
        )
        built = self.image(build.tag)
        if built is None:
            raise BareboatError(f"podman build said nothing, yet there is no image {build.tag}; see {log}")
        return built.id

    def load(self, archive: Path) -> None:
        with self._client() as client, archive.open("rb") as file:
            # images.load would read the whole file into memory; a toolchain has a gigabyte.
            answer = client.api.post("/images/load", data=file, headers={"Content-type": "application/x-tar"})
            answer.raise_for_status()

    def pull(self, reference: str) -> StoredImage:
        with self._client() as client:
            answer = client.api.post("/images/pull", params={"reference": reference})
        # Podman 4.3 answers 200 and tells of the failure in the body; Podman 5 answers with an error status.
        words = [json.loads(line) for line in answer.text.splitlines() if line.startswith("{")]
        faults = [str(word.get("error") or word.get("message") or "") for word in words]
        fault = next((fault for fault in faults if fault), "" if answer.ok else answer.text)
        pulled = None if fault else self.image(reference)
        if pulled is None:
            raise EngineError(f"podman pull {reference}", 125, [fault or "no error was said, and no image came"])
        return pulled

    def save(self, image_id: str, to: Path) -> None:
        with replacing(to) as file, self._client() as client:
            for chunk in client.images.get(image_id).save():
                file.write(chunk)

    def copy_out(self, image_id: str, path: str) -> bytes:
        with self._client() as client:
            return containers.copy_out(client, image_id, path)

    def run(
        self, image_id: str, arguments: tuple[str, ...], timeout_seconds: float, *, writable: bool = False
    ) -> RunReport:
        with self._client() as client:
            return containers.run(client, image_id, arguments, timeout_seconds, writable=writable)

    def work(self, work: Work, log: Path) -> None:
        mounts = [
            f"--volume={source}:{place}{'' if place in work.writable else ':ro'}"
            for place, source in sorted(work.mounts.items())
        ]
        program, *arguments = work.command
        options = ["--rm", "--pull=never", f"--label={RUN_LABEL}={os.getpid()}", f"--workdir={work.folder}", *mounts]
        options += [] if work.network else ["--network=none"]
        # Labels of SELinux would be changed on folders that are not Podman's. The root of a container that is told to
        # end heeds no signal, so that whoever removes it need not wait.
        options += ["--cap-drop=all", "--security-opt=no-new-privileges", "--security-opt=label=disable"]
        options += ["--user=0:0", "--stop-timeout=0", "--log-driver=none", f"--entrypoint={program}"]
        options.append(f"--conmon-pidfile={monitor_file(self._folder)}")
        self._podman(["run", *options, work.image, *arguments], log=log)

    def start(self, start: Start) -> str:
        with self._client() as client:
            return containers.start(client, start)

    def process_of(self, container: str) -> int | None:
        with self._client() as client:
            state = client.containers.get(container).attrs["State"]
        return int(state["Pid"]) if state["Running"] else None

    def signal(self, container: str, name: str) -> None:
        with self._client() as client, contextlib.suppress(APIError):
            client.containers.get(container).kill(name)

    def output_of(self, container: str) -> bytes:
        with self._client() as client:
            return containers.output(client.containers.get(container))

    def finish(self, container: str, timeout_seconds: float) -> RunReport:
        with self._client() as client:
            return containers.watch(client.containers.get(container), timeout_seconds)

    def discard(self, container: str) -> None:
        with self._client() as client, contextlib.suppress(NotFound):
            containers.discard(client.containers.get(container))

    def trace(
        self, image_id: str, command: tuple[str, ...], timeout_seconds: float, tracer: Tracer, logs: Path
    ) -> RunReport:
        with self._client() as client:
            return containers.trace(client, image_id, command, timeout_seconds, tracer=tracer, logs=logs)

    def tag(self, image_id: str, name: str) -> None:
        repository, _, tag = name.rpartition(":")
        with self._client() as client:
            client.images.get(image_id).tag(repository, tag)

    def remove_nameless(self, image_ids: Sequence[str]) -> None:
        images = [self.image(image_id) for image_id in image_ids]
        # An id that has one name would go with it, and that name may be the user's.
        nameless = [_bare(image.id) for image in images if image and not image.names]
        if nameless:
            with self._client() as client:
                # Without force what a container uses stays; the answer names it, and nothing is amiss.
                client.api.delete("/images/remove", params={"images": nameless})

    def remove(self, reference: str) -> None:
        with self._client() as client, contextlib.suppress(NotFound, ImageNotFound):
            client.images.remove(reference, force=True)

    def clean(self) -> tuple[str, ...]:
        """Remove every image of Bareboat's; returns what was removed."""
        removed: list[str] = []
        with self._client() as client:
            for image in client.images.list(all=True, filters={"label": KIND_LABEL}):
                names = image.attrs.get("RepoTags") or []
                # An image that somebody built upon one of ours inherits its labels, and is theirs.
                if all(name.startswith(OWN_NAMES) for name in names):
                    with contextlib.suppress(NotFound, ImageNotFound):
                        client.images.remove(image.id, force=True)
                        removed += names or [image.id]
        return tuple(removed)

    def _podman(self, arguments: list[str], *, stdin: str = "", log: Path | None = None) -> str:
        # The run root is said, because TMPDIR would move it where XDG_RUNTIME_DIR is not set; TMPDIR is set, because
        # old Buildah keeps cache mounts there under a name that all users of the machine share.
        place = ["--remote"] if self.remote else ["--runroot", self._known.run_root]
        environment = {**self._environment, **({} if self.remote else {"TMPDIR": str(self._folder)})}
        return self._processes.run(["podman", *place, *arguments], env=environment, stdin=stdin.encode(), log=log)

    @property
    def _known(self) -> Facts:
        if self._facts is None:
            raise BareboatError("the engine is used before its block has begun")
        return self._facts

    @contextlib.contextmanager
    def _client(self) -> Iterator[PodmanClient]:
        self._wait_for_service()
        try:
            with PodmanClient(base_url=self._url, timeout=None) as client:
                yield client
        except (PodmanError, APIError, requests.RequestException) as error:
            if self._processes.stopped:
                raise StoppedError("stopped") from error
            raise BareboatError(f"Podman: {error}") from error

    def _start_service(self) -> None:
        socket = self._folder / "podman.sock"
        if len(os.fsencode(socket)) > _SOCKET_PATH_BYTES:
            raise HostError(f"{socket} is too long a path for a socket; set XDG_CACHE_HOME to a shorter one")
        socket.unlink(missing_ok=True)
        with (self._folder / SERVICE_LOG).open("wb") as file:
            self._service = self._processes.start(
                ["podman", "system", "service", "--time=0", f"unix://{socket}"], env=self._environment, stderr=file
            )

    def _wait_for_service(self) -> None:
        if self._answers:
            return
        with self._starting:
            deadline = time.monotonic() + SERVICE_START_SECONDS
            while not self._answers and time.monotonic() < deadline and self._service.poll() is None:
                with (
                    contextlib.suppress(PodmanError, requests.RequestException),
                    PodmanClient(base_url=self._url, timeout=None) as client,
                ):
                    self._answers = client.ping()
                if not self._answers:
                    time.sleep(0.005)
        if not self._answers:
            said = (self._folder / SERVICE_LOG).read_text(errors="replace").strip()
            raise HostError(f"`podman system service` does not answer: {said}\n  `invoke doctor` finds out why")


def _bare(digest: str) -> str:
    return digest.removeprefix("sha256:")
