"""Gives a cell's image out under another name, and as an archive."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bareboat.archive import write_image
from bareboat.check.complete import gather_whole
from bareboat.errors import InputError
from bareboat.make.image import image_config, image_entries

if TYPE_CHECKING:
    from bareboat.commands.open_run import Carried

ARCHIVE = "oci-archive:"


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOut:
    """What a user wants to have of an image beside its name in the store."""

    tag: str = ""  # NAME:TAG
    archive: Path | None = None

    def __bool__(self) -> bool:
        """Whether anything is wanted."""
        return bool(self.tag or self.archive)


NOTHING = HandOut()


def read_hand_out(tag: str, output: str) -> HandOut:
    """What `--tag` and `--output` ask for; raises InputError."""
    return HandOut(tag=full_name(tag) if tag else "", archive=_archive(output) if output else None)


def hand_out(carried: Carried, wanted: HandOut) -> None:
    """Do it for the first cell of a plan, whatever its run came to, while the engine is there."""
    result, cell, context = carried.run.results[0], carried.plan.cells[0], carried.context
    if result.provenance is None:
        return  # there is no image
    name = wanted.tag or cell.image_name
    if wanted.tag:
        context.engine.tag(result.provenance.image_id, name)
    if wanted.archive and cell.base:
        context.engine.export(name, wanted.archive)
    elif wanted.archive:
        # The same bytes wherever it is done.
        contents = gather_whole(context, cell, carried.run.outputs)
        write_image(image_entries(contents), image_config(contents), reference=name, to=wanted.archive)


def full_name(name: str) -> str:
    """The name with a tag: `latest` where there is none, as Podman has it."""
    return name if ":" in name.rpartition("/")[2] else f"{name}:latest"


def _archive(output: str) -> Path:
    path = Path(output.removeprefix(ARCHIVE))
    if not output.startswith(ARCHIVE) or not path.name:
        raise InputError(f"--output {output}: it takes {ARCHIVE}FILE")
    if not path.absolute().parent.is_dir():
        raise InputError(f"--output {output}: there is no folder {path.absolute().parent}")
    return path
