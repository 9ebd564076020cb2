"""`invoke bytes`: what every byte of a cell's image is, as it is shipped."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path  # noqa: TC003 (`fill` reads the fields' types)
from typing import TYPE_CHECKING, Literal, TextIO

from bareboat.breakdown import (
    Breakdown,
    Listed,
    Origins,
    break_down,
    crates_of,
    divide_program,
    find_file,
    find_stowaways,
    read_twin,
)
from bareboat.closure.owners import is_database, read_owners
from bareboat.commands.open_run import Order, WorkOptions, carry_out
from bareboat.commands.plan_inputs import OwnCrate, kept_results, load_own, name_cell, teller
from bareboat.errors import BareboatError, InputError, StoppedError
from bareboat.make.load import saved_image
from bareboat.make.twin import make_twin
from bareboat.plan.planner import plan_named_cell
from bareboat.report import breakdown_json, breakdown_text
from bareboat.system.printable import Exact

if TYPE_CHECKING:
    from bareboat.archive import Image
    from bareboat.breakdown import Symbols
    from bareboat.closure.owners import Owners
    from bareboat.commands.open_run import Carried
    from bareboat.commands.project import Project
    from bareboat.result.values import Result
    from bareboat.system.process import Processes


@dataclass(frozen=True, slots=True, kw_only=True)
class BytesOptions(OwnCrate):
    """The words of `invoke bytes`."""

    cell: str
    results: Path | None = None
    top: int = 0  # how many rows of each level the text has
    format: Literal["text", "json"] = "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """What a program's twin tells."""

    symbols: Symbols | None
    same: bool | None
    says: str


def print_bytes(project: Project, options: BytesOptions, processes: Processes, view: TextIO) -> tuple[str, int]:
    """The breakdown of a cell's image; what of the cell does not stand is made first."""
    if not options.top:
        raise InputError("--top 0: it takes how many rows of each level are to be told, such as 5")
    memory = options.results or kept_results(project, options.crate)
    book, samples = load_own(project, options, processes, view, memory=memory)
    cell = name_cell(options.cell, samples, options.crate)
    planned = partial(plan_named_cell, samples=samples, cell_id=cell)
    order = Order(book=book, samples=samples, bases=options.bases, plan=planned)
    # An image is read as an engine saves it.
    work = WorkOptions(results=memory, needs_engine=True)
    with carry_out(project, order, processes, view, work) as carried:
        found = _break_down(carried, carried.run.results[0], view)
    if options.format == "json":
        return Exact(breakdown_json(found)), 0
    return breakdown_text(found, options.top), 0


def _break_down(carried: Carried, result: Result, view: TextIO) -> Breakdown:
    if result.provenance is None:
        reason = getattr(result.outcome, "reason", "it was not tried")
        raise BareboatError(
            f"{result.cell} came to no image: {reason}\n"
            f"  `invoke build-matrix --sample {result.sample} --recipe {result.recipe}` builds it, and says more"
        )
    cell = carried.plan.cells[0]
    path = cell.program_path.lstrip("/")
    with saved_image(carried.context, result.provenance.image_id) as image:
        content = image.read(path)
        twin = _read_twin(carried, content, view)
        origins = Origins(
            program=path, copies=_copies(result, path), owners=_owners(image), has_base=cell.base is not None
        )
        divided = break_down(image, origins, divide_program(content, twin.symbols))
        return Breakdown(
            cell=result.cell,
            image_id=image.id,
            image=divided,
            program=find_file(divided, cell.program_path),
            same_twin=twin.same,
            twin=twin.says,
            stowaways=find_stowaways(image, divided, path),
        )


def _read_twin(carried: Carried, content: bytes, view: TextIO) -> _Read:
    job = carried.plan.cells[0].program
    program = carried.run.outputs.program(job)
    crates = crates_of((job.sample.binary, job.sample.crate, *(program.crates or ())))
    try:
        twin = make_twin(carried.context, job, program.toolchain, teller(view))
        symbols, same, says = read_twin(content, twin.content, Listed(names=twin.names, map=twin.map), crates)
    except StoppedError:
        raise
    except BareboatError as error:
        return _Read(symbols=None, same=None, says=f"none, so no symbols: {str(error).partition(chr(10))[0]}")
    return _Read(symbols=symbols, same=same, says=says)


def _copies(result: Result, program: str) -> dict[str, str]:
    """What brought each copy that a manifest has, by path."""
    rows = ((row.path.strip("/"), row) for row in result.manifest)
    return {
        path: f"{row.package} {row.version}".rstrip() if row.package else f"copied for: {row.why}"
        for path, row in rows
        if path != program
    }


def _owners(image: Image) -> Owners:
    files = image.files()
    databases = [path for path, file in files.items() if file.kind == "file" and is_database(path)]
    return read_owners({path: image.read(path) for path in databases})
