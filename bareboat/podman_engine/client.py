"""Podman by its command line: builds, work that is done in containers, what the user sits before, and pushes."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bareboat.engine.containers import RUN_LABEL
from bareboat.podman_engine.builds import OFFLINE
from bareboat.podman_engine.names import container_name
from bareboat.podman_engine.settings import cgroups
from bareboat.system.foreground import run_in_foreground

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from bareboat.engine.containers import Start, Work
    from bareboat.system.folders import Folders
    from bareboat.system.process import Processes

# Podman refuses a longer one where it is named.
_RUN_ROOT_BYTES = 50
_CONFINED = ("--cap-drop=all", "--security-opt=no-new-privileges")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attached:
    """A container that the user sits before: its input, output and errors are this process's own."""

    # Its image, command, limits, and whether it has a /tmp in memory.
    start: Start
    # Which of its ports are reached from this machine and how, as Podman spells it: `127.0.0.1:8080:80`.
    publish: tuple[str, ...] = ()
    # Whether it has a network though nothing is published.
    network: bool = False
    # Whether it may write to its image's own file system.
    writable: bool = False
    # Whether it has this process's input, and whether that and its output are a terminal.
    stdin: bool = True
    terminal: bool = False
    # For each signal of this process, the one that it is sent, and seconds until it is killed; 0 for never.
    answers: Mapping[int, tuple[int, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """Podman's command, as one run gives it."""

    processes: Processes
    # What is added to this process's own environment.
    environment: Mapping[str, str]
    # The run's: Podman's temporary files go into its own.
    folders: Folders
    # Whether CONTAINER_HOST names a service.
    remote: bool
    # Where Podman keeps what lives until the next boot; "" where that is not known yet.
    run_root: str = ""

    def run(
        self, arguments: Sequence[str], *, stdin: str = "", log: Path | None = None, before: Sequence[str] = ()
    ) -> str:
        """Run it to its end, as `Processes.run` does; `before` stands before the command."""
        command = [*before, *self.command(arguments)]
        return self.processes.run(command, env=self.own_environment, stdin=stdin.encode(), log=log)

    def command(self, arguments: Sequence[str]) -> list[str]:
        """The words of the whole command."""
        own = [f"--runroot={self.run_root}"] if self.run_root and _follows_tmpdir() and self._has_own else []
        return ["podman", *(["--remote"] if self.remote else own), *arguments]

    @property
    def own_environment(self) -> dict[str, str]:
        """What is added to the environment, with a folder for temporary files that goes with the run."""
        # What Podman leaves there when it is killed goes with the run's folder. Old Buildah keeps cache mounts there,
        # elsewhere under a name that all users of the machine share.
        own = not self.remote and self._has_own
        return {**self.environment, **({"TMPDIR": str(self.folders.own)} if own else {})}

    def work(self, work: Work, log: Path) -> None:
        """As `Containers.work` says."""
        self.run(work_arguments(work, self.folders.run), log=log)

    def attach(self, attached: Attached, name: str, send: Callable[[int], None]) -> int:
        """Run a container of that name in the foreground; returns its exit code. It stays, unless Bareboat is killed.

        `send` sends it a signal: of an ordinary user's, Podman 4.3 sends none on and ends with 0 at once.
        """
        # Elsewhere Podman would say at each run that it ignores them; the API ignored them, too.
        limited = self.remote or os.geteuid() == 0 or cgroups() == "v2"
        return run_in_foreground(
            self.processes,
            self.command(attached_arguments(attached, self.folders.run, name, limited=limited)),
            env=self.own_environment,
            cwd=self.folders.own,  # as with the service
            answers=attached.answers,
            send=send,
            if_killed=self.command(["rm", "--force", "--ignore", "--time=0", name]),
        )

    def push(self, image_id: str, reference: str, log: Path) -> str:
        """Send an image to a registry, by the user's own credentials; returns the digest that it is known by there.

        Raises EngineError with what Podman said.
        """
        digest = self.folders.own / "digest"
        words = ["push", f"--digestfile={digest}", image_id, f"docker://{reference}"]
        # By a TMPDIR of ours Podman would look for the user's credentials there, where nothing says where they are.
        self.processes.run(["podman", *(["--remote"] if self.remote else []), *words], env=self.environment, log=log)
        return digest.read_text(encoding="ascii").strip() if digest.exists() else ""

    @property
    def _has_own(self) -> bool:
        """Whether Podman can have a folder for its temporary files, with its run root where it was."""
        return not _follows_tmpdir() or 0 < len(os.fsencode(self.run_root)) <= _RUN_ROOT_BYTES


def work_arguments(work: Work, run: str) -> list[str]:
    """The words of a `podman run` that does some work; `run` is the digits of who gives it."""
    mounts = [
        f"--volume={source}:{place}{'' if place in work.writable else ':ro'}"
        for place, source in sorted(work.mounts.items())
    ]
    mounts += [f"--mount=type=image,source={image},destination={place}" for place, image in work.image_mounts.items()]
    program, *arguments = work.command
    options = ["--rm", "--pull=never", f"--workdir={work.folder}", *mounts]
    options += [*_marks(run, container_name(run)), *([] if work.network else OFFLINE)]
    # Labels of SELinux would be changed on folders that are not Podman's. The root of a container that is told to
    # end heeds no signal, so that whoever removes it need not wait.
    options += [*_CONFINED, "--security-opt=label=disable"]
    options += ["--user=0:0", "--stop-timeout=0", "--log-driver=none", f"--entrypoint={program}"]
    return ["run", *options, work.image, *arguments]


def attached_arguments(attached: Attached, run: str, name: str, *, limited: bool = True) -> list[str]:
    """The words of a `podman run` of a container of that name, confined as `containers.start` confines one.

    `limited` says whether memory and processes can be limited.
    """
    start, limits = attached.start, attached.start.limits
    options = ["--pull=never", "--sig-proxy=false", *_marks(run, name), *_CONFINED, "--umask=0022"]
    options += [f"--memory={limits.memory_bytes}b", f"--pids-limit={limits.processes}"] if limited else []
    options += [] if attached.writable else ["--read-only", "--read-only-tmpfs=false"]
    options += ["--tmpfs=/tmp:rw,nosuid,nodev,mode=1777"] if start.tmp else []
    # Nobody else is in a network of its own, so the program needs no capability to listen on any port.
    options += ["--sysctl=net.ipv4.ip_unprivileged_port_start=0"]
    options += [f"--publish={port}" for port in attached.publish]
    options += [f"--env={name}={value}" for name, value in sorted(start.environment.items())]
    if not attached.network:
        options += ["--http-proxy=false"] if attached.publish else OFFLINE
    options += ["--interactive"] if attached.stdin else []
    # In a terminal nobody but the program gets Ctrl-C, which ends no first process that does not handle it.
    options += ["--tty", "--detach-keys=ctrl-\\"] if attached.terminal else []
    # Podman has systemd ask, and says at each start where there is none.
    options += ["--stop-timeout=0", "--log-driver=none", "--no-healthcheck"]
    return ["run", *options, start.image, *start.command]


def _marks(run: str, name: str) -> list[str]:
    """What tells whose a container is."""
    return [f"--name={name}", f"--label={RUN_LABEL}={run}"]


def _follows_tmpdir() -> bool:
    """Whether Podman's run root, told nothing, is wherever TMPDIR is."""
    return os.geteuid() != 0 and not os.environ.get("XDG_RUNTIME_DIR")
