"""Containers through podman-py: confined runs, and files copied out of images; `owner` is the digits of their run."""

from __future__ import annotations

import contextlib
import re
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import requests
from podman.errors import APIError, NotFound

from bareboat.engine.containers import NO_NETWORK, OUTSIDE, RUN_LABEL, RunReport
from bareboat.engine.tracer import LOGS_TARGET
from bareboat.errors import AbsentError, HostError, RefusedError
from bareboat.podman_engine.names import container_name
from bareboat.system.files import bytes_below

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from podman import PodmanClient

    from bareboat.engine.containers import Start
    from bareboat.engine.tracer import Tracer

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
# What sets a network up, as Podman names it where that fails.
_NETWORK_FAULT = re.compile(r"netavark|slirp4netns|pasta|aardvark|/dev/net/tun|\bCNI\b|ip_unprivileged_port_start")
_NOT_ASKED = {"Test": ["NONE"]}
# How long Podman may take to say with which exit code a container has ended.
_ENDED_SECONDS = 20.0


def run(client: PodmanClient, owner: str, wanted: Start, timeout_seconds: float, *, writable: bool) -> RunReport:
    """Run an image confined; when the runtime refuses to start it, the report has its words and no exit code."""
    with _created(client, owner, wanted, read_only=not writable) as container:
        return _watch(container, wanted, timeout_seconds)


def trace(
    client: PodmanClient, owner: str, wanted: Start, timeout_seconds: float, *, tracer: Tracer, logs: Path
) -> RunReport:
    """Run an image's program under strace; strace and the folder for its logs are mounted into the container."""
    # The container's user writes the logs and we have to read them, whatever umask the container would have.
    mounts = _mounts(tracer.mounts(logs), writable=LOGS_TARGET)
    traced = {"entrypoint": list(tracer.entrypoint()), "mounts": mounts, "umask": "0022"}
    with (
        _created(client, owner, wanted, read_only=True, **traced) as container,
        _bounded(container, logs) as flooded,
    ):
        return replace(_watch(container, wanted, timeout_seconds), flooded=flooded.is_set())


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
    # Nobody else is in a network of its own, so the program needs no capability to listen on any port.
    own = wanted.network in {NO_NETWORK, OUTSIDE}
    container = _create(
        client,
        owner,
        wanted,
        mounts=[*_mounts(wanted.mounts, writable=wanted.writable), *([_TMP] if wanted.tmp else [])],
        sysctls={"net.ipv4.ip_unprivileged_port_start": "0"} if own else {},
        read_only=wanted.read_only,
        umask="0022",
        **({"entrypoint": list(wanted.entrypoint)} if wanted.entrypoint else {}),
    )
    try:
        container.start()
    except APIError as error:
        container.remove(force=True)
        _check_network(wanted, error)
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


def _watch(container: Any, wanted: Start, timeout_seconds: float) -> RunReport:
    try:
        container.start()
    except APIError as error:
        _check_network(wanted, error)
        return RunReport(exit_code=None, stdout=b"", stderr=b"", refused=_words(error))
    return watch(container, timeout_seconds)


@contextlib.contextmanager
def _created(client: PodmanClient, owner: str, wanted: Start, **more: Any) -> Iterator[Any]:
    container = _create(client, owner, wanted, **more)
    try:
        yield container
    finally:
        container.remove(force=True)


def _create(client: PodmanClient, owner: str, wanted: Start, **more: Any) -> Any:
    return client.containers.create(
        wanted.image,
        list(wanted.command) or None,
        cap_drop=["all"],
        no_new_privileges=True,
        pids_limit=wanted.limits.processes,
        mem_limit=wanted.limits.memory_bytes,
        # With swap: told nothing, runtimes let a container swap as much as it wants to.
        memswap_limit=wanted.limits.memory_bytes,
        environment=dict(wanted.environment),
        # Nobody else is to ask what is measured.
        healthcheck=_NOT_ASKED,
        log_config={"Type": "json-file", "Config": {"size": _LOG_BYTES}},
        **_network(client, wanted.network),
        **_marks(owner),
        **more,
    )


def _network(client: PodmanClient, wanted: str) -> dict[str, object]:
    """A container's network, as podman-py takes it."""
    if wanted == NO_NETWORK:
        return {"network_mode": "none"}
    if wanted == OUTSIDE:
        # As `podman run` has it: what Podman gives by default, and the host's proxies.
        return {"network_mode": "default", "use_config_proxy": True}
    # podman-py passes `container:ID` on as a mode that Podman does not know; the path to the namespace goes through.
    shared = client.containers.get(wanted).attrs["State"]["Pid"]
    return {"network_mode": f"ns:/proc/{shared}/ns/net"}


def _check_network(wanted: Start, error: APIError) -> None:
    """Raise HostError where a container did not start for the network that it was to have: no program is guilty."""
    words = _words(error)
    if wanted.network == OUTSIDE and _NETWORK_FAULT.search(words):
        fault = "this machine gives a container no network; `invoke doctor` finds out why"
        raise HostError(f"{fault}\n  Podman: {words}") from error


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
