"""A Docker daemon of the benchmark's own, for BuildKit: its socket, store and containerd are private."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bareboat.errors import BareboatError, EngineError
from beside.commands import Command

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from beside.workplace import Workplace

START_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """The client and the daemon."""

    docker: str = "/usr/bin/docker"  # Debian's; another one earlier in PATH may be of another age
    dockerd: str = "dockerd"

    @property
    def lack(self) -> str:
        """Why there can be no daemon; empty where there can."""
        if os.geteuid():
            return "not as an ordinary user: Debian's dockerd needs root"
        if not shutil.which(self.dockerd) or not shutil.which(self.docker):
            return "not installed here: `apt-get install docker.io`"
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Docker:
    """A daemon that runs."""

    place: Workplace
    client: str
    folder: Path
    process: int
    version: str = ""

    def command(self, *words: str, folder: Path | None = None) -> Command:
        """A command of its client."""
        environment = {
            "DOCKER_HOST": f"unix://{self.folder}/socket",
            "DOCKER_CONFIG": str(self.folder / "config"),
            "DOCKER_BUILDKIT": "1",
        }
        return Command(argv=(self.client, *words), environment=environment, folder=folder or self.folder)

    def ask(self, *words: str) -> str:
        """What a command of its client writes."""
        return self.place.commands.run(self.command(*words))[1]

    def bring(self, images: Sequence[str]) -> None:
        """Have Podman's images."""
        archive = self.folder / "images.tar"
        self.place.ask_podman("save", "--quiet", "--multi-image-archive", f"--output={archive}", *images)
        self.ask("load", "--quiet", f"--input={archive}")
        archive.unlink()

    def processor_seconds(self) -> float:
        """What the daemon and its containerd have used of the processor, ended children included."""
        folder = Path("/proc")
        family, found = {self.process}, 0.0
        for stat in sorted(folder.glob("[0-9]*/stat"), key=lambda path: int(path.parent.name)):
            with contextlib.suppress(OSError):
                words = stat.read_text(encoding="utf-8").rpartition(")")[2].split()
                number = int(stat.parent.name)
                if number in family or int(words[1]) in family:
                    family.add(number)
                    found += sum(int(word) for word in words[11:15]) / os.sysconf("SC_CLK_TCK")
        return found


@contextlib.contextmanager
def open_docker(place: Workplace, tools: Tools) -> Iterator[Docker]:
    """Start a daemon and end it."""
    folder = place.root / "docker"
    folder.mkdir()
    argv = (
        tools.dockerd,
        *("--iptables=false", "--bridge=none", f"--host=unix://{folder}/socket", f"--pidfile={folder}/pid"),
        *(f"--data-root={folder}/data", f"--exec-root={folder}/exec"),
    )
    daemon, log = place.commands.start(Command(argv=argv, environment={}, folder=folder))
    try:
        docker = Docker(place=place, client=tools.docker, folder=folder, process=daemon.pid)
        deadline = time.monotonic() + START_SECONDS
        while True:
            with contextlib.suppress(EngineError):
                docker.ask("version")
                break
            if daemon.poll() is not None or time.monotonic() > deadline:
                tail = log.read_text(encoding="utf-8", errors="replace").splitlines()[-5:]
                raise BareboatError("\n".join(("dockerd does not start:", *tail)))
            time.sleep(0.2)
        yield docker
    finally:
        place.commands.end(daemon)
