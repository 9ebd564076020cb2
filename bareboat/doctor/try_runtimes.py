"""Starts real containers to find out which OCI runtimes work here, and whether Podman's default network does.

Their image has one program of 132 to 136 bytes, made here, that ends with exit code 0.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import platform
import shutil
import struct
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bareboat.doctor.ask import ask, reason
from bareboat.errors import EngineError
from bareboat.podman_engine.containersconf import read_settings
from bareboat.podman_engine.settings import HELPERS, RUNTIMES_FILE, cgroups, search_path, write_if_changed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bareboat.system.process import Processes

LABEL = "io.bareboat.doctor"
KNOWN_RUNTIMES = ("crun", "runc", "youki")
# The ELF number of the machine, and machine code that makes the system call exit(0).
_PROGRAMS = {
    "x86_64": (62, bytes.fromhex("31ff b83c000000 0f05")),
    "aarch64": (183, bytes.fromhex("000080d2 a80b80d2 010000d4")),
}
_LOAD_ADDRESS = 0x400000
_ELF_HEADER_BYTES = 64
_PROGRAM_HEADER_BYTES = 56


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimesTried:
    """Which runtimes started a container."""

    # The names of those that did.
    starting: tuple[str, ...] = ()
    # For those that did not, why, by name.
    refused: Mapping[str, str]
    # Why no container started on the default network, "" if one did.
    network: str = ""
    # Why nothing could be tried, "" if it could.
    fault: str = ""


def exit_program(machine: str) -> bytes | None:
    """A static ELF program that ends with exit code 0; None for a machine other than x86_64 and aarch64 (arm64)."""
    found = _PROGRAMS.get({"arm64": "aarch64", "amd64": "x86_64"}.get(machine, machine))
    if found is None:
        return None
    number, code = found
    start = _ELF_HEADER_BYTES + _PROGRAM_HEADER_BYTES
    size = start + len(code)
    identity = b"\x7fELF" + bytes((2, 1, 1)) + bytes(9)
    layout = (2, number, 1, _LOAD_ADDRESS + start, _ELF_HEADER_BYTES, 0, 0)
    header = struct.pack("<HHIQQQI6H", *layout, _ELF_HEADER_BYTES, _PROGRAM_HEADER_BYTES, 1, 0, 0, 0)
    # One segment, readable and executable, has the whole file. It is aligned to 64 KiB, the largest page size.
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, _LOAD_ADDRESS, _LOAD_ADDRESS, size, size, 0x10000)
    return identity + header + segment + code


def try_runtimes(
    processes: Processes, environment: Mapping[str, str], folder: Path, *, remembered: bool
) -> RuntimesTried:
    """Start a container with each runtime here, and one on the default network; leave nothing in the store.

    If a container started, the result is noted in `folder`; with `remembered` it is taken from there, unless something
    that it depends on has changed. Raises StoppedError when the run is stopped.
    """
    key = _key(environment)
    known = _recall(folder, key) if remembered else None
    if known is not None:
        return known
    program = exit_program(platform.machine())
    if program is None:
        return RuntimesTried(refused={}, fault=f"no trial program for {platform.machine()}")
    try:
        image = _import_image(processes, environment, program)
    except EngineError as error:
        return RuntimesTried(refused={}, fault=reason(error))
    try:
        tried = _start_each(processes, environment, image)
    finally:
        _remove(processes, environment, image)
    _remember(folder, key, tried)
    return tried


def runtimes(environment: Mapping[str, str]) -> tuple[str, ...]:
    """The names of the OCI runtimes to try: those installed, and the one in the configuration."""
    path = search_path(os.environ)
    found = [name for name in KNOWN_RUNTIMES if shutil.which(name, path=path)]
    named = configured_runtime(environment)
    return tuple(found) if named in {"", *found} else (*found, named)


def configured_runtime(environment: Mapping[str, str]) -> str:
    """The runtime that the private configuration names, "" if it names none."""
    engine = read_settings(Path(environment.get("CONTAINERS_CONF", os.devnull))).get("engine")
    named = engine.get("runtime") if isinstance(engine, dict) else None
    return named if isinstance(named, str) else ""


def _import_image(processes: Processes, environment: Mapping[str, str], program: bytes) -> str:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as layer:
        member = tarfile.TarInfo("exit")
        member.size, member.mode = len(program), 0o755
        layer.addfile(member, io.BytesIO(program))
    changes = ("--change", 'ENTRYPOINT ["/exit"]', "--change", f"LABEL {LABEL}={os.getpid()}")
    argv = ("podman", "import", "--quiet", *changes, "-")
    return ask(processes, argv, environment, stdin=archive.getvalue()).split()[-1]


def _start_each(processes: Processes, environment: Mapping[str, str], image: str) -> RuntimesTried:
    reasons = {name: _start(processes, environment, image, name, "none") for name in runtimes(environment)}
    starting = tuple(name for name, why in reasons.items() if not why)
    refused = {name: why for name, why in reasons.items() if why}
    if not starting:
        return RuntimesTried(refused=refused)
    named = configured_runtime(environment)
    chosen = named if named in starting else starting[0]
    return RuntimesTried(starting=starting, refused=refused, network=_start(processes, environment, image, chosen, ""))


def _start(processes: Processes, environment: Mapping[str, str], image: str, runtime: str, network: str) -> str:
    """Start a container, and return why it did not start, "" if it did; an empty `network` is Podman's default."""
    networks = ("--network", network) if network else ()
    argv = ("podman", "--runtime", runtime, "run", "--rm", "--label", LABEL, *networks, image)
    try:
        ask(processes, argv, environment)
    except EngineError as error:
        return reason(error)
    return ""


