"""Whether it can be seen which files a program opens: without that, no file is said to be idle."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from bareboat.doctor.ask import ask, reason
from bareboat.doctor.check import Check
from bareboat.doctor.install_commands import install, with_sudo
from bareboat.engine.tracer import PTRACE_SCOPE, tracing_obstacle
from bareboat.errors import EngineError, HostError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bareboat.system.process import Processes

_TRIAL = ("strace", "-qqq", "-f", "-e", "trace=execve", "-o", os.devnull, "true")
_UNSEEN = "what a from-scratch image's program opens is not observed, and no file is said to be idle"


def check_strace(processes: Processes, environment: Mapping[str, str], scope: Path = PTRACE_SCOPE) -> Check:
    """Whether strace is there and can trace a child, which is tried."""
    if shutil.which("strace") is None:
        finding = f"not found: {_UNSEEN}"
        return Check(name="strace", finding=finding, status="warning", cure=install(["strace"]))
    if obstacle := tracing_obstacle({}, scope):
        cure = with_sudo("sysctl -w kernel.yama.ptrace_scope=1")
        return Check(name="strace", finding=f"{obstacle.partition(': `')[0]}: {_UNSEEN}", status="warning", cure=cure)
    try:
        ask(processes, _TRIAL, environment)
    except (EngineError, HostError) as error:
        said = reason(error) if isinstance(error, EngineError) else error.summary
        return Check(name="strace", finding=f"refused: {said}: {_UNSEEN}", status="warning", cure="")
    return Check(name="strace", finding="sees which files a program opens", status="good", cure="")
