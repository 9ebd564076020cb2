"""`invoke closure`: what a program needs at run time, found three ways; and on which bases a program would start."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TextIO, TypeVar

from tabulate import tabulate

from bareboat.archive import File, ImageConfig, open_image, write_image
from bareboat.check.prediction import closure_of
from bareboat.closure import find_closure
from bareboat.closure.owners import Owners, is_database, read_owners
from bareboat.commands.listing import list_closure
from bareboat.commands.open_run import Order, WorkOptions, carry_out
from bareboat.commands.plan_inputs import OwnCrate, kept_results, load_own, name_cell
from bareboat.elf import read_elf
from bareboat.errors import BareboatError, InputError
from bareboat.inputs.load_recipes import load_recipes
from bareboat.inputs.sample import Sample
from bareboat.make.base_archive import open_base
from bareboat.make.copies import fetch_copies
from bareboat.make.load import saved_image, scratch_archive
from bareboat.plan.jobs import Plan
from bareboat.plan.planner import plan_cell, plan_named_cell, select_recipes
from bareboat.system.files import read_file
from bareboat.system.folders import find_folders

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from bareboat.archive import Image
    from bareboat.closure import Closure
    from bareboat.commands.project import Project
    from bareboat.inputs.recipe import Recipe
    from bareboat.make.context import JobContext, Outputs
    from bareboat.plan.jobs import Cell
    from bareboat.plan.planner import PlanInputs
    from bareboat.system.process import Processes

_Made = TypeVar("_Made")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosureOptions(OwnCrate):
    """The words of `invoke closure`."""

    what: str  # a cell, or a program's file; with a crate a cell, of which the recipe alone will do
    recipe: str = ""  # a pattern of the recipes that the file is tried on


def print_closure(project: Project, options: ClosureOptions, processes: Processes, view: TextIO) -> tuple[str, int]:
    """The closure of a cell as a tree; of a program's file, the bases that it would start on, or its tree on one."""
    if "@" in options.what or (options.crate and not Path(options.what).is_file()):
        return _of_cell(project, options, processes, view), 0
    return _of_file(project, options, processes, view), 0


def _of_cell(project: Project, options: ClosureOptions, processes: Processes, view: TextIO) -> str:
    book, samples = load_own(project, options, processes, view, memory=kept_results(project, options.crate))
    cell = name_cell(options.what, samples, options.crate)
    order = Order(
        book=book, samples=samples, bases=options.bases, plan=lambda inputs: plan_named_cell(inputs, samples, cell)
    )
    with carry_out(project, order, processes, view, _answering()) as carried:
        result = carried.run.results[0]
        if result.provenance is None:
            raise BareboatError(f"{cell} came to no image: {getattr(result.outcome, 'reason', '')}")
        with saved_image(carried.context, result.provenance.image_id) as image:
            return list_closure(closure_of(image, carried.plan.cells[0].program_path), _owners(image), result.manifest)


def _of_file(project: Project, options: ClosureOptions, processes: Processes, view: TextIO) -> str:
    program, book = _Program.read(Path(options.what)), load_recipes(project.recipes)
    recipes = select_recipes(book, options.recipe)
    found: dict[str, Closure] = {}
    order = Order(
        book=book, samples=(), bases=options.bases, plan=lambda inputs: _roots(_cells(inputs, program, recipes), inputs)
    )
    with carry_out(project, order, processes, view, _answering()) as carried:
        cells = _cells(carried.inputs, program, recipes)
        for cell in cells:
            with _without_program(carried.context, cell, carried.run.outputs) as image:
                closure = find_closure(_Overlay(image=image, program=program), program.path)
                found[cell.recipe.name] = closure
                if len(cells) == 1:
                    return list_closure(closure, _owners(image), ())
    rows = [(name, "starts" if closure.starts else "fails", closure.reason) for name, closure in found.items()]
    return tabulate(rows, ("Recipe", "There it", "Because"))


def _cells(inputs: PlanInputs, program: _Program, recipes: Sequence[Recipe]) -> list[Cell]:
    return [plan_cell(program.sample, recipe, inputs) for recipe in recipes]


def _roots(cells: Sequence[Cell], inputs: PlanInputs) -> Plan:
    """The plan of what the cells stand on or copy from."""
    roots = tuple(dict.fromkeys(job for cell in cells for job in cell.roots))
    return Plan(source=inputs.source, platform=inputs.platform, jobs=roots, skipped=())


def _answering() -> WorkOptions:
    # A question leaves the project's results as they are, and reads images, which an engine has to save.
    return WorkOptions(results=find_folders().results, needs_engine=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Program:
    """A program of this machine, as it would lie in an image."""

    path: str
    content: bytes

    @classmethod
    def read(cls, path: Path) -> _Program:
        try:
            content = read_file(path)
        except OSError as error:
            raise InputError(f"{path}: {error.strerror}; give a program's file, or a cell: SAMPLE@RECIPE") from error
        try:
            read_elf(content)
        except BareboatError as error:
            raise InputError(f"{path}: {error}") from error
        return cls(path=f"/{path.name}", content=content)

    @property
    def sample(self) -> Sample:
        """The program as a sample that is compiled already."""
        name = self.path.lstrip("/")
        return Sample(
            name=name,
            crate=name,
            summary="",
            folder=Path(),
            binary=name,
            needs_crates=False,
            expectations=(),
            digest="",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Overlay:
    """An image with one program more in it."""

    image: Image
    program: _Program

    def find(self, path: str) -> File | None:
        if f"/{path.strip('/')}" != self.program.path:
            return self.image.find(path)
        size = len(self.program.content)
        name = self.program.path.lstrip("/")
        return File(path=name, kind="file", mode=0o755, uid=0, gid=0, size_bytes=size, sha256="", target="")

    def read(self, path: str) -> bytes:
        return self.program.content if f"/{path.strip('/')}" == self.program.path else self.image.read(path)

    def read_as(self, path: str, reader: Callable[[bytes], _Made]) -> _Made:
        if f"/{path.strip('/')}" == self.program.path:
            return reader(self.program.content)
        return self.image.read_as(path, reader)


@contextlib.contextmanager
def _without_program(context: JobContext, cell: Cell, outputs: Outputs) -> Iterator[Image]:
    """The cell's image without its program: its base, or what comes aboard an empty one."""
    if cell.base:
        yield open_base(context, cell.base, outputs.root(cell.base))
        return
    items = fetch_copies(context, cell.recipe.name, cell.copies, outputs.roots(cell), outputs.crew(cell))
    with scratch_archive(context.folders.scratch) as archive:
        write_image([item.entry for item in items], ImageConfig(), reference="aboard", to=archive)
        yield open_image(archive)


def _owners(image: Image) -> Owners:
    files = image.files()
    databases = [path for path, file in files.items() if file.kind == "file" and is_database(path)]
    return read_owners({path: image.read(path) for path in databases})
