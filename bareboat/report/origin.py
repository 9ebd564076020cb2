"""Says of each table by which toolchain its figures were compiled and on which machine they were measured.

Where that is the same for all rows it is said once, below the table. Where it is not, each row says it in a column of
its own, and the line below says that the rows are not to be compared.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from bareboat.system.printable import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bareboat.report.table import Table
    from bareboat.result.values import Host, Provenance, Result

_DIGEST_DIGITS = 12
_UNNAMED = "an unnamed compiler"
_LEFT: Literal["left"] = "left"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fact:
    """One thing that all rows of a table should have in common."""

    heading: str  # of the column, where they do not
    text: Callable[[Provenance], str]  # of one row
    once: str  # the sentence where they do; `{}` is the text
    differing: str  # the sentence where they do not; `{}` is how many there are, and then what tells them apart


def mark_origins(table: Table, results: Sequence[Result]) -> Table:
    """The table of these results, row by row, with a column for each fact that differs between them."""
    marked = [fact for fact in _FACTS if len(_texts(fact, results)) > 1]
    return replace(
        table,
        headings=(*table.headings, *(fact.heading for fact in marked)),
        rows=tuple(
            (*row, *(_text(fact, result) for fact in marked)) for row, result in zip(table.rows, results, strict=True)
        ),
        alignment=(*table.alignment, *(_LEFT for _ in marked)),
    )


def origin_lines(results: Sequence[Result], named_by: str = "each row") -> tuple[str, ...]:
    """What a table of these results says below it; nothing where none of them got as far as a toolchain.

    `named_by` tells where is said what is not the same for all.
    """
    found = [(fact, _texts(fact, results)) for fact in _FACTS]
    return tuple(
        fact.once.format(texts[0]) if len(texts) == 1 else fact.differing.format(len(texts), named_by)
        for fact, texts in found
        if texts
    )


def short_digest(digest: str) -> str:
    """The algorithm and the first digits: `sha256:0123456789ab`."""
    algorithm, colon, digits = digest.rpartition(":")
    return printable(f"{algorithm}{colon}{digits[:_DIGEST_DIGITS]}")


def toolchain_text(provenance: Provenance) -> str:
    """The compiler, and the toolchain image that it is in."""
    return printable(f"{provenance.compiler or _UNNAMED} of toolchain {short_digest(provenance.toolchain.digest)}")


def machine_text(provenance: Provenance) -> str:
    """The machine and the engine that measured."""
    host = provenance.host
    return printable(f"{host.name}{_number(host)}, kernel {host.kernel}, Podman {host.podman}, {host.runtime}")


def _number(host: Host) -> str:
    return f" ({host.machine})" if host.machine else ""


def _texts(fact: _Fact, results: Sequence[Result]) -> list[str]:
    return list(dict.fromkeys(text for result in results if (text := _text(fact, result))))


def _text(fact: _Fact, result: Result) -> str:
    return fact.text(result.provenance) if result.provenance else ""


_FACTS = (
    _Fact(
        heading="Toolchain",
        text=toolchain_text,
        once="Compiled by {}.",
        differing="Compiled in {} different toolchains, which {} names; their figures do not compare.",
    ),
    _Fact(
        heading="Measured on",
        text=machine_text,
        once="Measured on {}.",
        differing="Measured on {} different machines or engines, which {} names.",
    ),
)
