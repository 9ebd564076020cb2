"""What the bootstraps need from the host: its tools, its network, and an ordinary user's subordinate ids."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from typing import TYPE_CHECKING

from bareboat.errors import EngineError, HostError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bareboat.system.process import Processes

# An ordinary user's PATH often lacks the folders that have debugfs and chroot.
TOOL_PATH = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))

_NETWORK_FAULT = re.compile(
    r"could not resolve|temporary failure|name or service not known|network is unreachable|no route to host"
    r"|connection refused|connection timed out|could not connect|cannot initiate the connection"
    r"|failed to establish a new connection|max retries exceeded|read timed out",
    re.IGNORECASE,
)


def find_tool(name: str) -> str:
    """The path of a program, looked for in /usr/sbin too. Raises HostError when it is absent."""
    path = shutil.which(name, path=TOOL_PATH)
    if path is None:
        raise HostError(f"{name} is not installed; `invoke setup` says what installs it")
    return path


@contextlib.contextmanager
def telling_network_faults(source: str) -> Iterator[None]:
    """Turn the EngineError of a command that could not reach `source` into a HostError that says so."""
    try:
        yield
    except EngineError as error:
        fault = _network_fault(error)
        if fault is None:
            raise
        raise HostError(
            f"the network is unreachable: no answer from {source}\n"
            f"  {fault}\n"
            "  check the connection; behind a proxy, `export http_proxy=http://HOST:PORT https_proxy=http://HOST:PORT`"
        ) from error


def remove_scratch(folder: Path, processes: Processes) -> None:
    """Remove a bootstrap's scratch folder, including files of subordinate user ids that a killed run has left."""
    processes.run([*unshare_prefix(), "rm", "-rf", "--", str(folder)])


# In a process id namespace /proc must be mounted anew, which needs a mount namespace.
_OWN_PROCESSES = ("--pid", "--fork", "--kill-child", "--mount", "--mount-proc")


def unshare_prefix() -> tuple[str, ...]:
    """The words that, put before a command, make it root over the user's subordinate ids and kill it with its parent.

    The command runs in a process id namespace, so that its children are killed as well: mmdebstrap, when interrupted,
    would wait for them.
    """
    namespace = () if os.geteuid() == 0 else ("--user", "--map-root-user", "--map-auto")
    return ("setpriv", "--pdeathsig=KILL", "--", "unshare", *namespace, *_OWN_PROCESSES, "--")


def _network_fault(error: EngineError) -> str | None:
    lines = list(error.log_tail)
    if error.log is not None and error.log.exists():
        lines = error.log.read_text(errors="replace").splitlines()
    return next((line.strip() for line in lines if _NETWORK_FAULT.search(line)), None)
