"""Runs commands with a time limit, and finds the line that says why one failed."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from bareboat.errors import EngineError
    from bareboat.system.process import Processes

_TIMED_OUT = 124
_MOST_CHARACTERS = 200


def ask(
    processes: Processes,
    argv: Sequence[str],
    environment: Mapping[str, str],
    *,
    seconds: int = 30,
    stdin: bytes = b"",
    log: Path | None = None,
) -> str:
    """The command's output, as from `Processes.run`. Raises EngineError also if it does not end within `seconds`."""
    # macOS has no timeout(1): only Podman's own time limits hold there. Of what is absent it tells in words of its own.
    limit = ("timeout", "-k", "1", str(seconds)) if shutil.which("timeout") and shutil.which(argv[0]) else ()
    return processes.run((*limit, *argv), env=environment, stdin=stdin, log=log)


def reason(error: EngineError) -> str:
    """Why a command failed, in one line of about 200 characters at most."""
    if error.command_exit_code == _TIMED_OUT:
        return "no answer in time"
    lines = [line.strip() for line in error.log_tail if line.strip()]
    line = next((line for line in reversed(lines) if line.startswith("Error")), lines[-1] if lines else str(error))
    # Podman quotes the whole log of a helper program in one line, with `\n` between its lines: the first says why.
    line = line.removeprefix("Error:").strip().partition("\\n")[0]
    return (
        line
        if len(line) <= _MOST_CHARACTERS
        else f"{line[: _MOST_CHARACTERS // 2]} ... {line[-_MOST_CHARACTERS // 2 :]}"
    )
