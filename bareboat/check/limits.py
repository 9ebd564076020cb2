"""Tells which limit a run that failed came to, so that it is not taken for another fault. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bareboat.engine.containers import RunReport
    from bareboat.inputs.limits import Limits

_KILLED = 137  # 128 and the number of SIGKILL
# EAGAIN of clone(2) as Rust's std, tokio, rayon, shells and the runtime's own Go say it, and of nothing else: a socket
# that would block has the same number.
_NO_PROCESS = re.compile(
    r"(?:spawn|fork|clone|pthread_create|ThreadPoolBuildError|create new OS thread)[^\n]{0,200}"
    r"(?:Resource temporarily unavailable|errno=11\b|code: 11\b|os error 11\b)",
    re.IGNORECASE,
)
# What runc and crun say where the memory is too little for them to start anything.
_NO_MEMORY = re.compile(r"OOM-killed|memory limit too low|cannot allocate memory", re.IGNORECASE)


def limit_hit(report: RunReport, limits: Limits) -> str:
    """What a run that failed, and was not killed by us, was refused by the kernel; "" where it came to no limit."""
    if report.out_of_memory or _NO_MEMORY.search(report.refused):
        return f"killed for memory at {limits.memory_mb} MB"
    if report.exit_code == _KILLED:
        # On cgroups of version 1, conmon may miss why. Nobody else is in the container who could send the signal.
        return f"killed by SIGKILL, most likely for memory at {limits.memory_mb} MB"
    if _NO_PROCESS.search(report.refused) or _NO_PROCESS.search(report.stderr.decode(errors="replace")):
        return f"could not make a thread or process: {limits.processes} is the limit"
    return ""
