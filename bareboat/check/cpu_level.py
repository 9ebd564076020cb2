"""Finds the lowest level of x86-64 on which a program does as it does on this machine, by running it under QEMU.

The levels are those of the psABI (https://gitlab.com/x86-psABIs/x86-64-ABI): each is a processor that has its
instructions and no others. QEMU emulates no AVX-512, so the fourth cannot be told from what is beyond it.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from bareboat.check.again import Again
from bareboat.check.as_it_stands import Namespaces
from bareboat.elf import read_elf
from bareboat.errors import BareboatError
from bareboat.result.measurement import Reading
from bareboat.result.values import Failed

if TYPE_CHECKING:
    from collections.abc import Callable

    from bareboat.make.context import JobContext
    from bareboat.plan.jobs import Cell
    from bareboat.result.values import Ran

_V2 = "qemu64,-svm,+ssse3,+sse4.1,+sse4.2,+popcnt"
# By level, a processor as QEMU's option `-cpu` has it. Its `qemu64` has all of v1, and four things more.
MODELS = {
    "x86-64-v1": "qemu64,-svm,-sse3,-cx16,-lahf-lm",
    "x86-64-v2": _V2,
    "x86-64-v3": f"{_V2},+xsave,+avx,+avx2,+bmi1,+bmi2,+f16c,+fma,+abm,+movbe",
    # Everything that QEMU emulates: AES and SHA instructions too, which are in no level.
    "x86-64-v3 and extensions": "max",
}
_BEYOND = "above x86-64-v3"
# Debian 13's is static under its plain name, too.
_NAMES = ("qemu-x86_64-static", "qemu-x86_64")
_TARGET = "/.bareboat-qemu"
_SLOWER = 5.0
# What QEMU itself takes, beside the program.
_MORE_MB, _MORE_PROCESSES = 1024, 16
# What QEMU says when the program meets an instruction that the processor has not: SIGILL.
_ILLEGAL = "uncaught target signal 4 "
_SIGILL, _OTHERS = 4, (8, 11, 15)  # SIGFPE, SIGSEGV and SIGTERM


class _IllegalError(Exception):
    """The program met an instruction that the processor has not."""


def read_cpu_level(context: JobContext, cell: Cell, image_id: str, ran: Ran | None) -> Reading:
    """`x86-64-v1 (qemu-user 7.2)`, or why it could not be found; `ran` is what an open program did before.

    Raises BareboatError where no container can be started.
    """
    if cell.program.platform.architecture != "amd64":
        return Reading(value=None, why="not applicable: the levels are those of x86-64")
    if context.remote:
        return Reading(value=None, why="an engine of another machine cannot mount this machine's QEMU")
    qemu = find_qemu()
    if qemu is None:
        return Reading(value=None, why="qemu-x86_64-static is not installed: `invoke doctor` names the cure")
    again = Again(
        engine=context.engine,
        image_id=image_id,
        expectations=cell.sample.expectations,
        before=ran,
        inside=Namespaces(processes=context.processes),
        mounts={_TARGET: qemu},
        look=look_for_end,
        slower=_SLOWER,
    )
    limits = context.limits(cell)
    roomy = replace(limits, memory_mb=limits.memory_mb + _MORE_MB, processes=limits.processes + _MORE_PROCESSES)

    def fault(model: str) -> Failed | None:
        try:
            return replace(again, entrypoint=(_TARGET, "-cpu", model, cell.program_path)).fault(roomy)
        except _IllegalError:
            return Failed(stage="run", reason="SIGILL", detail=_ILLEGAL)

    return judge_levels(fault, _version(context, qemu))


def judge_levels(fault: Callable[[str], Failed | None], version: str) -> Reading:
    """The lowest level with no fault. Pure but for `fault`, which runs the program on a processor of `MODELS`."""
    found: Failed | None = None
    for level, model in MODELS.items():
        found = fault(model)
        # What is slow under emulation may fail now and then, an instruction that is not there always does.
        if found and not _is_illegal(found):
            found = fault(model)
        if found is None:
            return Reading(value=f"{level} (qemu-user {version})")
    if found and _is_illegal(found):
        return Reading(value=f"{_BEYOND} (qemu-user {version})")
    return Reading(value=None, why=f"under qemu-user {version} it does otherwise: {found.reason if found else ''}")


def find_qemu() -> Path | None:
    """The static QEMU of this machine that runs a program of x86-64; None where it has none."""
    for name in _NAMES:
        found = shutil.which(name)
        if found and read_elf(Path(found).read_bytes()).interpreter is None:
            return Path(found).resolve()
    return None


def look_for_end(process: int) -> None:
    """Raise where QEMU has come to an instruction that the processor has not, and waits for its own end.

    It sends itself the signal and lets nothing else through; but the first process of a container is not ended by a
    signal of its own (pid_namespaces(7)), so that it would wait for ever.
    """
    for status in Path(f"/proc/{process}/task").glob("*/status"):
        try:
            found = re.search(r"^SigBlk:\s*(\w+)$", status.read_text(encoding="ascii", errors="replace"), re.MULTILINE)
        except OSError:  # the thread has ended
            continue
        blocked = int(found[1], 16) if found else 0
        if all(blocked >> number - 1 & 1 for number in _OTHERS) and not blocked >> _SIGILL - 1 & 1:
            raise _IllegalError


def _is_illegal(failure: Failed) -> bool:
    return _ILLEGAL in failure.detail


def _version(context: JobContext, qemu: Path) -> str:
    said = re.search(r"version (\d+\.\d+)", context.processes.run([str(qemu), "--version"]))
    if said is None:
        raise BareboatError(f"{qemu} --version names no version")
    return said[1]
