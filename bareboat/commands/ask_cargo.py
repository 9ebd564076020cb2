"""The user's own crate: cargo tells of it, in a toolchain's container, where Cargo.toml alone does not."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TextIO

from bareboat.commands.open_run import Order, WorkOptions, carry_out
from bareboat.commands.plan_inputs import teller
from bareboat.engine.containers import Work
from bareboat.errors import EngineError, HostError, SampleError
from bareboat.inputs.cargo_metadata import COMMAND, read_metadata
from bareboat.inputs.crate_files import source_files
from bareboat.inputs.load_recipes import load_recipes
from bareboat.plan.jobs import RootJob
from bareboat.plan.planner import plan_roots
from bareboat.system.files import read_file, write_whole
from bareboat.system.folders import find_folders

if TYPE_CHECKING:
    from pathlib import Path

    from bareboat.commands.project import Project
    from bareboat.inputs.cargo_metadata import CargoMetadata
    from bareboat.plan.jobs import Bases, Plan
    from bareboat.plan.planner import PlanInputs
    from bareboat.system.process import Processes

_MOUNTED = "/src"


@dataclass(frozen=True, slots=True)
class Cargo:
    """Cargo in the container of a toolchain."""

    project: Project
    bases: Bases
    processes: Processes
    view: TextIO

    def ask(self, workspace: Path, package: Path) -> CargoMetadata:
        """What it says of the package in a workspace's folder; what it said of the same manifests is kept."""
        kept = find_folders().cache / "metadata" / f"{_digest(workspace, package)}.json"
        if not kept.is_file():
            teller(self.view)(f"asking cargo for the packages and programs in {workspace}")
            write_whole(kept, self._run(workspace, package).encode())
        return read_metadata(kept.read_text(encoding="utf-8"), _MOUNTED, workspace)

    def _run(self, workspace: Path, package: Path) -> str:
        order = Order(book=load_recipes(self.project.recipes), samples=(), bases=self.bases, plan=_plan_toolchain)
        work = WorkOptions(needs_engine=True)
        with carry_out(self.project, order, self.processes, self.view, work) as carried:
            context, job = carried.context, carried.plan.jobs[0]
            if context.remote or not isinstance(job, RootJob):
                raise HostError(
                    "an engine on another machine cannot have cargo look at a workspace: unset CONTAINER_HOST, or name "
                    "a crate that is no workspace's and has one program"
                )
            asked = Work(
                image=carried.run.outputs.root(job).image,
                command=COMMAND,
                mounts={_MOUNTED: workspace},
                folder=f"{_MOUNTED}/{package.relative_to(workspace)}",
            )
            log = context.log("cargo metadata")
            try:
                context.engine.work(asked, log)
            except EngineError as error:
                words = "\n".join(error.log_tail).replace(f"{_MOUNTED}/", f"{workspace}/")
                raise SampleError(f"cargo refuses the package in {package}:\n{words}") from error
            return log.read_text(encoding="utf-8")


def _plan_toolchain(inputs: PlanInputs) -> Plan:
    """A plan that makes one toolchain."""
    plan = plan_roots(inputs)
    return replace(plan, jobs=plan.jobs[:1])


def _digest(workspace: Path, package: Path) -> str:
    """SHA-256 (hex) of all that cargo's answer may depend on: the manifests, and which files there are."""
    whole = hashlib.sha256(os.fsencode(package))
    for path in source_files(workspace):
        whole.update(b"%s\0" % os.fsencode(path.relative_to(workspace)))
        if path.name == "Cargo.toml":
            whole.update(read_file(path))
    return whole.hexdigest()
