"""What a user takes home of a cell: a Containerfile, what runs its image, a workflow that tries every base."""

from __future__ import annotations

import os
import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TextIO, get_args

from bareboat import __version__
from bareboat.commands.ask import ContainerfileOptions, complete
from bareboat.commands.last_results import last_result
from bareboat.commands.plan_inputs import kept_results, load_own, make_inputs, name_cell, teller
from bareboat.errors import InputError
from bareboat.inputs.cargo_metadata import find_workspace
from bareboat.inputs.limits import limits_of
from bareboat.inputs.lock import read_lock
from bareboat.inputs.manifest import crate_names
from bareboat.inputs.tomlfile import read_toml
from bareboat.plan.eject import Form, Service, eject
from bareboat.plan.planner import plan_named_cell
from bareboat.plan.public import Known, render_public
from bareboat.plan.workflow import render_workflow
from bareboat.result.values import Failed, Passed
from bareboat.system.printable import Exact

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path, PurePath

    from bareboat.commands.project import Project
    from bareboat.plan.jobs import Cell
    from bareboat.plan.planner import PlanInputs
    from bareboat.result.values import Provenance, Result
    from bareboat.system.process import Processes

_Kind = Form | Literal["containerfile", "github"]
_KINDS: tuple[_Kind, ...] = (*get_args(Form), "containerfile", "github")
# https://docs.docker.com/reference/cli/docker/image/tag/: host, repository, tag and digest.
_REFERENCE = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._/:@-]*[A-Za-z0-9])?")


@dataclass(frozen=True, slots=True, kw_only=True)
class EjectOptions(ContainerfileOptions):
    """The words of eject."""

    run: bool = False
    compose: bool = False
    kube: bool = False
    quadlet: bool = False
    containerfile: bool = False
    github: bool = False
    image: str = ""  # what the image is called where it will run; without it, its name here


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What is to be written, and what is known for it."""

    project: Project
    options: EjectOptions
    inputs: PlanInputs
    cell: Cell
    result: Result | None  # of the cell's last run
    tell: Callable[[str], None]


def print_ejected(project: Project, options: EjectOptions, processes: Processes, view: TextIO) -> str:
    """The one form that was asked for, of a cell; nothing is built, and no registry is asked."""
    kind, memory = _choose(options), kept_results(project, options.crate)
    # A public toolchain gets its packages from the Containerfile itself.
    extended = kind != "containerfile"
    book, samples = load_own(project, options, processes, view, memory=memory, extended=extended)
    inputs = make_inputs(book, samples, "registry")
    cell = plan_named_cell(inputs, samples, name_cell(options.cell, samples, options.crate)).cells[0]
    result = last_result(project, options.crate, cell.id)
    asked = _Asked(project=project, options=options, inputs=inputs, cell=cell, result=result, tell=teller(view))
    match kind:
        case "containerfile":
            return Exact(_write_containerfile(asked))
        case "github":
            return Exact(_write_workflow(asked))
        case _:
            return Exact(_write_run(asked, kind))


def _choose(options: EjectOptions) -> _Kind:
    chosen = [kind for kind in _KINDS if getattr(options, kind)]
    if len(chosen) != 1:
        raise InputError(f"which form? Say one of {', '.join(f'--{kind}' for kind in _KINDS)}")
    if options.image and options.github:
        raise InputError("--image is of no use with --github, which pushes no image")
    if options.image and not _REFERENCE.fullmatch(options.image):
        raise InputError(f"--image {options.image}: that is no name of an image, such as ghcr.io/me/app:1")
    return chosen[0]


def _write_run(asked: _Asked, form: Form) -> str:
    cell, image = asked.cell, asked.options.image
    if not image:
        asked.tell(f"{cell.image_name} is its name on this machine; --image names another")
    limits = limits_of(cell.recipe.runtime, os.cpu_count() or 1)
    return eject(cell, form, image or cell.image_name, limits, _find_service(asked))


def _write_containerfile(asked: _Asked) -> str:
    cell, result, crate = asked.cell, asked.result, asked.options.crate
    lock = read_lock(asked.project.lock, asked.inputs.platform.architecture)
    made_of = result.provenance if result else None
    passed = result is not None and isinstance(result.outcome, Passed)
    known = Known(
        crates=_find_crates(cell, made_of),
        service=_find_service(asked),
        measured=passed and made_of is not None and made_of.toolchain.kind == "registry",
        large_file_names=result.large_file_names if result else (),
    )
    if cell.completes:
        cell = complete(cell, result, asked.tell)
    tag = asked.options.image or cell.sample.name.replace("+", "_")
    text = render_public(cell, asked.inputs.book, lock, known, tag)
    if not lock.registry:
        asked.tell("it names tags, which move: where registries answer, `invoke lock --source registry` pins them")
    if crate:
        _ask_for_lock(crate.resolve(), cell.sample.folder / "Cargo.lock", asked.tell)
    return text


def _find_crates(cell: Cell, made_of: Provenance | None) -> Collection[str]:
    """The crates that its program is linked with, as far as a run has told; else all that its lock has."""
    if made_of and made_of.made and made_of.made.crates is not None:
        return made_of.made.crates
    return crate_names(read_toml(cell.sample.folder / "Cargo.lock", "Cargo.lock").value or {})


def _ask_for_lock(crate: Path, lock: Path, tell: Callable[[str], None]) -> None:
    """Say where a Cargo.lock is to be had, if the crate has none and cargo made one for a copy."""
    folder = find_workspace(crate) or crate
    if not (folder / "Cargo.lock").exists():
        tell(f"the build needs a Cargo.lock: {shlex.join(['cp', str(lock), str(folder)])}")


def _write_workflow(asked: _Asked) -> str:
    options = asked.options
    named = (("--package", options.package), ("--bin", options.bin), ("--sample", asked.cell.sample.name))
    words = [word for option, value in named if value for word in (option, value)]
    return render_workflow(asked.cell, _place((options.crate or asked.project.root).resolve()), words, __version__)


def _place(folder: Path) -> PurePath:
    """The folder in its git repository; one that is in none is taken for the whole of one."""
    root = next((parent for parent in (folder, *folder.parents) if (parent / ".git").exists()), folder)
    return folder.relative_to(root)


def _find_service(asked: _Asked) -> Service | None:
    """What the cell's last run was, if it ran on until it was told to end; says what is not known, or not well."""
    cell, result = asked.cell, asked.result
    ran = result.ran if result else None
    if ran is None and cell.sample.expectations[0].is_open:
        asked.tell(f"whether it is a service is not known: `invoke build-matrix --recipe {cell.recipe.name}` finds out")
    if result and isinstance(result.outcome, Failed):
        asked.tell(f"its last run failed: {result.outcome.reason}")
    if ran and ran.running:
        # What listens on loopback alone is reached by nobody, wherever it is published.
        ports = tuple(port for port in ran.ports if port not in ran.local_ports)
        return Service(ports=ports, heeds=ran.stop_seconds is not None)
    return Service() if cell.sample.service else None
