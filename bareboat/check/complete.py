"""Completes an image: libraries that its program's closure misses come aboard from the toolchain.

No recipe knows every program. What it is linked to the toolchain has, for there it was linked; where a library asks for
symbols that the base's own have not, the closure says so afterwards.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bareboat.check.prediction import closure_of, find_provider
from bareboat.errors import BareboatError, StoppedError
from bareboat.inputs.recipe import Copy
from bareboat.make.copies import fetch_copies, owners_in
from bareboat.make.image import assemble, gather_contents
from bareboat.plan.jobs import PlannedCopy
from bareboat.result.values import Completed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bareboat.closure import Closure
    from bareboat.make.context import JobContext, Outputs
    from bareboat.make.image import ImageContents
    from bareboat.plan.jobs import Cell

# A library may need others in turn; a chain of more would be none that anybody links.
_ROUNDS = 20


def gather_whole(context: JobContext, cell: Cell, outputs: Outputs) -> ImageContents:
    """Everything for a cell's image, as the jobs before it made it, completed where the cell is one that is."""
    contents = gather_contents(context, cell, outputs)
    return complete(context, contents) if cell.completes else contents


def complete(context: JobContext, contents: ImageContents) -> ImageContents:
    """The contents with all libraries that the program needs and the toolchain has; what it has not stays missing."""
    tried: set[str] = set()
    for _ in range(_ROUNDS):
        with assemble(context, contents) as (_, image):
            closure = closure_of(image, contents.cell.program_path, contents.cell.loads)
        wanted = [copy for copy in _copies(context, contents, closure) if copy.to not in tried]
        if not wanted:
            break
        tried |= {copy.to for copy in wanted}
        for copy in wanted:
            contents = _with(context, contents, copy)
    return contents


def _with(context: JobContext, contents: ImageContents, copy: Copy) -> ImageContents:
    """The contents with one library more; as they are where the toolchain's own list of files is wrong."""
    toolchain, root = contents.cell.program.toolchain, contents.program.toolchain
    planned = PlannedCopy(copy=copy, source=toolchain)
    first = 1 + max((item.number for item in contents.items), default=-1)
    try:
        items = fetch_copies(context, contents.cell.recipe.name, [planned], {toolchain: root}, first=first)
    except StoppedError:
        raise
    except BareboatError:
        return contents
    brought = Completed(path=copy.path or "", to=copy.to, why=copy.why)
    return replace(contents, items=(*contents.items, *items), completed=(*contents.completed, brought))


def _copies(context: JobContext, contents: ImageContents, closure: Closure) -> Iterator[Copy]:
    for missing in closure.missing:
        # What is aboard and does not fit is no library that is missing; what is looked for at run time may be spared.
        if not missing.required or missing.versions or missing.found:
            continue
        if provider := find_provider(missing, owners_in(context, contents.program.toolchain)):
            path, target, _ = provider
            needed_by = missing.needed_by or contents.cell.program_path
            why = f"{needed_by} {'loads it while it runs' if missing.way == 'dlopen' else 'needs it'}"
            yield Copy(source="toolchain", path=path, to=target, why=why)
