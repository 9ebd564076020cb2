"""Containers through podman-py: confined runs, and files copied out of images; `owner` is the digits of their run."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import requests
from podman.errors import APIError, NotFound

from bareboat.engine.containers import RUN_LABEL, RunReport
from bareboat.engine.tracer import LOGS_TARGET
from bareboat.errors import AbsentError, RefusedError
from bareboat.podman_engine.names import container_name
from bareboat.system.files import bytes_below

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from podman import PodmanClient

    from bareboat.engine.containers import Start
    from bareboat.engine.tracer import Tracer
    from bareboat.inputs.limits import Limits

# A program that writes without end must not fill the disk, so only the last part of its output is kept.
_LOG_BYTES = 16 * 2**20
# The program can write to the folder of its trace's logs; a trace of a thousand processes has a few megabytes.
_TRACE_BYTES = 64 * 2**20
_LOOKED_SECONDS = 0.05
# How often Podman looks whether a container has ended; 4.3 takes 250 ms unless told otherwise. Each look takes the lock
# of its database, for which the process that notes the end waits in steps of 50 ms: more looks come later to it.
_INTERVAL = "50ms"
# Podman gives a tmpfs the mode 1777 by itself, and takes it for a folder unless its source is called so.
_TMP = {"type": "tmpfs", "source": "tmpfs", "target": "/tmp"}  # noqa: S108 (a place in a container)
# How long Podman may take to say with which exit code a container has ended.
_ENDED_SECONDS = 20.0


def run(
    client: PodmanClient,
    owner: str,
    image_id: str,
    arguments: tuple[str, ...],
    timeout_seconds: float,
    *,
    limits: Limits,
    writable: bool,
) -> RunReport:
    """Run an image confined; when the runtime refuses to start it, the report has its words and no exit code."""
    with _created(client, owner, image_id, arguments, limits, read_only=not writable) as container:
        return _watch(container, timeout_seconds)


def trace(
    client: PodmanClient,
    owner: str,
    image_id: str,
    command: tuple[str, ...],
    timeout_seconds: float,
    *,
    tracer: Tracer,
    logs: Path,
    limits: Limits,
) -> RunReport:
    """Run an image's program under strace; strace and the folder for its logs are mounted into the container."""
    # The container's user writes the logs and we have to read them, whatever umask the container would have.
    mounts = _mounts(tracer.mounts(logs), writable=LOGS_TARGET)
    traced = {"entrypoint": list(tracer.entrypoint()), "mounts": mounts, "umask": "0022"}
    with (
        _created(client, owner, image_id, command, limits, read_only=True, **traced) as container,
        _bounded(container, logs) as flooded,
    ):
        return replace(_watch(container, timeout_seconds), flooded=flooded.is_set())


@contextlib.contextmanager
def _bounded(container: Any, folder: Path) -> Iterator[threading.Event]:
    """Kill a container that fills a folder of this machine; the event tells that it did."""
    flooded, ended = threading.Event(), threading.Event()

    def look() -> None:
        while not ended.wait(_LOOKED_SECONDS):
            if bytes_below(folder) > _TRACE_BYTES:
                flooded.set()
                with contextlib.suppress(APIError):  # it has ended by itself
                    container.kill()
                return

    looking = threading.Thread(target=look, daemon=True)
    looking.start()
    try:
        yield flooded
    finally:
        ended.set()
        looking.join()


def copy_out(client: PodmanClient, owner: str, image_id: str, path: str) -> bytes:
    """One file or folder of an image as a tar, links to it followed; raises AbsentError where it is not there."""
    container = client.containers.create(image_id, ["none"], **_marks(owner))
    try:
        chunks, _ = container.get_archive(path)
        return b"".join(chunks)
    except NotFound as error:
        # Of a container that somebody has removed meanwhile Podman says 404, too, and that is no answer.
        if not client.containers.exists(str(container.id)):
            raise
        raise AbsentError(f"there is no {path} in {image_id}") from error
    finally:
        with contextlib.suppress(NotFound):
            container.remove(force=True)


