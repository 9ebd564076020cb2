"""`invoke closure`: what a program needs at run time, found three ways; and on which bases a program would start."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from tabulate import tabulate

from bareboat.archive import File, ImageConfig, open_image, write_image
from bareboat.check.prediction import closure_of
from bareboat.closure import find_closure
from bareboat.closure.owners import DATABASES, Owners, read_owners
from bareboat.commands.listing import list_closure
from bareboat.commands.project import Project, WorkOptions, find_harbor, open_yard, this_platform
from bareboat.elf import read_elf
from bareboat.errors import BareboatError, InputError, SelectionError
from bareboat.inputs.load_recipes import load_recipes
from bareboat.inputs.sample import load_samples
from bareboat.make.context import Measured, RootImage
from bareboat.make.copies import fetch_aboard
from bareboat.make.image import saved_image
from bareboat.matrix.source import Bases  # noqa: TC001 (the console reads these types)
from bareboat.plan.jobs import Plan, Selection
from bareboat.plan.planner import make_cell, make_plan, select_recipes
from bareboat.system.folders import find_folders

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bareboat.archive import Image
    from bareboat.closure import Closure
    from bareboat.commands.project import Yard
    from bareboat.inputs.recipe import RecipeBook
    from bareboat.plan.jobs import Cell
    from bareboat.system.process import Processes


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosureOptions:
    """`what` is a cell or a program's file; `recipe` a pattern of those that the file is tried on."""

    what: str
    recipe: str = ""
    bases: Bases = "auto"


def print_closure(project: Project, options: ClosureOptions, processes: Processes, view: TextIO) -> tuple[str, int]:
    """The closure of a cell as a tree; of a program's file, the bases that it would start on, or its tree on one."""
    book, what = load_recipes(project.recipes), options.what
    # A question leaves the project's results as they are.
    work = WorkOptions(bases=options.bases, results=find_folders().cache / "results")
    program = None if "@" in what else _Program.read(Path(what))
    recipes = select_recipes(book, options.recipe)
    with open_yard(project, book, processes, view, work) as yard:
        if program is None:
            return _of_cell(yard, book, what)
        # What a cell stands on is all that is asked of it here; whose program it would be is no matter.
        sample, port = load_samples(project.samples)[0], yard.port(book, ())
        cells = [make_cell(sample, one, port) for one in recipes]
        roots = tuple(dict.fromkeys(job for cell in cells for job in cell.roots))
        run = yard.run(Plan(source=yard.source, platform=this_platform(), jobs=roots, skipped=()))
        made = {output.source.reference: output for output in run.outputs if isinstance(output, RootImage)}
        found: dict[str, Closure] = {}
        for cell in cells:
            with _stand(yard, cell, made) as image:
                closure = find_closure(_Overlay(image=image, program=program), program.path)
                found[cell.recipe.name] = closure
                if len(cells) == 1:
                    return list_closure(closure, _owners(image), ()), 0
    rows = [(name, "starts" if one.starts else "fails", one.reason) for name, one in found.items()]
    return tabulate(rows, ("Recipe", "There it", "Because")), 0


def _of_cell(yard: Yard, book: RecipeBook, cell_id: str) -> tuple[str, int]:
    sample, _, recipe = cell_id.partition("@")
    selection = Selection(samples=(sample,), recipes=(recipe,))
    samples = load_samples(yard.project.samples)
    plan = make_plan(
        book, samples, selection, source=yard.source, platform=this_platform(), harbor=find_harbor(samples)
    )
    if len(plan.cells) != 1:
        there = ", ".join(cell.id for cell in plan.cells)
        raise SelectionError(f"'{cell_id}' is not one cell; there are: {there}")
    run = yard.run(plan)
    result = next(output.result for output in run.outputs if isinstance(output, Measured))
    if result.provenance is None:
        raise BareboatError(f"{cell_id} came to no image: {getattr(result.outcome, 'reason', '')}")
    with saved_image(yard.workshop, result.provenance.image_id) as image:
        closure = closure_of(image, plan.cells[0].program_path)
        return list_closure(closure, _owners(image), result.manifest), 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Program:
    """A program of this machine, as it would lie in an image."""

    path: str
    content: bytes

    @classmethod
    def read(cls, path: Path) -> _Program:
        try:
            content = path.read_bytes()
        except OSError as error:
            raise InputError(f"{path}: {error.strerror}; give a program's file, or a cell: SAMPLE@RECIPE") from error
        try:
            read_elf(content)
        except BareboatError as error:
            raise InputError(f"{path}: {error}") from error
        return cls(path=f"/{path.name}", content=content)


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


@contextlib.contextmanager
def _stand(yard: Yard, cell: Cell, made: Mapping[str, RootImage]) -> Iterator[Image]:
    """What the cell's program would stand on: its base, or what comes aboard an empty one."""
    if cell.base:
        with saved_image(yard.workshop, made[cell.base.reference].reference) as image:
            yield image
        return
    items = fetch_aboard(yard.workshop, cell, {job: made[job.reference] for job in cell.roots})
    archive = yard.workshop.folders.scratch / "aboard.oci.tar"
    try:
        write_image([item.entry for item in items], ImageConfig(), reference="aboard", to=archive)
        yield open_image(archive)
    finally:
        archive.unlink(missing_ok=True)


def _owners(image: Image) -> Owners:
    paths = [path for path in image.files() if any(fnmatchcase(path, pattern) for pattern in DATABASES)]
    return read_owners({path: image.read(path) for path in paths if image.files()[path].kind == "file"})
