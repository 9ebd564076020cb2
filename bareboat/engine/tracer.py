"""The host's strace, made ready to be mounted into a container and to start the program there.

strace is the parent of the program under the same user, so it needs no capability.
"""

from __future__ import annotations

import hashlib
import os
import posixpath
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bareboat.elf import read_elf
from bareboat.errors import BareboatError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

TOOLS_TARGET = "/.bareboat-trace"
LOGS_TARGET = "/.bareboat-log"
# What starts with "?" is not known to strace on every architecture or in every version.
_CALLS = "%file,fchdir,clone,?clone3,?fork,?vfork"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracer:
    """strace and what it needs, in the host's folder `tools`, to be mounted into a container.

    `loader` is the file name of its ld.so in there, "" for a static strace.
    """

    tools: Path
    loader: str

    def entrypoint(self) -> tuple[str, ...]:
        """Everything before the program's own path."""
        # musl's loader knows no cache, and no option against it.
        cache = () if self.loader.startswith("ld-musl") else ("--inhibit-cache",)
        loader = (f"{TOOLS_TARGET}/{self.loader}", *cache, "--library-path", TOOLS_TARGET) if self.loader else ()
        options = ("-qqq", "-ff", "-o", f"{LOGS_TARGET}/log", "-y", "-s", "4096", "-e", f"trace={_CALLS}")
        return (*loader, f"{TOOLS_TARGET}/strace", *options, "--")

    def mounts(self, logs: Path) -> list[dict[str, Any]]:
        """The tools, read-only, and the folder `logs`, writable, as podman-py's `mounts` takes them."""
        tools = {"type": "bind", "source": str(self.tools), "target": TOOLS_TARGET, "read_only": True}
        return [tools, {"type": "bind", "source": str(logs), "target": LOGS_TARGET}]


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
    """Copy into a folder named after sizes and times of the sources; older ones are removed."""
    tools = folder / f"strace-{_key(sources.values())}"
    if not tools.is_dir():
        temporary = folder / f".{tools.name}.tmp-{os.getpid()}"
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        for name, source in sources.items():
            shutil.copyfile(source, temporary / name)
            (temporary / name).chmod(0o755)
        # The container's user, who is not ours, walks here.
        temporary.chmod(0o755)
        temporary.rename(tools)
    for old in (*folder.glob("strace-*"), *folder.glob(".strace-*")):
        if old != tools:
            shutil.rmtree(old, ignore_errors=True)
    return tools


def _key(sources: Iterable[Path]) -> str:
    facts = [(str(path), status.st_size, status.st_mtime_ns) for path in sources for status in (path.stat(),)]
    return hashlib.sha256(repr(sorted(facts)).encode()).hexdigest()[:16]
