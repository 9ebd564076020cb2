"""Ends containers that Podman does not know, because it was killed between starting one and noting that it had.

Each container has a monitor, conmon(8), which outlives Podman. A monitor of ours is known by the file that its command
line names.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
from pathlib import Path

_NAME = "conmon-"


def monitor_file(folder: Path) -> Path:
    """A file in `folder` for a monitor to write its number to."""
    return folder / f"{_NAME}{secrets.token_hex(8)}.pid"


def end_monitors(folder: Path, processes: Path = Path("/proc")) -> int:
    """Kill every monitor that was given a file of `folder`, and what it watches; returns how many there were."""
    ours = f"{folder / _NAME}".encode()
    monitors = [
        number
        for number in (entry.name for entry in processes.iterdir() if entry.name.isdecimal())
        if any(word.removeprefix(b"--conmon-pidfile=").startswith(ours) for word in _command(processes / number))
    ]
    for number in monitors:
        # What is watched goes first: without its monitor nobody would know whose it was.
        for process in (*_children(processes / number), number):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(int(process), signal.SIGKILL)
    return len(monitors)


def _command(process: Path) -> list[bytes]:
    try:
        # Podman's own command line names the file, too.
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