def _remove(processes: Processes, environment: Mapping[str, str], image: str) -> None:
    # The second command removes images that killed examinations have left, but not those of a running one: an image
    # of more than ten minutes is no longer in use.
    left = ("podman", "image", "prune", "--force", "--all", "--filter", f"label={LABEL}", "--filter", "until=10m")
    for argv in (("podman", "rmi", "--force", image), left):
        if not processes.stopped:
            ask(processes, argv, environment)


def _key(environment: Mapping[str, str]) -> str:
    """A digest of all that the result depends on: programs, configuration, subordinate ids, devices and this boot."""
    path = ":".join((search_path(os.environ), *HELPERS))
    helpers = ("podman", "conmon", *KNOWN_RUNTIMES, "netavark", "aardvark-dns", "slirp4netns", "pasta", "newuidmap")
    facts = [platform.release(), cgroups(), str(os.geteuid()), str(os.access("/dev/net/tun", os.R_OK | os.W_OK))]
    for name in helpers:
        program = shutil.which(name, path=path)
        status = Path(program).stat() if program else None
        facts.append(f"{program} {status and (status.st_size, status.st_mtime_ns)}")
    files = (environment.get("CONTAINERS_CONF", ""), "/proc/sys/kernel/random/boot_id", "/etc/subuid", "/etc/subgid")
    facts += [Path(name).read_text(encoding="utf-8") for name in files if Path(name).is_file()]
    return hashlib.sha256("\0".join(facts).encode()).hexdigest()


def _recall(folder: Path, key: str) -> RuntimesTried | None:
    try:
        known = json.loads((folder / RUNTIMES_FILE).read_text(encoding="utf-8"))
        if known["key"] != key:
            return None
        return RuntimesTried(starting=tuple(known["starting"]), refused=dict(known["refused"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _remember(folder: Path, key: str, tried: RuntimesTried) -> None:
    # A failure may go away without any change of the key, so only a success is noted.
    if not tried.starting or tried.network:
        (folder / RUNTIMES_FILE).unlink(missing_ok=True)
        return
    known = {"key": key, "starting": tried.starting, "refused": dict(tried.refused)}
    write_if_changed(folder / RUNTIMES_FILE, json.dumps(known))
