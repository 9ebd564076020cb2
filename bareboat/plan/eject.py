"""How a cell's image is run elsewhere, confined as it was run here. Pure.

Beside a `podman run`, the forms are those of the Compose specification (compose-spec.io), of Kubernetes' Pod (v1) and
of Podman's podman-systemd.unit(5), a quadlet. Each has the limits that the cell's own runs have.
"""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bareboat.inputs.limits import Limits
    from bareboat.plan.jobs import Cell

Form = Literal["run", "compose", "kube", "quadlet"]

_RUN = (
    "podman run --rm --read-only --read-only-tmpfs=false --tmpfs=/tmp --cap-drop=all"
    " --security-opt=no-new-privileges --user={user} --memory={memory_bytes}b --pids-limit={processes}"
    "{ports}{low_port}{init}{health} {image}{arguments}\n"
)
_COMPOSE = """\
# {cell}, for `docker compose up` or `podman-compose up`
services:
  "{name}":
    image: "{image}"
{arguments}    user: "{user}"
    read_only: true
    tmpfs: [/tmp]
{ports}{low_port}{init}{health}    cap_drop: [ALL]
    security_opt: ["no-new-privileges:true"]
    mem_limit: {memory_bytes}
    pids_limit: {processes}
    restart: {ends}
"""
_KUBE = """\
# {cell}, for `kubectl apply -f` or `podman kube play`; how many processes a pod may have, its node says
apiVersion: v1
kind: Pod
metadata:
  name: "{name}"
spec:
  restartPolicy: {ends}
  automountServiceAccountToken: false
{low_port}  containers:
    - name: "{name}"
      image: "{image}"
      imagePullPolicy: IfNotPresent
{arguments}{ports}{health}      securityContext:
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
{ports}{low_port}{init}{health}DropCapability=all
NoNewPrivileges=true
PodmanArgs=--read-only-tmpfs=false --memory={memory_bytes}b --pids-limit={processes}

[Service]
{ends}

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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Spelling:
    """How a form says what not every program has."""

    whole: str  # the file, with a place for each
    arguments: str  # a line with a place for the program's arguments
    listed: Callable[[Sequence[str]], str]  # the arguments as they stand there
    port: str  # one port that is published
    ports: str = "{}"  # what is around all of them
    between: str = ""
    low_port: str = ""  # that an ordinary user may listen on any
    init: str = ""  # that a process of its own passes signals on
    health: str  # a line with a place for the command that asks whether it is well
    asked: Callable[[Sequence[str]], str]  # the command as it stands there
    ends: tuple[str, str] = ("", "")  # what becomes of a program that ends by itself, and of a service


def _json(replaced: str) -> Callable[[Sequence[str]], str]:
    # JSON is YAML; what the reader would replace stays as it is where its `$` is doubled.
    return lambda arguments: json.dumps(list(arguments)).replace(replaced, f"${replaced}")


def _unit_words(arguments: Sequence[str]) -> str:
    return _unit(" ".join(map(json.dumps, arguments)))


def _unit(text: str) -> str:
    return text.replace("%", "%%").replace("$", "$$")


def _command(words: Sequence[str]) -> str:
    # Podman takes a text for a shell's, which an image may not have, and a list as it is.
    return json.dumps(["CMD", *words])


_SPELLINGS: dict[Form, _Spelling] = {
    "run": _Spelling(
        whole=_RUN,
        arguments=" {}",
        listed=shlex.join,
        port=" --publish={0}:{0}",
        low_port=f" --sysctl={_ANY_PORT}=0",
        init=" --init",
        health=" --health-cmd={}",
        asked=lambda words: shlex.quote(_command(words)),
    ),
    "compose": _Spelling(
        whole=_COMPOSE,
        arguments="    command: {}\n",
        listed=_json("$"),
        ports="    ports: [{}]\n",
        port='"{0}:{0}"',
        between=", ",
        low_port=f'    sysctls: ["{_ANY_PORT}=0"]\n',
        init="    init: true\n",
        health="    healthcheck: {{test: {}}}\n",
        asked=lambda words: _json("$")(["CMD", *words]),
        ends=('"no"', "unless-stopped"),
    ),
    "kube": _Spelling(
        whole=_KUBE,
        arguments="      args: {}\n",
        listed=_json("$("),
        ports="      ports:\n{}",
        port="        - containerPort: {0}\n",
        low_port=f'  securityContext:\n    sysctls:\n      - name: {_ANY_PORT}\n        value: "0"\n',
        # Kubernetes gives it a second, and the probe gives a service five.
        health="      livenessProbe:\n        timeoutSeconds: 6\n        exec: {{command: {}}}\n",
        asked=_json("$("),
        ends=("Never", "Always"),
    ),
    "quadlet": _Spelling(
        whole=_QUADLET,
        arguments="Exec={}\n",
        listed=_unit_words,
        port="PublishPort={0}:{0}\n",
        low_port=f"Sysctl={_ANY_PORT}=0\n",
        init="RunInit=true\n",
        health="HealthCmd={}\n",
        asked=lambda words: _unit(_command(words)),
        ends=("Type=oneshot", "Restart=on-failure"),
    ),
}


def eject(cell: Cell, form: Form, image: str, limits: Limits, service: Service | None = None) -> str:
    """The file of that form by which `image`, the cell's under whatever name, is run; its first line says how.

    `service` is None for a program that ends by itself.
    """
    said, served = _SPELLINGS[form], service or Service()
    arguments = cell.sample.expectations[0].arguments
    ports = said.between.join(said.port.format(port) for port in served.ports)
    uid, _, gid = cell.recipe.runtime.user.partition(":")
    return said.whole.format(
        cell=cell.id,
        # A pod's name has letters, digits and hyphens (RFC 1123).
        name=re.sub("[^a-z0-9]+", "-", cell.sample.name).strip("-"),
        image=image,
        arguments=said.arguments.format(said.listed(arguments)) if arguments else "",
        user=cell.recipe.runtime.user,
        uid=uid,
        gid=gid,
        ordinary="true" if int(uid) else "false",
        memory_bytes=limits.memory_bytes,
        memory_mb=limits.memory_mb,
        processes=limits.processes,
        ports=said.ports.format(ports) if ports else "",
        low_port=said.low_port if served.needs_low_port else "",
        init="" if served.heeds else said.init,
        health=said.health.format(said.asked(cell.healthcheck)) if cell.healthcheck else "",
        ends=said.ends[service is not None],
    )
