"""What a user takes home of a cell: how its image is run elsewhere, confined as it was run here. Pure.

Beside a `podman run`, the formats are those of the Compose specification (compose-spec.io), of Kubernetes' Pod (v1) and
of Podman's podman-systemd.unit(5), a quadlet. Each has the limits that the cell's own runs have.
"""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bareboat.inputs.limits import Limits
    from bareboat.plan.jobs import Cell

Form = Literal["run", "compose", "kube", "quadlet"]

_RUN = (
    "podman run --rm --read-only --tmpfs=/tmp --cap-drop=all --security-opt=no-new-privileges --user={user}"
    " --memory={memory_bytes}b --pids-limit={processes}"
)
_COMPOSE = """\
# {cell}, for `docker compose up` or `podman-compose up`
services:
  "{name}":
    image: "{image}"
{arguments}    user: "{user}"
    read_only: true
    tmpfs: [/tmp]
{more}    cap_drop: [ALL]
    security_opt: ["no-new-privileges:true"]
    mem_limit: {memory_bytes}
    pids_limit: {processes}
    restart: {restart}
"""
_KUBE = """\
# {cell}, for `kubectl apply -f` or `podman kube play`; how many processes a pod may have, its node says
apiVersion: v1
kind: Pod
metadata:
  name: "{name}"
spec:
  restartPolicy: {restart}
  automountServiceAccountToken: false
{sysctls}  containers:
    - name: "{name}"
      image: "{image}"
      imagePullPolicy: IfNotPresent
{arguments}{more}      securityContext:
        runAsNonRoot: {ordinary}
        runAsUser: {uid}
        runAsGroup: {gid}
        readOnlyRootFilesystem: true
        allowPrivilegeEscalation: false
        capabilities:
          drop: [ALL]
      resources:
        limits:
          memory: {memory_mb}M
      volumeMounts:
        - name: tmp
          mountPath: /tmp
  volumes:
    - name: tmp
      emptyDir:
        medium: Memory
"""
_KUBE_SYSCTL = """\
  securityContext:
    sysctls:
      - name: net.ipv4.ip_unprivileged_port_start
        value: "0"
"""
_QUADLET = """\
# {cell}, for ~/.config/containers/systemd/{name}.container, then `systemctl --user daemon-reload`
[Unit]
Description={cell}

[Container]
Image={image}
{arguments}User={uid}
Group={gid}
ReadOnly=true
Tmpfs=/tmp
{more}DropCapability=all
NoNewPrivileges=true
PodmanArgs=--memory={memory_bytes}b --pids-limit={processes}

[Service]
{service}

[Install]
WantedBy=default.target
"""


# By default only root may listen on a lower port.
_PORTS_START = 1024
_ANY_PORT = "net.ipv4.ip_unprivileged_port_start"


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """What is known of a program that runs on until it is told to end."""

    ports: tuple[int, ...] = ()  # that it listens on
    heeds: bool = True  # whether it ends on SIGTERM as a container's first process

    @property
    def needs_low_port(self) -> bool:
        """Whether it listens where an ordinary user may not."""
        return any(port < _PORTS_START for port in self.ports)


def eject(cell: Cell, form: Form, image: str, limits: Limits, service: Service | None = None) -> str:
    """The file of that form by which `image`, the cell's under whatever name, is run; its first line says how.

    `service` is None for a program that ends by itself.
    """
    uid, _, gid = cell.recipe.runtime.user.partition(":")
    words = {
        "cell": cell.id,
        # A pod's name has letters, digits and hyphens (RFC 1123).
        "name": re.sub("[^a-z0-9]+", "-", cell.sample.name).strip("-"),
        "image": image,
        "user": cell.recipe.runtime.user,
        "uid": uid,
        "gid": gid,
        "ordinary": "true" if int(uid) else "false",
        "memory_bytes": limits.memory_bytes,
        "memory_mb": limits.memory_mb,
        "processes": limits.processes,
    }
    arguments = cell.sample.expectations[0].arguments
    words["arguments"] = _arguments(arguments, form)
    match form:
        case "run":
            confined = _RUN.format(**words).split()
            return f"{shlex.join([*confined, *_run_options(service), image, *arguments])}\n"
        case "compose":
            more = "".join(_compose_lines(service)) if service else ""
            return _COMPOSE.format(**words, more=more, restart="unless-stopped" if service else '"no"')
        case "kube":
            more = "".join(_kube_lines(service)) if service else ""
            sysctls = _KUBE_SYSCTL if service and service.needs_low_port else ""
            return _KUBE.format(**words, more=more, sysctls=sysctls, restart="Always" if service else "Never")
        case "quadlet":
            more = "".join(_quadlet_lines(service)) if service else ""
            return _QUADLET.format(**words, more=more, service="Restart=on-failure" if service else "Type=oneshot")


def _arguments(arguments: Sequence[str], form: Form) -> str:
    """The line that gives the program its arguments; nothing where it has none."""
    if not arguments:
        return ""
    # JSON is YAML; a `$` in a compose file and a `%` or `$` in a unit would be replaced unless it is doubled.
    listed = json.dumps(list(arguments))
    match form:
        case "compose":
            return f"    command: {listed.replace('$', '$$')}\n"
        case "kube":
            return f"      args: {listed.replace('$(', '$$(')}\n"
        case "run":
            return ""  # they are words of the command itself
        case "quadlet":
            quoted = " ".join(json.dumps(argument) for argument in arguments)
            return f"Exec={quoted.replace('%', '%%').replace('$', '$$')}\n"


def _run_options(service: Service | None) -> Iterator[str]:
    if service is None:
        return
    yield from (f"--publish={port}:{port}" for port in service.ports)
    if service.needs_low_port:
        yield f"--sysctl={_ANY_PORT}=0"
    if not service.heeds:
        yield "--init"


def _compose_lines(service: Service) -> Iterator[str]:
    if service.ports:
        pairs = ", ".join(f'"{port}:{port}"' for port in service.ports)
        yield f"    ports: [{pairs}]\n"
    if service.needs_low_port:
        yield f'    sysctls: ["{_ANY_PORT}=0"]\n'
    if not service.heeds:
        yield "    init: true\n"


def _kube_lines(service: Service) -> Iterator[str]:
    if service.ports:
        yield "      ports:\n"
    yield from (f"        - containerPort: {port}\n" for port in service.ports)


def _quadlet_lines(service: Service) -> Iterator[str]:
    yield from (f"PublishPort={port}:{port}\n" for port in service.ports)
    if service.needs_low_port:
        yield f"Sysctl={_ANY_PORT}=0\n"
    if not service.heeds:
        yield "RunInit=true\n"
