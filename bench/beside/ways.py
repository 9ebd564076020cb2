"""The ways to a set of images: Bareboat, and what one runs in its place."""

from __future__ import annotations

import os
import re
import shlex
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from bareboat.errors import BareboatError
from beside.commands import Command
from beside.figures import BAREBOAT
from beside.recipes import MARK, TOOLCHAIN, compile_command
from beside.workplace import CHECKOUT

if TYPE_CHECKING:
    from beside.docker import Docker
    from beside.figures import Taken
    from beside.recipes import Cell
    from beside.workplace import Project, Workplace

_PROBES = re.compile(r"^\[ *\d+/\d+\] probes .*: \w+ in (?:(\d+) min )?([\d.]+) s", re.MULTILINE)
_TOOK = re.compile(r"^took (\d+)$", re.MULTILINE)
_CARGO = f"{MARK}-cargo"
FLOOR = "`cargo build` alone"
# The peers build and no more; this one does the half of what else Bareboat does, so that one sees what that costs.
RUN_TOO = "BuildKit in a row, each image run"
_MINUTE_SECONDS = 60
CORES = os.cpu_count() or 1


class Way(Protocol):
    """One way."""

    @property
    def title(self) -> str:
        """What it is called."""
        ...

    @property
    def absent(self) -> str:
        """Why this machine has not this way; else empty."""
        ...

    def build(self, project: Project, *, run: bool = False) -> Taken:
        """Make the project's images, and run each of them: what that took."""
        ...

    def prove(self, project: Project) -> None:
        """Raise BareboatError unless the last image's program is that of the project's sources as they are now."""
        ...


# Python keeps what it compiled of its modules, as it does for users unless they forbid it.
_PYTHON = {"PYTHONDONTWRITEBYTECODE": ""}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bareboat:
    """`invoke build-matrix`, as a user calls it: it runs each image and measures it, too."""

    place: Workplace
    title: str = BAREBOAT
    absent: str = ""

    def build(self, project: Project, *, run: bool = False) -> Taken:
        """Whether images are run is not asked of it: it always does."""
        del run
        taken, text = self.place.commands.run(self.command(project, "build-matrix"))
        seconds = sum(int(minutes or 0) * _MINUTE_SECONDS + float(rest) for minutes, rest in _PROBES.findall(text))
        return replace(taken, probe_seconds=seconds)

    def command(self, project: Project, task: str) -> Command:
        """A task of Bareboat's on the project's cells."""
        recipes = () if project.whole else tuple(f"--recipe={cell.recipe}" for cell in project.cells)
        samples = () if project.whole else (f"--sample={project.name}",)
        return Command(
            argv=(*invoke(), task, "--bases=bootstrap", *samples, *recipes),
            environment=_PYTHON
            | {"PYTHONPATH": str(CHECKOUT), "PYTHONPYCACHEPREFIX": str(self.place.root / "pycache")},
            folder=project.root,
        )

    def prove(self, project: Project) -> None:
        """Bareboat holds what a program prints to what the sample says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PodmanBuild:
    """`podman build` of hand-written Containerfiles."""

    place: Workplace
    title: str
    width: int
    absent: str = ""

    def build(self, project: Project, *, run: bool = False) -> Taken:
        """One command an image."""
        return self.place.commands.run_all(
            [self._task(project, cell, run=run) for cell in project.cells], width=self.width
        )

    def _task(self, project: Project, cell: Cell, *, run: bool) -> list[Command]:
        name = f"localhost/{MARK}/{project.label}:{cell.recipe}"
        file = f"--file={project.containerfiles / cell.recipe}"
        build = self.place.podman("build", "--quiet", "--network=none", f"--tag={name}", file, str(project.sources))
        return [build, *([self._run(project, cell)] if run else [])]

    def _run(self, project: Project, cell: Cell) -> Command:
        name = f"localhost/{MARK}/{project.label}:{cell.recipe}"
        return self.place.podman("run", "--rm", "--network=none", name, *project.crate.arguments)

    def prove(self, project: Project) -> None:
        """Run one."""
        check_text(self.title, project, self.place.commands.run(self._run(project, project.cells[-1]))[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildKit:
    """`docker build` with BuildKit, of the same Containerfiles."""

    docker: Docker | None
    title: str
    width: int
    absent: str = ""
    run_too: bool = False

    def build(self, project: Project, *, run: bool = False) -> Taken:
        """One command an image; the daemon's time on the processor counts, too."""
        docker = self._daemon()
        before = docker.processor_seconds()
        tasks = [self._task(project, cell, run=run or self.run_too) for cell in project.cells]
        taken = docker.place.commands.run_all(tasks, width=self.width)
        return replace(taken, processor_seconds=taken.processor_seconds + docker.processor_seconds() - before)

    def _task(self, project: Project, cell: Cell, *, run: bool) -> list[Command]:
        name = f"localhost/{MARK}/{project.label}:{cell.recipe}"
        file = f"--file={project.containerfiles / cell.recipe}"
        words = ("build", "--quiet", "--network=none", f"--tag={name}", file, str(project.sources))
        return [self._daemon().command(*words), *([self._run(project, cell)] if run else [])]

    def _run(self, project: Project, cell: Cell) -> Command:
        name = f"localhost/{MARK}/{project.label}:{cell.recipe}"
        return self._daemon().command("run", "--rm", "--network=none", name, *project.crate.arguments)

    def prove(self, project: Project) -> None:
        """Run one."""
        docker = self._daemon()
        check_text(self.title, project, docker.place.commands.run(self._run(project, project.cells[-1]))[1])

    def _daemon(self) -> Docker:
        if self.docker is None:
            raise BareboatError(self.absent)
        return self.docker


