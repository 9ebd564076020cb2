"""Before a program runs: whether it will start in its image, what is missing, and the line that brings it aboard. Pure.

The closure of the program in the image as shipped decides, symbol versions included. What is predicted not to start is
run all the same, confined as ever: a wrong prediction of either kind is seen, and fails its cell.
"""

from __future__ import annotations

import posixpath
from dataclasses import replace
from typing import TYPE_CHECKING

from bareboat.closure import find_closure
from bareboat.result.values import Failed, Preflight

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bareboat.archive import Image
    from bareboat.check.runs import Verdict
    from bareboat.closure import Closure, Missing
    from bareboat.closure.owners import Owner, Owners
    from bareboat.inputs.expected import ExpectedFailure
    from bareboat.plan.jobs import Cell


def closure_of(image: Image, program_path: str, loads: Sequence[str] = ()) -> Closure:
    """The program's closure in its image, under the environment that the image sets; `loads` as find_closure has it."""
    environment = dict(line.partition("=")[::2] for line in image.config.env)
    return find_closure(image, program_path, environment, loads=loads)


def refuse(cell: Cell, closure: Closure, owners: Owners) -> Failed:
    """The failure of a cell whose program cannot start; `owners` are those of the toolchain, where it was linked."""
    lines: list[str] = []
    for missing in closure.missing:
        if missing.required:
            lines += _mending(cell, missing, owners)
    return Failed(stage="preflight", reason=closure.reason, detail="\n".join(lines))


def compare(closure: Closure, verdict: Verdict) -> Preflight:
    """What was predicted beside what was observed."""
    return Preflight(predicted=closure.starts, why=closure.reason, observed=verdict.started, said=verdict.said)


def judge_cell(cell: Cell, preflight: Preflight, failure: Failed | None) -> Failed | None:
    """The failure of a cell in the light of what its recipe expects, and of what was predicted."""
    expected = cell.expect_failure
    if preflight.observed != preflight.predicted:
        said = f"it starts, though {preflight.why}" if preflight.observed else f"it does not start: {preflight.said}"
        return Failed(stage="preflight", reason=f"the prediction was wrong: {said}", detail=preflight.said)
    if not expected:
        return failure
    if failure is None:
        return Failed(stage="run", reason=f"it runs, and {cell.id} is expected to fail: {expected.why}")
    return judge_failure(failure, expected, f"{failure.reason}\n{failure.detail}\n{preflight.said}")


def judge_failure(failure: Failed, expected: ExpectedFailure, said: str) -> Failed:
    """A failure as the expected one, if what was said has that one's pattern; else it also tells what was expected."""
    if expected.explains(said):
        return replace(failure, expected=expected.why)
    other = f"another failure is expected, which says {expected.says!r}: {expected.why}"
    return replace(failure, detail=f"{failure.detail.rstrip()}\n{other}".lstrip())


def _mending(cell: Cell, missing: Missing, owners: Owners) -> Iterator[str]:
    if missing.versions:
        yield f"{missing.found} lacks {', '.join(missing.versions)}, which {missing.needed_by} was linked with:"
        yield "  take a base at least as new as the toolchain, or a toolchain no newer than the base"
        return
    name = posixpath.basename(missing.name)
    yield f"{missing.name} is not in the image; {missing.needed_by or cell.program_path} needs it"
    provider = find_provider(missing, owners)
    if provider is None:
        yield f"  no package of toolchain '{cell.recipe.compile.toolchain}' has {name} where a loader looks"
        return
    path, target, owner = provider
    yield f"  package {owner.name} {owner.version} has it; add to {cell.recipe.name}.toml:"
    yield ""
    yield from (
        f"  {line}"
        for line in (
            "[[copy]]",
            'from = "toolchain"',
            f'path = "{path}"',
            f'to = "{target}"',
            f'why = "{missing.needed_by or cell.program_path} needs it"',
        )
    )


def find_provider(missing: Missing, owners: Owners) -> tuple[str, str, Owner] | None:
    """Where a root has what is missing, where the image is to have it, and its package; None where no loader looks."""
    name = posixpath.basename(missing.name)
    for found, owner in owners.providers(name):
        if _is_for(path := f"/{found}", missing):
            return path, missing.name if "/" in missing.name else path, owner
    return None


def _is_for(path: str, missing: Missing) -> bool:
    """Whether a file is where a loader could have it: other architectures' libraries have the same names."""
    folder = posixpath.dirname(path)
    return "/" in missing.name or folder in {searched.rstrip("/") for searched in missing.searched}