def start(client: PodmanClient, owner: str, wanted: Start) -> str:
    """Start a container that is left running; one that the runtime refuses is removed."""
    # podman-py passes `container:ID` on as a mode that Podman does not know; the path to the namespace goes through.
    shared = "" if wanted.network == "none" else client.containers.get(wanted.network).attrs["State"]["Pid"]
    network = f"ns:/proc/{shared}/ns/net" if shared else "none"
    # Nobody else is in a network of its own, so the program needs no capability to listen on any port.
    sysctl = {"net.ipv4.ip_unprivileged_port_start": "0"} if network == "none" else {}
    container = _create(
        client,
        owner,
        wanted.image,
        wanted.command,
        wanted.limits,
        environment=dict(wanted.environment),
        mounts=[*_mounts(wanted.mounts, writable=wanted.writable), *([_TMP] if wanted.tmp else [])],
        network_mode=network,
        sysctls=sysctl,
        read_only=True,
        umask="0022",
    )
    try:
        container.start()
    except APIError as error:
        container.remove(force=True)
        raise RefusedError(wanted.image, _words(error)) from error
    return str(container.id)


def discard(container: Any) -> None:
    """Remove a container; one that runs is killed first, for Podman would give it ten seconds to heed SIGTERM."""
    with contextlib.suppress(APIError):  # it has ended already
        container.kill()
    container.remove(force=True)


def watch(container: Any, timeout_seconds: float) -> RunReport:
    """Wait for a started container's end."""
    exit_code = _wait(container, timeout_seconds)
    errors = _bytes(container.logs(stdout=False, stderr=True))
    killed = exit_code not in {0, None} and _is_out_of_memory(container)
    return RunReport(exit_code=exit_code, stdout=output(container), stderr=errors, out_of_memory=killed)


def output(container: Any) -> bytes:
    """What a container has written to its standard output so far."""
    return _bytes(container.logs(stdout=True, stderr=False))


def _is_out_of_memory(container: Any) -> bool:
    container.reload()
    return bool(container.attrs["State"]["OOMKilled"])


def _watch(container: Any, timeout_seconds: float) -> RunReport:
    try:
        container.start()
    except APIError as error:
        return RunReport(exit_code=None, stdout=b"", stderr=b"", refused=_words(error))
    return watch(container, timeout_seconds)


@contextlib.contextmanager
def _created(
    client: PodmanClient, owner: str, image_id: str, arguments: tuple[str, ...], limits: Limits, **more: Any
) -> Iterator[Any]:
    container = _create(client, owner, image_id, arguments, limits, network_mode="none", **more)
    try:
        yield container
    finally:
        container.remove(force=True)


def _create(
    client: PodmanClient, owner: str, image_id: str, arguments: tuple[str, ...], limits: Limits, **more: Any
) -> Any:
    return client.containers.create(
        image_id,
        list(arguments) or None,
        cap_drop=["all"],
        no_new_privileges=True,
        pids_limit=limits.processes,
        mem_limit=limits.memory_bytes,
        log_config={"Type": "json-file", "Config": {"size": _LOG_BYTES}},
        **_marks(owner),
        **more,
    )


def _marks(owner: str) -> dict[str, object]:
    """What tells whose a container is."""
    return {"name": container_name(owner), "labels": {RUN_LABEL: owner}}


def _mounts(mounts: Mapping[str, Path], *, writable: str) -> list[dict[str, object]]:
    """Places in a container and what of this machine is there, as podman-py takes them."""
    return [
        {"type": "bind", "source": str(source), "target": place, "read_only": place != writable}
        for place, source in sorted(mounts.items())
    ]


def _wait(container: Any, timeout_seconds: float) -> int | None:
    try:
        return int(container.wait(interval=_INTERVAL, timeout=timeout_seconds))
    except APIError as error:
        # podman-py wraps what requests raised, a time-out like everything else.
        if not isinstance(error.__cause__, requests.Timeout):
            raise
        return _kill(container)


def _kill(container: Any) -> int | None:
    """End a container whose time is over; the exit code of one that ended by itself in the meantime."""
    try:
        container.kill()
    except APIError:
        container.reload()
        if container.attrs["State"]["Running"]:
            raise
        # What has ended cannot be killed, and has an exit code: the wait is over at once.
        return int(container.wait(interval=_INTERVAL, timeout=_ENDED_SECONDS))
    return None


def _words(error: APIError) -> str:
    return " ".join(str(error.explanation or error).split())


def _bytes(chunks: bytes | Iterator[bytes]) -> bytes:
    return chunks if isinstance(chunks, bytes) else b"".join(chunks)
