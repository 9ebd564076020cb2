"""Which compiler a toolchain has, in its own words."""

from __future__ import annotations

import contextlib
import hashlib
from functools import partial
from typing import TYPE_CHECKING

from bareboat.engine.containers import Work
from bareboat.system.files import write_whole

if TYPE_CHECKING:
    from bareboat.make.context import JobContext, RootImage

_ASKED = ("rustc", "--version")
_DIGITS = 16


def compiler_of(context: JobContext, toolchain: RootImage) -> str:
    """What `rustc --version` says in a toolchain; each image is asked once, and the answer is kept by its digest."""
    return context.compilers.get(toolchain.source.digest, partial(_find, context, toolchain))


def _find(context: JobContext, toolchain: RootImage) -> str:
    name = hashlib.sha256(toolchain.source.digest.encode()).hexdigest()[:_DIGITS]
    kept = context.folders.roots / "compilers" / name
    with contextlib.suppress(OSError):
        return kept.read_text(encoding="utf-8")
    log = context.log(f"compiler {name}")
    context.engine.work(Work(image=toolchain.reference, command=_ASKED), log)
    said = " ".join(log.read_text(encoding="utf-8", errors="replace").split())
    write_whole(kept, said.encode())
    return said
