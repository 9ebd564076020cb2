"""Commands that must answer soon, and the one line that says why they did not."""

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
    """The command's output. Raises EngineError, also when there is no answer within `seconds`; see `Processes.run`."""
    # macOS has no timeout(1); there Podman's own time limits have to do.
    limit = ("timeout", "-k", "1", str(seconds)) if shutil.which("timeout") else ()
    return processes.run((*limit, *argv), env=environment, stdin=stdin, log=log)


def reason(error: EngineError) -> str:
    """Why a command failed, in one line of some 200 characters at most."""
    if error.command_exit_code == _TIMED_OUT:
        return "no answer in time"
    said = [line.strip() for line in error.log_tail if line.strip()]
    line = next((line for line in reversed(said) if line.startswith("Error")), said[-1] if said else str(error))
    # Podman quotes a helper's whole log with its line ends escaped; the first line says why.
    line = line.removeprefix("Error:").strip().partition("\\n")[0]
    return (
        line
        if len(line) <= _MOST_CHARACTERS
        else f"{line[: _MOST_CHARACTERS // 2]} ... {line[-_MOST_CHARACTERS // 2 :]}"
    )
