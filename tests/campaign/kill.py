"""Kills runs at random moments, and looks each time whether the next one completes and anything is left or lost.

From the project's root, on real Podman: `python -m tests.campaign.kill --times 1000`. What a bystander has on our
bases, a container, an image, a volume and a build that is under way, must be there to the end.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from bareboat.console import tell
from bareboat.errors import BareboatError
from bareboat.measurements import timed_names
from bareboat.podman_engine.settings import podman_environment
from bareboat.system.folders import find_folders
from tests.integration.harbour import Project, copy_project, descendants, leftovers, podman

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

BASE = "localhost/bareboat/base/alpine:bootstrap"
CELLS = ("--recipe=scratch-musl", "--recipe=alpine", "--sample=hello-world", "--bases=bootstrap")
# What is killed, and how often among a hundred: a run that does all again, one that makes a base too, one of each kind.
WORKS = {
    "matrix": (70, ("build-matrix", "--force", *CELLS)),
    "base": (10, ("build-matrix", "--force", *CELLS)),
    "scratch": (10, ("scratch", "--libc=musl", "--bases=bootstrap", "--force")),
    "closure": (10, ("closure", "hello-world@alpine", "--bases=bootstrap")),
}
ENDING_SECONDS = 5.0
# Differ from run to run, and say nothing of what is lost.
TIMED = (*sorted(timed_names()), "build", "target_folder", "measured_at", "not_taken")


def is_timed(key: str) -> bool:
    """Whether a key of a row is of a figure that is another in each run."""
    return any(key == name or key.startswith(f"{name}_") for name in TIMED)


class LostError(BareboatError):
    """Something is left, lost or changed after a kill."""


@dataclass(slots=True, kw_only=True)
class Bystander:
    """Somebody else on the same machine, who uses our bases and knows nothing of us."""

    name: str
    build: subprocess.Popen[bytes]
    had: tuple[str, ...] = ()

    def has(self) -> tuple[str, ...]:
        """What the bystander has, a word for each thing."""
        containers = podman("ps", "--all", "--external", "--format={{.Names}}").split()
        building = [name for name in containers if "working-container" in name]
        own = [name for name in containers if self.name in name]
        images = podman("images", "--format={{.Repository}}", f"--filter=label=by={self.name}").split()
        volumes = podman("volume", "ls", "--quiet", f"--filter=name={self.name}").split()
        alive = [] if self.build.poll() is not None else ["a build under way"]
        return (*building, *own, *images, *volumes, *alive)


@contextlib.contextmanager
def stand_by(folder: Path) -> Iterator[Bystander]:
    """A bystander, for as long as the block runs."""
    name = f"bystander-{secrets.token_hex(4)}"
    environment = {**os.environ, **podman_environment(find_folders().engine)}
    podman("volume", "create", name)
    podman("create", f"--name={name}", f"--label=by={name}", "--network=none", BASE, "true")
    text = f"FROM {BASE}\nLABEL by={name}\n"
    podman("build", "--quiet", f"--tag=localhost/{name}", "--file=-", str(folder), stdin=text)
    argv = ["podman", "build", "--network=none", "--file=-", str(folder)]
    with subprocess.Popen(
        argv, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment
    ) as build:
        try:
            build.stdin.write(f"FROM {BASE}\nRUN sleep 1000000\n".encode())
            build.stdin.close()
            bystander = Bystander(name=name, build=build)
            while not any("working-container" in word for word in bystander.has()):
                time.sleep(0.1)
            bystander.had = bystander.has()
            yield bystander
        finally:
            for process in (*descendants(build.pid), build.pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
            build.wait()
            for word in bystander.had:
                if "working-container" in word:
                    podman("rm", "--force", "--time=0", word)
            podman("rm", "--force", "--time=0", name)
            podman("rmi", "--force", f"localhost/{name}")
            podman("volume", "rm", name)


@dataclass(slots=True, kw_only=True)
class Campaign:
    """One series of kills."""

    project: Project
    results: Path
    bystander: Bystander
    dice: random.Random
    reference: str = ""
    seconds: dict[str, float] = field(default_factory=dict)  # what each work took last when nobody killed it
    killed: dict[str, int] = field(default_factory=dict)
    ended: int = 0  # runs that had ended before the kill; they are no kills

    def prepare(self) -> None:
        """Do every work once to its end, so that it is known what comes of it and how long it takes."""
        for name, (_, words) in WORKS.items():
            self.before(name)
            begin = time.monotonic()
            self.complete(words)
            self.seconds[name] = time.monotonic() - begin
        self.reference = self.table()

    def before(self, name: str) -> None:
        """Have a base made within reach of the kill, too."""
        if name == "base":
            # Containers use it, and keep its layers; only the name goes.
            podman("untag", BASE)

    def complete(self, words: Sequence[str]) -> str:
        """Run to the end; its answer. Raises LostError when it fails."""
        answer = self.project.invoke(*words, *self.options(words))
        if answer.returncode:
            raise LostError(f"`invoke {' '.join(words)}` failed: {answer.stderr[-2000:]}")
        return answer.stdout

    def options(self, words: Sequence[str]) -> tuple[str, ...]:
        """Where a matrix keeps its results."""
        return (f"--results={self.results}",) if words[0] == "build-matrix" else ()

    def table(self) -> str:
        """The table after a run that goes on where the last one was."""
        rows = json.loads(self.complete(("build-matrix", "--format=json", *CELLS)))
        return json.dumps([{key: row[key] for key in row if not is_timed(key)} for row in rows], indent=1)

    def kill_once(self) -> None:
        """Kill one run; raises LostError when the next one is not as if nothing had been."""
        while not self.hit():
            self.ended += 1
            self.check()
        self.check()

    def hit(self) -> bool:
        """Start one run and kill it; whether it was still at work."""
        name = self.dice.choices(list(WORKS), [share for share, _ in WORKS.values()])[0]
        words = WORKS[name][1]
        self.before(name)
        begin = time.monotonic()
        run = self.project.start(*words, *self.options(words))
        try:
            _, said = run.communicate(timeout=self.dice.uniform(0.0, 1.1 * self.seconds[name]))
        except subprocess.TimeoutExpired:
            run.kill()
            run.communicate()
            self.killed[name] = self.killed.get(name, 0) + 1
            return True
        if run.returncode:
            raise LostError(f"`invoke {' '.join(words)}`, which nobody killed, failed: {said[-2000:]}")
        # The machine is quicker now than it was.
        self.seconds[name] = time.monotonic() - begin
        return False

    def check(self) -> None:
        """Raise LostError unless the next run completes with the same table, and nothing is left or lost."""
        table = self.table()
        if table != self.reference:
            raise LostError(f"the table is another one:\n{table}\nnot\n{self.reference}")
        if left := still_there():
            raise LostError(f"left behind: {left}")
        if (has := self.bystander.has()) != self.bystander.had:
            raise LostError(f"the bystander has {has}, not {self.bystander.had}")
        if half := [str(path) for path in self.results.rglob(".*.tmp-*")]:
            raise LostError(f"half written: {half}")


def still_there() -> list[str]:
    """What is left of a run some seconds after the next has ended; a process takes a moment to do as it is told."""
    deadline = time.monotonic() + ENDING_SECONDS
    while (left := leftovers()) and time.monotonic() < deadline:
        time.sleep(0.1)
    return left


def run_campaign(times: int, seed: int) -> int:
    """Kill that often; the exit code."""
    with tempfile.TemporaryDirectory() as name, stand_by(Path(name)) as bystander:
        project = copy_project(Path(name, "project"))
        results = Path(name, "results")
        campaign = Campaign(project=project, results=results, bystander=bystander, dice=random.Random(seed))
        campaign.prepare()
        begin = time.monotonic()
        for number in range(1, times + 1):
            try:
                campaign.kill_once()
            except BareboatError as error:
                tell(f"kill {number} of {times}, seed {seed}: {error}")
                return 1
            except KeyboardInterrupt:
                tell(f"stopped in kill {number} of {times}, seed {seed}: nothing lost until then")
                return 130
            if number % 10 == 0 or number == times:
                spent = time.monotonic() - begin
                tell(f"{number} of {times} killed ({spent:.0f} s), {campaign.ended} more had ended before")
        figures = f"{campaign.killed}; {campaign.ended} more had ended before"
        sys.stdout.write(f"{times} kills, seed {seed}: {figures}; nothing left, nothing lost\n")
    return 0


def main(words: Sequence[str] | None = None) -> int:
    """The command line; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--times", type=int, default=1000, help="how many runs are killed (default: 1000)")
    parser.add_argument("--seed", type=int, default=None, help="repeats the moments of an earlier campaign")
    options = parser.parse_args(words)
    return run_campaign(options.times, options.seed if options.seed is not None else secrets.randbelow(2**32))


if __name__ == "__main__":
    sys.exit(main())