@dataclass(frozen=True, slots=True, kw_only=True)
class Cargo:
    """`cargo build` and nothing else, once for each way of compiling, all at once, in a container that lives on."""

    place: Workplace
    title: str = FLOOR
    absent: str = ""

    def start(self) -> None:
        """Start the container; it sees the benchmark's folder."""
        mount = f"--volume={self.place.root}:/bench"
        words = ("run", "--detach", "--network=none", f"--name={_CARGO}", mount, TOOLCHAIN, "sleep", "infinity")
        self.place.ask_podman(*words)

    def bring_crates(self, folder: Path) -> None:
        """Have crates that are somewhere in the benchmark's folder."""
        self.place.ask_podman("exec", _CARGO, "ln", "-sfn", f"/bench/{folder.relative_to(self.place.root)}", "/crates")

    def build(self, project: Project, *, run: bool = False) -> Taken:
        """Time is taken around cargo, in the container."""
        del run
        kinds = {cell.strategy.kind: cell.strategy for cell in project.cells}
        folder = f"/bench/{project.sources.relative_to(self.place.root)}"
        target = f"/bench/cargo/{project.label}"
        vendored = "/crates/vendor.toml" if project.crate.needs_crates else ""
        lines = ["exec 2>&1", f"cd {shlex.quote(folder)}", "begin=$(date +%s%N)"]
        for kind, strategy in kinds.items():
            lines.append(f'({compile_command(project.name, strategy, f"{target}/{kind}", vendored)}) & all="$all $!"')
        lines += ["for one in $all; do wait $one; done", "echo took $(($(date +%s%N) - begin))"]
        taken, text = self.place.commands.run(self.place.podman("exec", _CARGO, "sh", "-ec", "\n".join(lines)))
        took = _TOOK.search(text)
        return replace(taken, seconds=int(took[1]) / 1e9 if took else taken.seconds)

    def prove(self, project: Project) -> None:
        """It makes no image."""


def invoke() -> tuple[str, ...]:
    """The command of this Python's Invoke."""
    beside = Path(sys.executable).with_name("invoke")
    return (str(beside),) if beside.exists() else (sys.executable, "-m", "invoke")


def check_text(title: str, project: Project, text: str) -> None:
    """Raise BareboatError when a program does not print the project's text."""
    if project.text not in text:
        raise BareboatError(f"{title} made an old program: it prints {text.strip()!r}, not {project.text!r}")


def find_ways(place: Workplace, docker: Docker | None, lack: str) -> tuple[Way, ...]:
    """All ways, Bareboat's first; the container that cargo works in runs from now on."""
    cargo = Cargo(place=place)
    cargo.start()
    return (
        Bareboat(place=place),
        PodmanBuild(place=place, title="`podman build` in a row", width=1),
        PodmanBuild(place=place, title="`podman build` at once", width=CORES),
        BuildKit(docker=docker, title="BuildKit in a row", width=1, absent=lack),
        BuildKit(docker=docker, title="BuildKit at once", width=CORES, absent=lack),
        BuildKit(docker=docker, title=RUN_TOO, width=1, absent=lack, run_too=True),
        cargo,
    )
