"""The crew: small programs of Bareboat's own that go into images, each a crate in bareboat/crew/.

A Containerfile has their sources in it, so that whoever builds one needs nothing but it.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from bareboat.inputs.crate_files import source_files
from bareboat.inputs.load_samples import load_crate

if TYPE_CHECKING:
    from bareboat.inputs.sample import Sample

_FOLDER = Path(__file__).parents[1] / "crew"


def crew_names() -> tuple[str, ...]:
    """What a copy may name after `crew:`."""
    return tuple(sorted(path.parent.name for path in _FOLDER.glob("*/Cargo.toml")))


def load_crew() -> dict[str, Sample]:
    """Each of them by its name."""
    return {name: _load(_FOLDER / name) for name in crew_names()}


def _load(folder: Path) -> Sample:
    (crate,) = load_crate(folder)
    files = sorted(source_files(folder))
    texts = tuple((str(path.relative_to(folder)), path.read_text(encoding="utf-8")) for path in files)
    return replace(crate, texts=texts)
