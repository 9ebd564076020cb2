"""Tells what the bytes of an image are: its base, libc and loader, libraries, certificates, program. Pure."""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from typing import TYPE_CHECKING

from bareboat.report.figures import size_text
from bareboat.report.table import measurement_of, size_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bareboat.result.values import ManifestRow, Result

PARTS = ("base", "libc & loader", "libraries", "certificates & zone data", "program", "other")
_LIBC = re.compile(r"(?:ld-|libc\.|libm\.|libpthread|libdl|librt|libresolv|libnss_|libutil)[\w.-]*")
_DATA = re.compile(r"/(?:ssl|certs|ca-certificates|zoneinfo|pki)(?:/|$)")


def parts_of(result: Result) -> Mapping[str, float]:
    """The bytes of each of PARTS, together the image's size; empty where that is not known.

    Of an image that is put together file by file the manifest tells. Of another all but the program is the base.
    """
    size, program = size_of(result), measurement_of(result, "program_size")
    if size is None or not (result.manifest or (program and isinstance(program.value, int))):
        return {}
    found: Counter[str] = Counter()
    for row in result.manifest:
        found[_part(row)] += row.size_bytes
    if not result.manifest and program and isinstance(program.value, int):
        found["program"] = program.value
    # Of a layer, what is in no file: the headers of the archive.
    found["other" if result.manifest else "base"] += max(0, round(size) - found.total())
    return {part: found[part] for part in PARTS if found[part]}


def parts_text(result: Result) -> str:
    """The parts of an image in words: `program 414 kB, libc & loader 600 kB`."""
    return ", ".join(f"{part} {size_text(size)}" for part, size in parts_of(result).items())


def _part(row: ManifestRow) -> str:
    name = posixpath.basename(row.path.rstrip("/"))
    if row.source == "compile":
        return "program"
    if _DATA.search(row.path):
        return "certificates & zone data"
    if ".so" in name:
        return "libc & loader" if _LIBC.fullmatch(name) else "libraries"
    return "other"
