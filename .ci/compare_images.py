"""Holds the images of one run of the matrix against those of another, for .ci/run: each must have the same id.

compare_images.py THERE HERE, two folders of results. HERE may have more images, those that are made on request only.
Ends with 1, naming what differs and in what, when an image is another or absent here, and when there is none there.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bareboat.result.store import load_all

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bareboat.result.values import Result, Source


def compare(there: Sequence[Result], here: Sequence[Result]) -> tuple[str, bool]:
    """What there is to say of two runs' images, and whether they are the same."""
    wanted = [result for result in there if _image_id(result)]
    found = {result.cell: result for result in here}
    if not wanted:
        return "not the same: there is no image to compare", False
    differences = [
        f"  {result.cell}: {_difference(result, found.get(result.cell))}"
        for result in wanted
        if result.cell not in found or _image_id(found[result.cell]) != _image_id(result)
    ]
    if differences:
        return "\n".join((f"not the same: {len(differences)} of {len(wanted)} images", *differences)), False
    return f"the {len(wanted)} images have the same ids here", True


def _image_id(result: Result) -> str:
    return result.provenance.image_id if result.provenance else ""


def _difference(there: Result, here: Result | None) -> str:
    if here is None or not there.provenance or not here.provenance or not here.provenance.image_id:
        return f"no image here: {here.outcome.kind if here else 'no result'}"
    parts = {
        "base": (there.provenance.base, here.provenance.base),
        "toolchain": (there.provenance.toolchain, here.provenance.toolchain),
    }
    others = [f"another {name} ({_moved(*sources)})" for name, sources in parts.items() if _differ(*sources)]
    why = ", ".join(others) or "of the same base and toolchain"
    return f"{_short(here.provenance.image_id)} here, {_short(there.provenance.image_id)} there: {why}"


def _differ(there: Source, here: Source) -> bool:
    return (there.digest, there.packages) != (here.digest, here.packages)


def _moved(there: Source, here: Source) -> str:
    """Which packages are others: the archive may have moved between the runs, which is no fault of either."""
    others = sorted(set(there.packages) ^ set(here.packages))
    return ", ".join(others) or f"of the same packages: {_short(here.digest)} here, {_short(there.digest)} there"


def _short(digest: str) -> str:
    return digest[: len("sha256:") + 12]


if __name__ == "__main__":
    said, same = compare(*(load_all(Path(folder)) for folder in sys.argv[1:]))
    print(f"\n### {said}")
    sys.exit(0 if same else 1)
