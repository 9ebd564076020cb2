"""The benchmark's own folder: projects, caches beside the user's, and all that is removed at the end."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import tomli_w

from bareboat.errors import BareboatError
from bareboat.podman_engine.session import session
from bareboat.system.folders import Folders, find_folders, remove
from bareboat.system.process import Processes
from beside.commands import Command, Commands
from beside.crates import Crate, put
from beside.recipes import MARK, Cell, write_containerfile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from bareboat.result.values import Host

CHECKOUT = Path(__file__).parents[2]
_TASKS = "from bareboat.tasks import program\n\nnamespace = program.namespace\n"


@dataclass(slots=True, kw_only=True)
class Project:
    """A folder with one crate, its recipes and its Containerfiles; every way has one of its own in each work."""

    root: Path
    label: str  # its own alone
    name: str  # the crate's and its program's
    crate: Crate
    cells: tuple[Cell, ...]
    whole: bool = False  # every recipe of the project, not only the cells
    text: str = ""  # what its program prints

    @property
    def sources(self) -> Path:
        """The crate's folder."""
        return self.root / "rust-samples" / self.name

    @property
    def containerfiles(self) -> Path:
        """The folder of the hand-written Containerfiles, each named by its cell."""
        return self.root / "containerfiles"

    def say(self, text: str) -> None:
        """Change the program's text."""
        self.text = text
        self.crate.write(self.sources, self.name, text)

    def set_cells(self, cells: tuple[Cell, ...]) -> None:
        """Write the cells as recipes and as Containerfiles."""
        self.cells = cells
        for cell in cells:
            text = write_containerfile(self.name, cell, cache=self.label, needs_crates=self.crate.needs_crates)
            put(self.containerfiles / cell.recipe, text)
            put(self.root / "recipes" / f"{cell.recipe}.toml", tomli_w.dumps(_recipe(cell)))


def _recipe(cell: Cell) -> dict[str, object]:
    content = tomllib.loads((CHECKOUT / "recipes" / f"{cell.like}.toml").read_text(encoding="utf-8"))
    if cell.environment:
        content["runtime"] = {**content.get("runtime", {}), "env": cell.environment}
    if cell.recipe != cell.like:
        content.pop("published", None)
        if "bootstrap" in content["base"]:
            content["base"]["bootstrap"] = {"kind": "same-as", "of": cell.like}
    return content


@dataclass(frozen=True, slots=True, kw_only=True)
class Workplace:
    """Where the benchmark works."""

    root: Path
    commands: Commands
    environment: Mapping[str, str]  # Podman's, for the peers
    host: Host

    def project(self, name: str, crate: Crate, cells: tuple[Cell, ...], *, whole: bool = False) -> Project:
        """Write a project whose crate has a name of the benchmark's."""
        root = self.root / "projects" / name
        shutil.copytree(CHECKOUT / "recipes", root / "recipes")
        for recipe in (root / "recipes").glob("*.toml"):
            # What is for samples that a project has not is a mistake in it.
            if "samples" in tomllib.loads(recipe.read_text(encoding="utf-8")):
                recipe.unlink()
        put(root / "tasks.py", _TASKS)
        label = f"{MARK}-{name}"
        project = Project(root=root, label=label, name=crate.name or label, crate=crate, cells=cells, whole=whole)
        project.set_cells(cells)
        return project

    def podman(self, *words: str, folder: Path | None = None) -> Command:
        """A command of Podman."""
        return Command(argv=("podman", *words), environment=self.environment, folder=folder or self.root)

    def ask_podman(self, *words: str) -> str:
        """What a command of Podman writes; nothing of it is timed."""
        return self.commands.run(self.podman(*words))[1]

    def clear(self) -> None:
        """Remove every container and image of the benchmark: they and what they were made of bear its mark."""
        listed = self.ask_podman("ps", "--all", f"--filter=name={MARK}", "--format={{.Names}}")
        for name in listed.split():
            self.ask_podman("rm", "--force", "--time=0", name)
        self.clear_images()

    def clear_images(self, keep: str = "") -> None:
        """Remove every image of the benchmark but the one that is to be kept.

        What a way leaves makes a store slower for all that share it.
        """
        found = json.loads(self.ask_podman("images", "--all", "--format=json") or "[]")
        own = {one["Id"] for one in found if any(MARK in name and name != keep for name in one.get("Names") or ())}
        nameless = [one["Id"] for one in found if not one.get("Names")]
        if nameless:
            inspected = json.loads(self.ask_podman("image", "inspect", *nameless))
            own |= {one["Id"] for one in inspected if MARK in json.dumps(one)}
        # What a build works in is no container that a plain list has; a killed one leaves it.
        working = json.loads(self.ask_podman("ps", "--all", "--external", "--format=json") or "[]")
        for one in working:
            if MARK in str(one["Image"]) or one["ImageID"].removeprefix("sha256:") in own:
                self.ask_podman("rm", "--force", one["Id"])
        for number in range(0, len(own), 100):
            batch = sorted(own)[number : number + 100]
            self.ask_podman("rmi", "--force", "--ignore", *batch)


