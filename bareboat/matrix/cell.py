"""Makes a cell: ships its image, predicts whether it starts, runs it, observes what it opens, and measures it."""

from __future__ import annotations

import contextlib
import posixpath
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bareboat.check.as_it_stands import Namespaces, Nowhere
from bareboat.check.complete import gather_whole
from bareboat.check.manifest import make_manifest
from bareboat.check.prediction import closure_of, compare, judge_cell, refuse
from bareboat.check.runs import verify
from bareboat.check.trace import Trace, trace_runs
from bareboat.elf import read_elf
from bareboat.make.compiler import compiler_of
from bareboat.make.context import Measured
from bareboat.make.copies import owners_in
from bareboat.make.image import ship_image
from bareboat.make.standing import keep_image_key
from bareboat.matrix.standing import find_ingredients, find_measured, result_key
from bareboat.measurements import Subject, measure_all, without_timed
from bareboat.measurements.tls import lacks_locks
from bareboat.result.measurement import NOT_TIMED
from bareboat.result.portable import portable
from bareboat.result.store import save
from bareboat.result.values import Failed, Passed, Provenance, Result, Source

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bareboat.archive import Image
    from bareboat.check.runs import Verdict
    from bareboat.closure import Closure
    from bareboat.elf import ElfFacts
    from bareboat.inputs.mend import Mend
    from bareboat.make.context import JobContext, Outputs, RootImage
    from bareboat.make.image import ImageContents
    from bareboat.plan.jobs import Cell
    from bareboat.result.values import Ingredients, Preflight

