"""The user's own crate: cargo tells of it, in a toolchain's container, where Cargo.toml alone does not."""

from __future__ import annotations

import contextlib
import hashlib
import os
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from bareboat.commands.open_run import Order, WorkOptions, carry_out
from bareboat.commands.plan_inputs import teller
from bareboat.engine.containers import Work
from bareboat.errors import EngineError, HostError, SampleError
from bareboat.inputs.cargo_metadata import read_metadata
from bareboat.inputs.crate_files import source_files
from bareboat.inputs.extent import find_extent
from bareboat.inputs.git_ignored import ignored_by_git
from bareboat.inputs.load_recipes import load_recipes
from bareboat.inputs.sample import SOURCES
from bareboat.make.credentials import fetch_with_credentials
from bareboat.make.program import in_a_shell
from bareboat.make.sources import copy_sources
from bareboat.matrix.compile_faults import explain_compile
from bareboat.plan.cargo_commands import lock_commands, metadata_commands
from bareboat.plan.jobs import RootJob
from bareboat.plan.planner import plan_roots
from bareboat.system.files import read_file, write_whole
from bareboat.system.folders import find_folders, folder_digits

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bareboat.commands.project import Project
    from bareboat.inputs.cargo_metadata import CargoMetadata
    from bareboat.inputs.extent import Extent
    from bareboat.make.context import JobContext
    from bareboat.plan.jobs import Bases, Plan
    from bareboat.plan.planner import PlanInputs
    from bareboat.system.process import Processes


@dataclass(frozen=True, slots=True)
class Cargo:
    """Cargo in the container of a toolchain."""

    project: Project
    bases: Bases
    processes: Processes
    view: TextIO

    def tell(self, workspace: Path, package: Path) -> CargoMetadata:
        """What it says of the package in a workspace's folder; what it said of the same manifests is kept."""
        extent = self._extent(workspace)
        kept = _kept(workspace, extent, package, "json")
        if not kept.is_file():
            teller(self.view)(f"asking cargo for the packages and programs in {workspace}")
            write_whole(kept, self._tell(workspace, extent, package).encode())
        return read_metadata(kept.read_text(encoding="utf-8"), _mounted(workspace, extent), workspace)

    def lock(self, workspace: Path) -> Path:
        """A copy of a workspace that has no Cargo.lock, with the one that cargo makes of it; kept until it changes."""
        copy = find_folders().sources / f"locked-{folder_digits(workspace)}"
        extent = self._extent(workspace)
        kept = _kept(workspace, extent, workspace, "lock")
        place = Path(extent.place(workspace))
        lock = copy / place / "Cargo.lock"
        if kept.is_file():
            copy_sources(workspace, extent, copy, keep={place / "Cargo.lock"})
        else:
            says = "cargo makes one for a copy; `cargo generate-lockfile` there pins its crates"
            teller(self.view)(f"{workspace} has no Cargo.lock: {says}")
            copy_sources(workspace, extent, copy)
            self._lock(copy, _mounted(workspace, extent))
            write_whole(kept, read_file(lock))
        if not lock.is_file() or read_file(lock) != read_file(kept):
            write_whole(lock, read_file(kept))
        return copy / place

    def _extent(self, workspace: Path) -> Extent:
        return find_extent(workspace, partial(ignored_by_git, self.processes))

    def _tell(self, workspace: Path, extent: Extent, package: Path) -> str:
        # Nothing is copied to be asked about.
        parts = {f"{SOURCES}/{part}".rstrip("/"): extent.root(workspace) / part for part in extent.parts(workspace)}
        folder = f"{_mounted(workspace, extent)}/{package.relative_to(workspace)}"
        work = Work(image="", command=in_a_shell(metadata_commands()), mounts=parts, folder=folder)
        return self._work(work, workspace)

    def _lock(self, copy: Path, folder: str) -> None:
        home = find_folders().crates / "cargo"
        home.mkdir(parents=True, exist_ok=True)
        work = Work(
            image="",
            command=in_a_shell(lock_commands()),
            mounts={SOURCES: copy, "/cargo": home},
            writable=frozenset({SOURCES, "/cargo"}),
            folder=folder,
            network=True,
        )
        self._work(work, copy)

    def _work(self, work: Work, folder: Path) -> str:
        """Do some work in the first toolchain's image, with a folder mounted; what it wrote."""
        order = Order(book=load_recipes(self.project.recipes), samples=(), bases=self.bases, plan=_plan_toolchain)
        with carry_out(self.project, order, self.processes, self.view, WorkOptions(needs_engine=True)) as carried:
            context, job = carried.context, carried.plan.jobs[0]
            if context.remote or not isinstance(job, RootJob):
                raise HostError(
                    "an engine on another machine cannot have cargo look at a workspace: unset CONTAINER_HOST, or name "
                    "a crate with a Cargo.lock that is no workspace's and has one program"
                )
            log = context.log("cargo metadata")
            image = carried.run.outputs.root(job).image
            try:
                with _fetching(context, work, folder) as mounts:
                    context.engine.work(replace(work, image=image, mounts={**work.mounts, **mounts}), log)
            except EngineError as error:
                words = "\n".join(error.log_tail).replace(f"{SOURCES}/", f"{folder}/")
                cure = explain_compile(words)
                raise SampleError(f"{cure}\ncargo refuses what is in {folder}:\n{words}".lstrip()) from error
            return log.read_text(encoding="utf-8")


@contextlib.contextmanager
def _fetching(context: JobContext, work: Work, folder: Path) -> Iterator[dict[str, Path]]:
    """What is mounted besides for work that has a network, on the manifests in a folder."""
    if not work.network:
        yield {}
        return
    manifests = "\n".join(path.read_text(encoding="utf-8", errors="replace") for path in folder.rglob("Cargo.toml"))
    with fetch_with_credentials(context.processes, context.folders.scratch, manifests) as mounts:
        yield mounts


def _plan_toolchain(inputs: PlanInputs) -> Plan:
    """A plan that makes one toolchain."""
    plan = plan_roots(inputs)
    return replace(plan, jobs=plan.jobs[:1])


def _kept(workspace: Path, extent: Extent, package: Path, ending: str) -> Path:
    """Where what cargo said is kept, of all that it depends on."""
    return find_folders().cache / "metadata" / f"{_digest(workspace, extent, package)}.{ending}"


def _mounted(workspace: Path, extent: Extent) -> str:
    """Where a workspace is in a container that has all of its extent."""
    return f"{SOURCES}/{extent.place(workspace)}".rstrip("/")


def _digest(workspace: Path, extent: Extent, package: Path) -> str:
    """SHA-256 (hex) of all that cargo's answer may depend on: the manifests, and which files there are."""
    whole, root = hashlib.sha256(os.fsencode(package)), extent.root(workspace)
    for path in source_files(workspace, extent):
        whole.update(b"%s\0" % os.fsencode(path.relative_to(root)))
        if path.name == "Cargo.toml":
            whole.update(read_file(path))
    return whole.hexdigest()
