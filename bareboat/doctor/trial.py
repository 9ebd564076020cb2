"""Starts real containers, to learn which OCI runtime works here and whether the default network does.

The image holds one program of Bareboat's own making, 132 to 136 bytes long, that ends with exit code 0.
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
# exit(0) by the kernel's own calling convention: (e_machine, code).
_PROGRAMS = {
    "x86_64": (62, bytes.fromhex("31ff b83c000000 0f05")),
    "aarch64": (183, bytes.fromhex("000080d2 a80b80d2 010000d4")),
}
_LOAD_ADDRESS = 0x400000
_ELF_HEADER_BYTES = 64
_PROGRAM_HEADER_BYTES = 56


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What started: runtimes by name, those that refused with their reason, why the default network failed if it did.

    `fault` is why nothing could be tried at all, empty otherwise.
    """

    starting: tuple[str, ...] = ()
    refused: Mapping[str, str]
    network: str = ""
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
    # Readable and executable, all of the file in one segment aligned to 64 KiB, the largest page there is.
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, _LOAD_ADDRESS, _LOAD_ADDRESS, size, size, 0x10000)
    return identity + header + segment + code


def try_runtimes(processes: Processes, environment: Mapping[str, str], folder: Path, *, remembered: bool) -> Trial:
    """Start a container with each runtime here, and one on the default network; leave nothing in the store.

    A trial in which a container started is written into `folder`; `remembered` takes it from there when nothing that
    it depends on has changed. Raises StoppedError when the run is stopped.
    """
    key = _key(environment)
    known = _recall(folder, key) if remembered else None
    if known is not None:
        return known
    program = exit_program(platform.machine())
    if program is None:
        return Trial(refused={}, fault=f"no trial program for {platform.machine()}")
    try:
        image = _import_image(processes, environment, program)
    except EngineError as error:
        return Trial(refused={}, fault=reason(error))
    try:
        trial = _start_each(processes, environment, image)
    finally:
        _remove(processes, environment, image)
    _remember(folder, key, trial)
    return trial


def runtimes(environment: Mapping[str, str]) -> tuple[str, ...]:
    """The OCI runtimes to try: those installed, and the one that the configuration names."""
    path = search_path(os.environ)
    found = [name for name in KNOWN_RUNTIMES if shutil.which(name, path=path)]
    named = configured_runtime(environment)
    return tuple(found) if named in {"", *found} else (*found, named)


def configured_runtime(environment: Mapping[str, str]) -> str:
    """The runtime that the private configuration names, empty when it names none."""
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


def _start_each(processes: Processes, environment: Mapping[str, str], image: str) -> Trial:
    reasons = {name: _start(processes, environment, image, name, "none") for name in runtimes(environment)}
    starting = tuple(name for name, why in reasons.items() if not why)
    refused = {name: why for name, why in reasons.items() if why}
    if not starting:
        return Trial(refused=refused)
    named = configured_runtime(environment)
    chosen = named if named in starting else starting[0]
    return Trial(starting=starting, refused=refused, network=_start(processes, environment, image, chosen, ""))


def _start(processes: Processes, environment: Mapping[str, str], image: str, runtime: str, network: str) -> str:
    """Why no container starts, empty when one does; an empty `network` is Podman's default."""
    networks = ("--network", network) if network else ()
    argv = ("podman", "--runtime", runtime, "run", "--rm", "--label", LABEL, *networks, image)
    try:
        ask(processes, argv, environment)
    except EngineError as error:
        return reason(error)
    return ""


def _remove(processes: Processes, environment: Mapping[str, str], image: str) -> None:
    # The second command removes what an examination left behind that was killed; a running one is younger.
    left = ("podman", "image", "prune", "--force", "--all", "--filter", f"label={LABEL}", "--filter", "until=10m")
    for argv in (("podman", "rmi", "--force", image), left):
        if not processes.stopped:
            ask(processes, argv, environment)


def _key(environment: Mapping[str, str]) -> str:
    """A digest of all that a trial depends on: the programs, the configuration, limits, devices and this boot."""
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


def _recall(folder: Path, key: str) -> Trial | None:
    try:
        known = json.loads((folder / RUNTIMES_FILE).read_text(encoding="utf-8"))
        if known["key"] != key:
            return None
        return Trial(starting=tuple(known["starting"]), refused=dict(known["refused"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _remember(folder: Path, key: str, trial: Trial) -> None:
    # A failure may mend itself without a change of the key, so only what worked is remembered.
    if not trial.starting or trial.network:
        (folder / RUNTIMES_FILE).unlink(missing_ok=True)
        return
    known = {"key": key, "starting": trial.starting, "refused": dict(trial.refused)}
    write_if_changed(folder / RUNTIMES_FILE, json.dumps(known))
