"""The host's strace, made ready to be mounted into a container and to start the program there.

strace is the parent of the program under the same user, so it needs no capability.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import posixpath
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bareboat.elf import read_elf
from bareboat.errors import BareboatError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

# Where the container sees strace, and where strace writes its logs.
TOOLS_TARGET = "/.bareboat-trace"
LOGS_TARGET = "/.bareboat-log"
# Who may trace whom (the kernel's Documentation/admin-guide/LSM/Yama.rst); absent where the kernel has no Yama.
PTRACE_SCOPE = Path("/proc/sys/kernel/yama/ptrace_scope")
# From here on a parent may not trace its child, unless it has a capability that no container of ours has.
_REFUSING_SCOPE = 2
# strace passes over a call that starts with "?" where this architecture or version does not know it.
_CALLS = "%file,fchdir,clone,?clone3,?fork,?vfork"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracer:
    """strace and what it needs, to be mounted into a container."""

    # The folder of this machine that holds strace, its libraries and its loader, and nothing else.
    tools: Path
    # The file name of its loader (ld.so) in there; "" for a static strace.
    loader: str

    def entrypoint(self) -> tuple[str, ...]:
        """The words of the command that come before the path of the program to be traced."""
        # musl's loader has no cache, and refuses the option that turns glibc's off.
        cache = () if self.loader.startswith("ld-musl") else ("--inhibit-cache",)
        loader = (f"{TOOLS_TARGET}/{self.loader}", *cache, "--library-path", TOOLS_TARGET) if self.loader else ()
        options = ("-qqq", "-ff", "-o", f"{LOGS_TARGET}/log", "-y", "-s", "4096", "-e", f"trace={_CALLS}")
        return (*loader, f"{TOOLS_TARGET}/strace", *options, "--")

    def mounts(self, logs: Path) -> dict[str, Path]:
        """What the container must see of this machine, by its place there; it must be able to write to LOGS_TARGET."""
        return {TOOLS_TARGET: self.tools, LOGS_TARGET: logs}


def tracing_obstacle(environment: Mapping[str, str], scope: Path = PTRACE_SCOPE) -> str:
    """One line of why no program can be traced in a container; "" where nothing is known to stand in the way."""
    if environment.get("CONTAINER_HOST"):
        return "an engine of another machine cannot mount this machine's strace"
    if shutil.which("strace", path=environment.get("PATH")) is None:
        return "strace is not installed: `invoke doctor` names the cure"
    with contextlib.suppress(OSError, ValueError):
        if (number := int(scope.read_text(encoding="ascii"))) >= _REFUSING_SCOPE:
            return (
                f"the kernel lets nobody trace (kernel.yama.ptrace_scope is {number}): `invoke doctor` names the cure"
            )
    return ""


def make_tracer(
    folder: Path, libraries: Callable[[Path], Sequence[Path]], *, strace: Path | None = None
) -> Tracer | None:
    """Copy the host's strace into `folder`, unless the same is there already; None where the host has none.

    `libraries` names the shared objects that a program needs, each by the name that its loader looks for. Raises
    BareboatError where one cannot be read or copied.
    """
    found = strace or shutil.which("strace")
    if found is None:
        return None
    program = Path(found)
    try:
        interpreter = read_elf(program.read_bytes()).interpreter
        sources = {path.name: path for path in (*libraries(program), *([Path(interpreter)] if interpreter else []))}
        tools = _copy({**sources, "strace": program}, folder)
    except OSError as error:
        raise BareboatError(f"{error.filename}: cannot be copied for a trace: {error.strerror}") from error
    return Tracer(tools=tools, loader=posixpath.basename(interpreter or ""))


def _copy(sources: dict[str, Path], folder: Path) -> Path:
    """Copy into a folder that is named after the sources' sizes and times; other copies are removed."""
    tools = folder / f"strace-{_key(sources.values())}"
    if not tools.is_dir():
        temporary = folder / f".{tools.name}.tmp-{os.getpid()}"
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        for name, source in sources.items():
            shutil.copyfile(source, temporary / name)
            (temporary / name).chmod(0o755)
        # The container's user is another one than ours, and must be able to read this folder.
        temporary.chmod(0o755)
        temporary.rename(tools)
    for old in (*folder.glob("strace-*"), *folder.glob(".strace-*")):
        if old != tools:
            shutil.rmtree(old, ignore_errors=True)
    return tools


def _key(sources: Iterable[Path]) -> str:
    facts = [(str(path), status.st_size, status.st_mtime_ns) for path in sources for status in (path.stat(),)]
    return hashlib.sha256(repr(sorted(facts)).encode()).hexdigest()[:16]
