"""Examines the machine: Podman, the runtimes and the network by starting containers, then the system around them."""

from __future__ import annotations

import os
import platform
import shlex
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, TypeAdapter, ValidationError

from bareboat.doctor import host
from bareboat.doctor.ask import ask, reason
from bareboat.doctor.check import Check, Command
from bareboat.doctor.firewall import firewall_command
from bareboat.doctor.install_commands import install
from bareboat.doctor.observation import check_strace
from bareboat.doctor.registry import REFERENCES, check_registries
from bareboat.doctor.try_runtimes import configured_runtime, try_runtimes
from bareboat.errors import EngineError, HostError
from bareboat.podman_engine.settings import podman_environment
from bareboat.podman_engine.store import storage_file

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bareboat.doctor.firewall import Firewall
    from bareboat.doctor.try_runtimes import RuntimesTried
    from bareboat.system.process import Processes

OLDEST_PODMAN = (4, 3)
_MACHINE = "brew install podman && podman machine init && podman machine start"
# With what Debian's Podman works and does not depend on.
_PODMAN = ("podman", "runc", "newuidmap", "slirp4netns", "pasta", "netavark", "iptables")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Range:
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ranges:
    uids: Annotated[tuple[_Range, ...] | None, Field(alias="uidmap")] = None
    gids: Annotated[tuple[_Range, ...] | None, Field(alias="gidmap")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Security:
    rootless: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Host:
    buildah: Annotated[str, Field(alias="buildahVersion")]
    security: _Security
    ranges: Annotated[_Ranges, Field(alias="idMappings")] = field(default_factory=_Ranges)
    network: Annotated[str, Field(alias="networkBackend")] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Store:
    driver: Annotated[str, Field(alias="graphDriverName")]
    folder: Annotated[str, Field(alias="graphRoot")]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Version:
    podman: Annotated[str, Field(alias="Version")]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Info:
    """The part of `podman info` that is read here."""

    host: _Host
    store: _Store
    version: _Version


def examine(
    processes: Processes,
    environment: Mapping[str, str],
    folder: Path,
    *,
    quick: bool = False,
    references: Sequence[str] = REFERENCES,
) -> tuple[Check, ...]:
    """Every finding about this machine, Podman's first.

    `environment` is the result of `podman_environment(folder)`. `references` names images: the registry of each is
    asked. `quick` asks no registry, and starts no container if nothing has changed since `try_runtimes` noted in
    `folder` which runtimes work.
    """
    asked = () if quick else tuple(references)
    with ThreadPoolExecutor(max_workers=1) as pool:
        answers = pool.submit(_check_registries, processes, environment, asked)
        podman, info = _check_podman(processes, environment)
        engine = _check_engine(processes, environment, folder, info, quick=quick) if info else ()
        registries = answers.result()
    silent = bool(registries) and all(check.status != "good" for check in registries)
    strace = (check_strace(processes, environment),) if platform.system() == "Linux" else ()
    return (podman, *engine, *_check_system(needs_packages=silent), *strace, *registries)


def _check_podman(processes: Processes, environment: Mapping[str, str]) -> tuple[Check, _Info | None]:
    cure = _MACHINE if platform.system() == "Darwin" else install(_PODMAN)
    try:
        output = ask(processes, ("podman", "info", "--format", "json"), environment)
        info = TypeAdapter(_Info).validate_json(output)
    except HostError:
        return Check(name="podman", finding="not installed", status="bad", cure=cure), None
    except EngineError as error:
        finding = f"does not work: {reason(error)}"
        return Check(name="podman", finding=finding, status="bad", cure="podman system migrate; podman info"), None
    except ValidationError as error:
        finding = f"`podman info` says what is not understood: {error.errors()[0]['loc']}"
        return Check(name="podman", finding=finding, status="bad", cure=cure), None
    version = info.version.podman
    if _numbers(version) < OLDEST_PODMAN:
        oldest = ".".join(map(str, OLDEST_PODMAN))
        finding = f"{version}; {oldest} or newer is needed"
        return Check(name="podman", finding=finding, status="bad", cure=cure), info
    mode = "rootless" if info.host.security.rootless else "rootful"
    return Check(name="podman", finding=f"{version}, {mode}", status="good", cure=""), info


def _check_engine(
    processes: Processes, environment: Mapping[str, str], folder: Path, info: _Info, *, quick: bool
) -> tuple[Check, ...]:
    """The checks of what Podman works with: runtime, network, storage, an ordinary user's ids, space, cache mounts."""
    tried = try_runtimes(processes, environment, folder, remembered=quick)
    # `podman_environment` chooses a runtime by what `try_runtimes` has just noted: check the choice of the next run.
    chosen = configured_runtime(podman_environment(folder))
    checks = [check_runtime(tried, chosen), _check_storage(processes, environment, info)]
    firewall = firewall_command(processes, environment, _numbers(info.version.podman))
    checks.append(check_network(tried, info.host.network, firewall))
    if info.host.security.rootless:
        ranges = (info.host.ranges.uids or (), info.host.ranges.gids or ())
        checks.append(host.check_ids(min(sum(item.size for item in ids) for ids in ranges)))
    checks.append(host.check_space(Path(info.store.folder)))
    cache = host.check_cache_mounts(_numbers(info.host.buildah))
    return (*checks, cache) if cache else tuple(checks)


def check_runtime(tried: RuntimesTried, chosen: str) -> Check:
    """Which OCI runtimes start a container, and whether the `chosen` runtime does; "" is Podman's own choice."""
    name = "runtime"
    if tried.fault:
        return Check(name=name, finding=f"nothing could be tried: {tried.fault}", status="bad", cure="podman info")
    refused = "; ".join(f"{runtime} does not: {why}" for runtime, why in tried.refused.items())
    if not tried.starting:
        finding = f"no runtime starts a container; {refused}" if refused else "no runtime found"
        return Check(name=name, finding=finding, status="bad", cure=install(["runc"]))
    starts = f"{', '.join(tried.starting)} starts containers"
    finding = f"{starts}; {refused}" if refused else starts
    if chosen in {"", *tried.starting}:
        return Check(name=name, finding=finding, status="good", cure="")
    finding = f"your containers.conf names {chosen}; {finding}"
    cure = f'in [engine] of your containers.conf: runtime = "{tried.starting[0]}"'
    return Check(name=name, finding=finding, status="bad", cure=cure)


def check_network(tried: RuntimesTried, backend: str, firewall: Firewall) -> Check:
    """Whether a container starts on Podman's default network; `firewall` is what netavark calls on this machine."""
    if tried.fault or not tried.starting:
        return Check(name="network", finding="not tried: no container starts", status="warning", cure="")
    if tried.network:
        cure = (
            install(["netavark", firewall]) if os.geteuid() == 0 else host.check_tun().cure or install(["slirp4netns"])
        )
        return Check(name="network", finding=f"no default network: {tried.network}", status="bad", cure=cure)
    if backend == "cni":
        finding = "the old CNI plugins; Podman 5 knows netavark only"
        return Check(name="network", finding=finding, status="warning", cure=install(["netavark", firewall]))
    return Check(name="network", finding=f"a container started on it ({backend or 'default'})", status="good", cure="")


def _check_storage(processes: Processes, environment: Mapping[str, str], info: _Info) -> Check:
    driver = info.store.driver
    if driver == "vfs":
        finding = "vfs: each layer is a full copy of the one below, so builds are slow and large"
        cure = "podman system reset --force  # removes ALL your images and containers"
        return Check(name="storage", finding=finding, status="warning", cure=cure)
    finding = f"{driver} at {info.store.folder}"
    file = storage_file(os.environ)
    if info.host.security.rootless and not file.exists() and _complains(processes, environment):
        finding = f'{finding}; plain podman says "overwritten by graph driver" until storage.conf names it'
        return Check(name="storage", finding=finding, status="warning", cure=name_overlay(file))
    return Check(name="storage", finding=finding, status="good", cure="")


def name_overlay(file: Path) -> Command:
    """What names the store's driver in the user's storage.conf, unless there is one by then."""
    folder, name = shlex.quote(str(file.parent)), shlex.quote(str(file))
    line = r"""printf '[storage]\ndriver = "overlay"\n'"""
    return Command(f"test -e {name} || {{ mkdir -p {folder} && {line} > {name}; }}")


def _complains(processes: Processes, environment: Mapping[str, str]) -> bool:
    """Whether Podman complains about the store's driver if Bareboat's STORAGE_DRIVER is not set."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        try:
            ask(processes, ("podman", "ps", "--quiet"), {**environment, "STORAGE_DRIVER": ""}, log=log)
        except EngineError:
            return False
        return "overwritten by graph driver" in log.read_text(encoding="utf-8", errors="replace")


def _check_system(*, needs_packages: bool) -> tuple[Check, ...]:
    always = (host.check_python(), host.check_limits())
    if platform.system() != "Linux":
        return always
    rootless = (host.check_newuidmap(), host.check_tun()) if os.geteuid() != 0 else ()
    tools = (host.check_tools(), host.check_package_tools(needed=needs_packages))
    return (*always, host.check_cgroups(), *rootless, *tools)


def _check_registries(
    processes: Processes, environment: Mapping[str, str], references: Sequence[str]
) -> tuple[Check, ...]:
    if not references or shutil.which("podman") is None:
        return ()
    return check_registries(processes, environment, references)


def _numbers(version: str) -> tuple[int, int]:
    """The first two numbers of a version such as `4.3.1` or `5.0.0-dev`; (0, 0) for other text."""
    parts = version.split(".")
    return (int(parts[0]), int(parts[1])) if len(parts) > 1 and all(part.isdecimal() for part in parts[:2]) else (0, 0)
