"""Tells in a paragraph what a cell came to: what is missing, who asked for it, what mends it at which cost. Pure."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from bareboat.report.figures import size_text
from bareboat.report.listed import listed
from bareboat.report.ran import run_sentences
from bareboat.report.table import size_of
from bareboat.result.values import Failed, Passed, Skipped
from bareboat.system.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bareboat.result.values import ManifestRow, Result

_SYSTEM_CRATES = {"ssl": "openssl-sys", "crypto": "openssl-sys", "stdc++": "link-cplusplus"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cure:
    """One change that mends a cell, or that may."""

    # Whole sentences.
    says: str
    # What is to be written where the sentence says.
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Who asked for what is missing, as far as the program's own words tell."""

    # Where and why it panicked, in one line that begins with "at"; "" where it did not.
    panic: str = ""
    # The crate whose code that was; "" for the program's own.
    crate: str = ""


def explain_cell(
    result: Result,
    cures: Sequence[Cure] = (),
    asked: Asked | None = None,
    costs: Mapping[str, float | None] = MappingProxyType({}),
) -> str:
    """A paragraph, what a reader is to write below it, and of a program that does not compile cargo's words.

    `costs` says in bytes what provisions weigh, as far as that is known.
    """
    told = _passed(result, costs) if isinstance(result.outcome, Passed) else _sentences(result, asked or Asked())
    paragraph = printable(" ".join([*told, *(cure.says for cure in cures)]))
    blocks = ["\n".join(f"    {line}".rstrip() for line in cure.lines) for cure in cures if cure.lines]
    return "\n\n".join([paragraph, *blocks, *_details(result)]) + "\n"


def _sentences(result: Result, asked: Asked) -> Iterator[str]:
    if isinstance(result.outcome, Skipped):
        yield f"{result.cell} was not tried: {_ended(result.outcome.reason)}"
    if isinstance(result.outcome, Failed):
        yield from _failed(result, result.outcome, asked)


def _failed(result: Result, failed: Failed, asked: Asked) -> Iterator[str]:
    # The cure is told with its cost, in a sentence of its own.
    reason = failed.reason.partition("; provision '")[0]
    if failed.expected:
        yield f"{result.cell} fails, as is expected of it: {_ended(failed.expected)} What was found: {_ended(reason)}"
    else:
        yield f"{result.cell} failed at {failed.stage}: {_ended(reason)}"
    yield from _who(reason, asked)
    preflight = result.preflight
    if preflight and preflight.said and preflight.said not in reason:
        yield f'Started all the same, it said "{preflight.said}".'
    if preflight and preflight.observed and not preflight.predicted:
        yield "That is a fault of Bareboat's prediction, and none of the program: it is worth a report."
    yield from _crate_of(result, preflight.why if preflight else "")


def _who(reason: str, asked: Asked) -> Iterator[str]:
    if not asked.panic:
        return
    who = f"Crate {asked.crate}" if asked.crate else "The program's own code"
    known = asked.panic in reason  # the place is told already
    yield f"{who} asked for it{'' if known else f': it panicked {asked.panic}'.rstrip('.')}."


def _crate_of(result: Result, why: str) -> Iterator[str]:
    """The crate that binds a library which a preflight misses."""
    name = posixpath.basename(why.partition(" is not in the image")[0]) if " is not in the image" in why else ""
    if crate := _binding(name, result):
        yield f"Crate {crate} is what links to it."


def _binding(library: str, result: Result) -> str:
    """The crate of a program's build that binds a library, by the rule that such are named `NAME-sys`; "" for none."""
    made = result.provenance.made if result.provenance else None
    stem = library.partition(".so")[0].removeprefix("lib")
    names = (_SYSTEM_CRATES.get(stem, ""), f"{stem}-sys", f"lib{stem}-sys")
    return next((crate for crate in (made.crates or () if made else ()) if crate in names), "") if stem else ""


def _passed(result: Result, costs: Mapping[str, float | None]) -> Iterator[str]:
    size = size_of(result)
    yield f"{result.cell} works{f', in {size_text(size)}' if size else ''}: {_what_it_does(result)}"
    if result.completed:
        yield from _completed(result)
    for mend in (mend for mend in result.mended if mend.provision):
        cost = costs.get(mend.provision)
        weight = f" (about {size_text(cost)})" if cost else ""
        yield f"Provision '{mend.provision}' came aboard{weight}, without which {_ended(mend.why)}"
    if result.large_file_names:
        names = ", ".join(result.large_file_names)
        yield f"It asks for {names}, which musl dropped and the linker brought: `cargo update -p libc` ends that."
    if idle := [row for row in result.manifest if row.needed is False]:
        yield f"Nobody needs {listed([row.path for row in idle])} ({size_text(_sum(idle))})."
    yield "Nothing is to be mended."


def _what_it_does(result: Result) -> str:
    if result.ran is None:
        return "it starts, and shows what is expected of it."
    said = " ".join(run_sentences(result.ran))
    return f"it starts. {said}" if said else "it starts, and ends with exit code 0."


def _completed(result: Result) -> Iterator[str]:
    rows = {row.path: row for row in result.manifest}
    direct = [one for one in result.completed if ".so" not in posixpath.basename(one.why.removesuffix(" needs it"))]
    sizes = [rows[one.to].size_bytes for one in result.completed if one.to in rows]
    cost = f", {size_text(sum(sizes))}" if len(sizes) == len(result.completed) else ""
    names = [posixpath.basename(one.to) for one in direct]
    more = len(result.completed) - len(direct)
    crates = dict.fromkeys(crate for name in names if (crate := _binding(name, result)))
    by = f" by way of crate {listed(list(crates))}" if crates else ""
    plural = "libraries" if more > 1 else "library"
    behind = f", and {more} {plural} more that these need" if more else ""
    yield f"From the toolchain came aboard {listed(names)}, which the program is linked to{by}{behind}{cost}."


def _sum(rows: Sequence[ManifestRow]) -> int:
    return sum(row.size_bytes for row in rows)


def _details(result: Result) -> Iterator[str]:
    """What is told word for word: how cargo fails, and how what is missing comes aboard a recipe."""
    outcome = result.outcome
    if isinstance(outcome, Failed) and outcome.stage in {"base", "compile", "image"} and outcome.detail.strip():
        yield "\n".join(f"    {printable(line.expandtabs())}".rstrip() for line in outcome.detail.rstrip().split("\n"))


def _ended(text: str) -> str:
    return f"{text.rstrip().rstrip('.')}."