@contextlib.contextmanager
def open_workplace(tell: Callable[[str], None]) -> Iterator[Workplace]:
    """Hold the benchmark's folder; nothing is left of it, of its images and containers, however it ends."""
    user = find_folders()
    root = user.cache.parent / MARK
    root.mkdir(parents=True, exist_ok=True)
    with (root.parent / f"{MARK}.lock").open("w") as lock:
        _take(lock.fileno())
        _empty(root)
        for name in ("logs", "tmp", "projects"):
            (root / name).mkdir(parents=True)
        os.environ |= {"XDG_CACHE_HOME": str(root / "cache"), "XDG_STATE_HOME": str(root / "state")}
        _share(user, find_folders())
        with session(Processes(), find_folders(), tell) as running:
            host, environment = running.engine.host(), dict(running.environment)
        # Buildah's cache mounts lie below TMPDIR.
        place = Workplace(
            root=root,
            commands=Commands(root / "logs"),
            environment={**environment, "TMPDIR": str(root / "tmp")},
            host=host,
        )
        try:
            place.clear()
            yield place
        finally:
            tell("removing what the benchmark made")
            place.commands.stop()
            _last(place, tell)
            _empty(root)


def _last(place: Workplace, tell: Callable[[str], None]) -> None:
    logs = place.root / "last-logs"
    logs.mkdir(exist_ok=True)
    last = Workplace(root=place.root, commands=Commands(logs), environment=place.environment, host=place.host)
    try:
        last.clear()
    except BareboatError as error:
        tell(f"the next run removes what is left of this one's images: {error.summary}")


def _take(descriptor: int) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise BareboatError("another benchmark runs; figures of two at once would be worth nothing") from None


def _share(user: Folders, own: Folders) -> None:
    """See the user's roots and programs, and write none: what the benchmark compiles goes with its folder."""
    for folder in (user.roots, user.programs, own.programs, own.engine, own.crates):
        folder.mkdir(parents=True, exist_ok=True)
    own.roots.symlink_to(user.roots)
    # One lock for both, since both work on one image store.
    (user.cache / "lock").touch()
    (own.cache / "lock").symlink_to(user.cache / "lock")
    for program in user.programs.iterdir():
        (own.programs / program.name).symlink_to(program)
    (user.crates / "cargo").mkdir(parents=True, exist_ok=True)
    (own.crates / "cargo").symlink_to(user.crates / "cargo")
    for name in ("runtimes.json", "tracer"):
        found = user.engine / name
        if found.is_dir():
            shutil.copytree(found, own.engine / name)
        elif found.exists():
            shutil.copy(found, own.engine / name)


def _empty(root: Path) -> None:
    for line in Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()[::-1]:
        # A daemon that was killed leaves its mounts.
        mounted = line.split()[1]
        if mounted.startswith(f"{root}/"):
            Processes().run(["umount", "--lazy", mounted])
    remove(Processes(), root)
