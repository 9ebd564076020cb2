"""The names of containers, which tell whose they are; by them monitors are ended that Podman does not know.

Each container has a monitor, conmon(8), which outlives Podman: one that was killed between starting the monitor and
noting that it had knows nothing of it. The monitor's command line has the container's name.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
from pathlib import Path


def container_prefix(run: str) -> str:
    """What the names of a run's containers begin with; `run` is its digits."""
    return f"bareboat-{run}-"


def container_name(run: str) -> str:
    """A name for one more container of a run."""
    return f"{container_prefix(run)}{secrets.token_hex(4)}"


def end_monitors(run: str, processes: Path = Path("/proc")) -> int:
    """Kill every monitor of a run's containers, and what it watches; returns how many there were."""
    ours = container_prefix(run).encode()
    monitors = [
        number
        for number in (entry.name for entry in processes.iterdir() if entry.name.isdecimal())
        if any(word.startswith(ours) for word in _command(processes / number))
    ]
    for number in monitors:
        # What is watched goes first: without its monitor nobody would know whose it was.
        for process in (*_children(processes / number), number):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(int(process), signal.SIGKILL)
    return len(monitors)


def _command(process: Path) -> list[bytes]:
    try:
        # Podman's own command line has the name, too.
        if (process / "comm").read_bytes().strip() != b"conmon":
            return []
        return (process / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return []


def _children(process: Path) -> list[str]:
    try:
        return (process / "task" / process.name / "children").read_text(encoding="ascii").split()
    except OSError:
        return []
