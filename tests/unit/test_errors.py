"""What the user reads of a compile that failed: cargo's words, and none of the container's."""

from __future__ import annotations

from pathlib import Path

import pytest

from bareboat.errors import LOG_TAIL_LINES, CompileError, EngineError

COMMAND = "podman run --rm --volume=/home/me/x:/src image cargo build"
LOG = Path("logs/x.log")
ENDED = EngineError(COMMAND, 101, ["error: could not compile `x`"], LOG)
NOISE = [f"   Compiling crate{number} v1.0.0" for number in range(99)]


def test_cargos_first_error_comes_first():
    said = [*NOISE, "warning: unused", "error[E0425]: cannot find value `y`", " --> src/main.rs:3:5", "error: aborting"]
    error = CompileError(ENDED, said)
    assert error.summary == "error[E0425]: cannot find value `y`"
    assert error.log_tail == tuple(said[-3:])
    assert str(error) == error.detail
    assert str(error).splitlines() == [
        "cargo does not compile it:",
        "    error[E0425]: cannot find value `y`",
        "     --> src/main.rs:3:5",
        "    error: aborting",
        f"  the whole log: {LOG}",
    ]


def test_of_many_errors_the_first_are_told():
    said = [f"error: number {number}" for number in range(99)]
    assert CompileError(ENDED, said).log_tail == tuple(said[:LOG_TAIL_LINES])


@pytest.mark.parametrize("said", [[], NOISE])
def test_where_cargo_says_of_no_error_the_logs_last_lines_are_told(said):
    error = CompileError(ENDED, said)
    assert error.log_tail == ("error: could not compile `x`",)
    assert (error.command_exit_code, error.log) == (101, LOG)
    killed = CompileError(EngineError(COMMAND, 137, ["   Compiling x"], LOG), said)
    assert killed.summary == "cargo does not compile it"
    assert "podman" not in str(killed)


def test_of_other_commands_the_command_is_told():
    assert str(EngineError(COMMAND, 1)).startswith(f"exit code 1 from: {COMMAND}")
    assert EngineError(COMMAND, 1).summary == "exit code 1 from podman"