SCRATCH = Source(kind="scratch", reference="scratch", digest="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipped:
    """A cell's image in the store, and its program as it lies in there."""

    contents: ImageContents
    image: Image
    program: bytes
    elf: ElfFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What was found out about a shipped image before it is measured."""

    closure: Closure  # what the program needs there, from which its start is predicted
    verdict: Verdict  # what the runs showed
    trace: Trace  # what the program opened


def make_cell(context: JobContext, cell: Cell, outputs: Outputs) -> Measured:
    """Do one cell and save its result, of which what is timed is still to come; a service waits for its probes."""
    contents = gather_whole(context, cell, outputs)
    keep_image_key(context, cell, contents.program, contents.roots, contents.key)
    made = find_ingredients(context, cell, outputs, contents.key)
    # Other sources may come to the same image.
    if standing := find_measured(context, cell, result_key(cell, made, context.host)):
        return _say_made(context, standing, made, contents.program.toolchain)
    with ship(context, contents) as shipped:
        closure = closure_of(shipped.image, cell.program_path)
        verdict = run(context, shipped)
        found = Findings(closure=closure, verdict=verdict, trace=observe(context, shipped, verdict))
        return measure(context, shipped, found, made)


@contextlib.contextmanager
def ship(context: JobContext, contents: ImageContents) -> Iterator[Shipped]:
    """The cell's image, made if the store does not have it, and readable for as long as the block runs."""
    with ship_image(context, contents) as image:
        program = image.read(contents.cell.program_path)
        yield Shipped(contents=contents, image=image, program=program, elf=read_elf(program))


def run(context: JobContext, shipped: Shipped) -> Verdict:
    """What the runs of the image show; of a container on another machine nothing is seen from inside."""
    cell, image = shipped.contents.cell, shipped.image
    inside = Nowhere() if context.remote else Namespaces(processes=context.processes)

    def has(path: str) -> bool:
        return image.find(path) is not None

    return verify(context.engine, image.id, cell.sample.expectations, context.limits(cell), inside, has=has)


def observe(context: JobContext, shipped: Shipped, verdict: Verdict) -> Trace:
    """What the program opens in an image from scratch, whose files are each to be accounted for."""
    cell = shipped.contents.cell
    if cell.base:
        return Trace()
    if not verdict.started:
        return Trace(unseen="the program does not start")
    return trace_runs(context, cell, shipped.image)


def measure(context: JobContext, shipped: Shipped, found: Findings, made: Ingredients) -> Measured:
    """Take every figure that is not timed and judge the cell; what is to be probed is not saved."""
    cell, contents, verdict = shipped.contents.cell, shipped.contents, found.verdict
    preflight = compare(found.closure, verdict)
    subject = _subject(context, shipped, found, preflight)
    failure = _unfit(cell, shipped.elf, subject) or _run_failure(context, shipped, found)
    failed, taken = judge_cell(cell, preflight, failure), measure_all(subject)
    result = Result(
        cell=cell.id,
        sample=cell.sample.name,
        recipe=cell.recipe.name,
        platform=str(cell.program.platform),
        key=result_key(cell, made, context.host),
        outcome=failed or Passed(),
        measurements=without_timed(taken, "its image failed" if failed else NOT_TIMED),
        provenance=_provenance(context, shipped, made),
        preflight=preflight,
        manifest=subject.manifest,
        unobserved=found.trace.unseen,
        ran=verdict.ran,
        completed=contents.completed,
        lacks=verdict.lacks,
        lacks_library=verdict.lacks_library,
        large_file_names=contents.program.large_file_names,
        mended=_mended(contents),
    )
    if failed:
        return keep(context, cell, result)
    saved = result if cell.harbor else keep(context, cell, result).result
    return Measured(status="built", note="", result=saved, awaits_timing=True)


def _subject(context: JobContext, shipped: Shipped, found: Findings, preflight: Preflight) -> Subject:
    contents = shipped.contents
    cell, program = contents.cell, contents.program
    return Subject(
        image=shipped.image,
        program_path=cell.program_path,
        program=shipped.program,
        elf=shipped.elf,
        declared_libc=cell.libc,
        build_seconds=program.seconds,
        warm_target=program.warm,
        crates=None if program.crates is None else frozenset(program.crates),
        preflight=preflight,
        manifest=() if cell.base else make_manifest(contents, shipped.image, found.closure, found.trace),
        thorough=context.thorough,
    )


def _mended(contents: ImageContents) -> tuple[Mend, ...]:
    """What came aboard because earlier runs asked for it; a library that the toolchain has not did not."""
    brought = {posixpath.basename(one.to) for one in contents.completed}
    given = (mend for mend in contents.cell.sample.mends if mend.recipe == contents.cell.recipe.name)
    return tuple(mend for mend in given if not mend.library or mend.library in brought)


def _run_failure(context: JobContext, shipped: Shipped, found: Findings) -> Failed | None:
    """What the runs came to; where the program did not start as was predicted, what is missing for that."""
    if found.closure.starts or found.verdict.started:
        return found.verdict.failure
    contents = shipped.contents
    return refuse(contents.cell, found.closure, owners_in(context, contents.program.toolchain))


def keep(context: JobContext, cell: Cell, result: Result) -> Measured:
    """Save a result under its host, with nothing of this machine's folders in it, and say what it came to."""
    kept = portable(result, context.places(cell.sample.folder))
    save(kept, context.results)
    return say(kept)


def say(result: Result) -> Measured:
    """What a result came to; a failure that is expected counts as passed."""
    match result.outcome:
        case Failed(expected=expected, reason=reason) if expected:
            return Measured(status="passed", note=f"fails as expected: {reason}", result=result)
        case Failed(reason=reason):
            return Measured(status="failed", note=reason, result=result)
        case _:
            return Measured(status="passed", note="", result=result)


def failed_result(cell: Cell, failure: Failed) -> Result:
    """The result of a cell that an error ended before anything was measured."""
    return Result(
        cell=cell.id,
        sample=cell.sample.name,
        recipe=cell.recipe.name,
        platform=str(cell.program.platform),
        key="",
        outcome=failure,
    )


def _say_made(context: JobContext, standing: Measured, made: Ingredients, toolchain: RootImage) -> Measured:
    """A result that stands, which from now on says that it is of these sources and of this toolchain."""
    result = standing.result
    if result.provenance and result.provenance.made != made:
        compiler = compiler_of(context, toolchain)
        provenance = replace(result.provenance, made=made, toolchain=toolchain.source, compiler=compiler)
        result = replace(result, provenance=provenance)
        save(result, context.results)
    return replace(standing, result=result)


def _provenance(context: JobContext, shipped: Shipped, made: Ingredients) -> Provenance:
    contents = shipped.contents
    base = contents.cell.base
    return Provenance(
        host=context.host,
        base=contents.roots[base].source if base else SCRATCH,
        toolchain=contents.program.toolchain.source,
        image_id=shipped.image.id,
        compiler=compiler_of(context, contents.program.toolchain),
        made=made,
        limits=context.limits(contents.cell),
        commit=context.commit,
        measured_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _unfit(cell: Cell, elf: ElfFacts, subject: Subject) -> Failed | None:
    """Why an image is none that its recipe or its sample may have, whatever its runs come to."""
    return _contradiction(cell, elf) or _lack_of_locks(cell, subject)


def _lack_of_locks(cell: Cell, subject: Subject) -> Failed | None:
    """The failure of a service whose OpenSSL may be used by one thread alone, whatever its runs come to."""
    if not cell.sample.service or not lacks_locks(subject):
        return None
    return Failed(
        stage="measure",
        reason="its OpenSSL was compiled without threads: it has no locks, and a service corrupts its heap with it",
        detail=(
            "openssl-src leaves threads out where the cc crate says -static, as it does for static glibc;\n"
            "in the crate's variant, this leaves OpenSSL to its own flags:\n"
            '  cargo.env.CRATE_CC_NO_DEFAULTS = "1"'
        ),
    )


def _contradiction(cell: Cell, elf: ElfFacts) -> Failed | None:
    recipe, crt, wrong = f"{cell.recipe.name}.toml", cell.recipe.compile.crt, []
    # A C library of the user's own may be any, one that is recognised among them.
    if elf.libc != {"other": elf.libc, "none": None}.get(cell.libc, cell.libc):
        declarer = cell.sample.name if cell.sample.libc else recipe
        wrong.append(f"{declarer} declares libc {cell.libc}, the program has {elf.libc}")
    if elf.crt != crt:
        wrong.append(f"{recipe} declares crt {crt}, the program has {elf.crt}")
    return Failed(stage="measure", reason="; ".join(wrong)) if wrong else None
