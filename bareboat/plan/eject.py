"""What a user takes home of a cell: how its image is run elsewhere, confined as it was run here. Pure.

The formats are those of the Compose specification (compose-spec.io), of Kubernetes' Pod (v1) and of Podman's
podman-systemd.unit(5), a quadlet. Each has the limits that the cell's own runs have.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bareboat.inputs.limits import Limits
    from bareboat.plan.jobs import Cell

Form = Literal["compose", "kube", "quadlet"]

_COMPOSE = """\
# {cell}, for `docker compose up` or `podman-compose up`
services:
  "{name}":
    image: "{image}"
    user: "{user}"
    read_only: true
    tmpfs: [/tmp]
{ports}    cap_drop: [ALL]
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
  containers:
    - name: "{name}"
      image: "{image}"
      imagePullPolicy: IfNotPresent
{ports}      securityContext:
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
User={uid}
Group={gid}
ReadOnly=true
Tmpfs=/tmp
{ports}DropCapability=all
NoNewPrivileges=true
PodmanArgs=--memory={memory_bytes}b --pids-limit={processes}

[Service]
{service}

[Install]
WantedBy=default.target
"""


def eject(
    cell: Cell, form: Form, image: str, limits: Limits, *, lasting: bool = False, ports: Sequence[int] = ()
) -> str:
    """The file of that form by which `image`, the cell's under whatever name, is run; its first line says how.

    `lasting` is of a program that runs on until it is told to end; `ports` are those that it listens on.
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
    lasting = lasting or cell.sample.service
    match form:
        case "compose":
            pairs = ", ".join(f'"{port}:{port}"' for port in ports)
            opened = f"    ports: [{pairs}]\n" if ports else ""
            return _COMPOSE.format(**words, ports=opened, restart="unless-stopped" if lasting else '"no"')
        case "kube":
            opened = "".join(f"        - containerPort: {port}\n" for port in ports)
            opened = f"      ports:\n{opened}" if ports else ""
            return _KUBE.format(**words, ports=opened, restart="Always" if lasting else "Never")
        case "quadlet":
            opened = "".join(f"PublishPort={port}:{port}\n" for port in ports)
            service = "Restart=on-failure" if lasting else "Type=oneshot"
            return _QUADLET.format(**words, ports=opened, service=service)
