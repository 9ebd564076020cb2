"""The engine that is Podman.

`podman build` goes by argument vector, because podman-py's build drops options that it does not know and swallows the
log; so do compiles, whose output is to be seen as it comes. Everything else goes through the API (api.py) of a private
`podman system service` that lives as long as the run.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import threading
import time
from typing import TYPE_CHECKING, Self

from bareboat.engine.containers import RUN_LABEL
from bareboat.errors import BareboatError, HostError
from bareboat.inputs.sample import NOT_SOURCE
from bareboat.podman_engine.facts import Facts, keep_facts, read_facts, recall_facts
from bareboat.podman_engine.monitors import monitor_file
from bareboat.podman_engine.store_list import StoreList
from bareboat.system.files import replacing, write_whole
from bareboat.system.logs import LogCopy

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    from bareboat.engine.containers import RunReport, Start, Work
    from bareboat.engine.images import Build, StoredImage
    from bareboat.engine.tracer import Tracer
    from bareboat.podman_engine.api import Api
    from bareboat.result.values import Host
    from bareboat.system.process import Processes

SERVICE_START_SECONDS = 20.0
SERVICE_LOG = "service.log"
# Podman hands the host's proxy variables on, and with them a password, to what has no network and may keep it.
OFFLINE = ["--network=none", "--http-proxy=false"]
# A Unix socket's path has 108 bytes with its final NUL (unix(7)).
_SOCKET_PATH_BYTES = 107


# Bareboat may be killed outright: the kernel interrupts this shell then, which ends the client and removes the folder.
_GUARD = """exec 3<&0
trap 'kill "$client" 2>/dev/null' INT TERM
folder=$1; shift
"$@" <&3 3<&- & client=$!
wait "$client"; code=$?
wait "$client" 2>/dev/null
rm -rf -- "$folder"
exit "$code"
"""


def guarded(folder: Path) -> tuple[str, ...]:
    """The words that, put before a command, remove a folder when the command has ended or Bareboat has."""
    return "/bin/sh", "-c", _GUARD, "sh", str(folder)


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
            with self._api() as api:
                info = api.info()
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
        with self._api() as api:
            return api.image(reference)

    def build(self, build: Build, log: Path) -> str:
        options = ["--timestamp=0", "--pull=never", "--file=-", f"--tag={build.tag}"]
        options += [f"--label={name}={value}" for name, value in sorted(build.labels.items())]
        options += [f"--target={build.target}"] if build.target else []
        options += [] if build.network else OFFLINE
        options += [f"--secret=id={name},src={path}" for name, path in sorted(build.secrets.items())]
        ignore = self._folder / f"ignore-{threading.get_ident()}"
        write_whole(ignore, "".join(f"{name}\n" for name in sorted(NOT_SOURCE)).encode())
        with self._context(build) as context:
            arguments = ["build", *options, f"--ignorefile={ignore}", str(context)]
            guard = guarded(context) if context != build.context else ()
            self._podman(arguments, stdin=build.containerfile, log=log, before=guard)
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

    def copy_out(self, image_id: str, path: str) -> bytes:
        with self._api() as api:
            return api.copy_out(image_id, path)

    def run(
        self, image_id: str, arguments: tuple[str, ...], timeout_seconds: float, *, writable: bool = False
    ) -> RunReport:
        with self._api() as api:
            return api.run(image_id, arguments, timeout_seconds, writable=writable)

    def work(self, work: Work, log: Path) -> None:
        mounts = [
            f"--volume={source}:{place}{'' if place in work.writable else ':ro'}"
            for place, source in sorted(work.mounts.items())
        ]
        program, *arguments = work.command
        options = ["--rm", "--pull=never", f"--label={RUN_LABEL}={os.getpid()}", f"--workdir={work.folder}", *mounts]
        options += [] if work.network else OFFLINE
        # Labels of SELinux would be changed on folders that are not Podman's. The root of a container that is told to
        # end heeds no signal, so that whoever removes it need not wait.
        options += ["--cap-drop=all", "--security-opt=no-new-privileges", "--security-opt=label=disable"]
        options += ["--user=0:0", "--stop-timeout=0", "--log-driver=none", f"--entrypoint={program}"]
        options.append(f"--conmon-pidfile={monitor_file(self._folder)}")
        self._podman(["run", *options, work.image, *arguments], log=log)

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

    def trace(
        self, image_id: str, command: tuple[str, ...], timeout_seconds: float, tracer: Tracer, logs: Path
    ) -> RunReport:
        with self._api() as api:
            return api.trace(image_id, command, timeout_seconds, tracer, logs)

    def tag(self, image_id: str, name: str) -> None:
        with self._api() as api:
            api.tag(image_id, name)

    def remove_nameless(self, image_id: str) -> None:
        with self._api() as api:
            api.remove_nameless(image_id)

    def remove(self, reference: str) -> None:
        with self._api() as api:
            api.remove(reference)

    def clean(self) -> tuple[str, ...]:
        """Remove every image of Bareboat's; returns what was removed."""
        with self._api() as api:
            return api.clean()

    @contextlib.contextmanager
    def _context(self, build: Build) -> Iterator[Path]:
        """The build's context; a copy of it where Podman would put the secrets beside the user's own files.

        A remote client sends secrets along with the context, by way of files in it that it leaves when it is killed:
        https://github.com/containers/podman/issues/29687.
        """
        if not (self.remote and build.secrets):
            yield build.context
            return
        copy = self._folder / f"context-{secrets.token_hex(8)}"
        copy.mkdir(mode=0o700)
        try:
            omitted = shutil.ignore_patterns(*NOT_SOURCE)
            top = str(build.context)
            shutil.copytree(
                build.context,
                copy,
                symlinks=True,
                dirs_exist_ok=True,
                ignore=lambda folder, names: omitted(folder, names) if folder == top else set(),
            )
            yield copy
        finally:
            shutil.rmtree(copy, ignore_errors=True)

    def _podman(
        self, arguments: list[str], *, stdin: str = "", log: Path | None = None, before: Sequence[str] = ()
    ) -> str:
        # The run root is said, because TMPDIR would move it where XDG_RUNTIME_DIR is not set; TMPDIR is set, because
        # old Buildah keeps cache mounts there under a name that all users of the machine share.
        place = ["--remote"] if self.remote else [f"--runroot={self._known.run_root}"]
        environment = {**self._environment, **({} if self.remote else {"TMPDIR": str(self._folder)})}
        command = [*before, "podman", *place, *arguments]
        return self._processes.run(command, env=environment, stdin=stdin.encode(), log=log)

    @property
    def _known(self) -> Facts:
        if self._facts is None:
            raise BareboatError("the engine is used before its block has begun")
        return self._facts

    @contextlib.contextmanager
    def _api(self) -> Iterator[Api]:
        from bareboat.podman_engine.api import connect

        self._wait_for_service()
        with connect(self._url, lambda: self._processes.stopped) as api:
            yield api

    def _start_service(self) -> None:
        socket = self._folder / "podman.sock"
        if len(os.fsencode(socket)) > _SOCKET_PATH_BYTES:
            raise HostError(f"{socket} is too long a path for a socket; set XDG_CACHE_HOME to a shorter one")
        socket.unlink(missing_ok=True)
        log = LogCopy(self._folder / SERVICE_LOG, self._processes.clean)
        with log.stream as stream:
            self._service = self._processes.start(
                ["podman", "system", "service", "--time=0", f"unix://{socket}"], env=self._environment, stderr=stream
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
            said = (self._folder / SERVICE_LOG).read_text(errors="replace").strip()
            raise HostError(f"`podman system service` does not answer: {said}\n  `invoke doctor` finds out why")
