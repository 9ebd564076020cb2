"""Tells what the bytes of an image are: a tree of bars for people, and the whole as JSON. Pure."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from bareboat.report.figures import size_text
from bareboat.system.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bareboat.breakdown import Breakdown, Row, Stowaway

WIDTH = 80
_WHOLE = 1000  # in tenths of a per cent
_FINE = 100_000_000  # in millionths of a per cent
_OPENED = 10  # rows below one per cent are not opened
_ALONE = 100  # a program below ten per cent is told once more
_BAR = 8
_EIGHTHS = " ▏▎▍▌▋▊▉"
_NAMES_AT = 28
_RULE = (
    "crates: the first that a symbol's name has; of what has no name of Rust's, that of its object file, which after"
    " link-time optimisation is the program's own for all of them"
)


def breakdown_text(found: Breakdown, top: int) -> str:
    """The `top` biggest rows of each level in lines of 80 columns, per cents of the image that add up, stowaways."""
    size = f"{size_text(found.image.size_bytes)} ({found.image.size_bytes} bytes)"
    lines = [f"{printable(found.cell)} ({found.image_id.removeprefix('sha256:')[:12]}): {size}", ""]
    lines += _lines(found.image, _WHOLE, 0, top)
    if found.program and found.program.size_bytes * _WHOLE < found.image.size_bytes * _ALONE:
        lines += ["", "the program alone, in per cent of it:", "", *_lines(found.program, _WHOLE, 0, top)]
    lines += ["", *_wrapped(f"twin: {found.twin}", "")]
    lines += _wrapped(_RULE, "") if found.same_twin is not None else []
    lines += ["", *_stowaways(found.stowaways)]
    return "\n".join(lines) + "\n"


def breakdown_json(found: Breakdown) -> str:
    """Every row, each with its per cent of the image: those of the rows of a row add up to its own."""
    whole = {
        "cell": found.cell,
        "image_id": found.image_id,
        "size_bytes": found.image.size_bytes,
        "twin": {"same": found.same_twin, "says": found.twin},
        "image": _tree(found.image, _FINE),
        "stowaways": [
            {"kind": one.kind, "size_bytes": one.size_bytes, "count": one.count, "examples": list(one.examples)}
            for one in found.stowaways
        ],
    }
    return json.dumps(whole, indent=1) + "\n"


def share(whole: int, sizes: Sequence[int]) -> list[int]:
    """`whole` divided in proportion to sizes, in whole numbers that add up to it: the largest remainders have more."""
    total = sum(sizes)
    if not total:
        return [0 for _ in sizes]
    shares = [whole * size // total for size in sizes]
    by_remainder = sorted(range(len(sizes)), key=lambda number: -(whole * sizes[number] % total))
    for number in by_remainder[: whole - sum(shares)]:
        shares[number] += 1
    return shares


def _tree(row: Row, millionths: int) -> dict[str, object]:
    told: dict[str, object] = {
        "kind": row.kind,
        "name": row.name,
        "size_bytes": row.size_bytes,
        "percent": millionths / 1_000_000,
    }
    if row.rows:
        shares = share(millionths, [one.size_bytes for one in row.rows])
        told["rows"] = [_tree(one, part) for one, part in zip(row.rows, shares, strict=True)]
    return told


def _lines(row: Row, tenths: int, depth: int, top: int) -> Iterator[str]:
    name = row.name
    while len(row.rows) == 1:  # all of it is one thing: one line will do
        row = row.rows[0]
        name = f"{name}: {row.name}"
    yield _line(tenths, row.size_bytes, depth, name)
    if not row.rows or (tenths < _OPENED and row.kind != "layer"):
        return
    # The name of one row more is no longer than that there is one.
    told = len(row.rows) if len(row.rows) <= top + 1 else top
    rest = row.rows[told:]
    shown = list(row.rows[:told])
    if rest:
        size_bytes = sum(one.size_bytes for one in rest)
        shown.append(replace(rest[0], name=f"and {len(rest)} more", size_bytes=size_bytes, rows=()))
    for one, part in zip(shown, share(tenths, [one.size_bytes for one in shown]), strict=True):
        yield from _lines(one, part, depth + 1, top)


def _line(tenths: int, size_bytes: int, depth: int, name: str) -> str:
    whole, eighth = divmod(tenths * _BAR * len(_EIGHTHS) // _WHOLE, len(_EIGHTHS))
    bar = "█" * whole + _EIGHTHS[eighth]
    left = WIDTH - _NAMES_AT - 2 * depth
    cut = _cut(printable(name), left)
    return f"{tenths / 10:5.1f} % {size_text(size_bytes):>8}  {bar[:_BAR]:<{_BAR}}  {'  ' * depth}{cut}"


def _cut(name: str, width: int) -> str:
    """The name, with its middle left out where it is too long: what begins it and what ends it tells most."""
    if len(name) <= width:
        return name
    ends = width // 2
    return f"{name[: width - ends - 1]}…{name[-ends:]}"


def _wrapped(text: str, indent: str) -> list[str]:
    """The text in lines, each after an indent; of a word that is too long for one the middle is left out."""
    room = WIDTH - len(indent)
    lines = [""]
    for word in (_cut(word, room) for word in printable(text).split(" ")):
        if lines[-1] and len(lines[-1]) + 1 + len(word) > room:
            lines.append("")
        lines[-1] += f" {word}" if lines[-1] else word
    return [f"{indent}{line}" for line in lines]


def _stowaways(found: Sequence[Stowaway]) -> Iterator[str]:
    if not found:
        yield "no stowaways: nothing is there twice, and nothing that is not for running it"
        return
    yield "stowaways, which need not be aboard; a file may be of several kinds:"
    for one in found:
        yield f"{size_text(one.size_bytes):>10}  {one.kind}: {one.count}"
        for example in one.examples:
            yield from _wrapped(example, " " * 14)
