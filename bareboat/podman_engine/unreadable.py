"""Images that Podman cannot read, as a kill leaves the one that was being written: which, and whether it is ours.

No listing goes past such an image, and to ask for its names is to read it. So its names and labels are taken from where
Podman keeps them (https://github.com/containers/storage/blob/main/docs/containers-storage-images.md).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, TypeAdapter, ValidationError

from bareboat.engine.images import KIND_LABEL, OWN_NAMES
from bareboat.podman_engine.store_list import config_file

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

_UNREADABLE = re.compile(r'image with ID \\?"([0-9a-f]{64})\\?" \(consider removing the image')


@dataclass(frozen=True, slots=True, kw_only=True)
class _Record:
    id: str
    names: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Settings:
    labels: Annotated[dict[str, str] | None, Field(alias="Labels")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Config:
    config: _Settings = field(default_factory=_Settings)


_RECORDS = TypeAdapter(tuple[_Record, ...])
_CONFIG = TypeAdapter(_Config)


def unreadable_image(words: str) -> str | None:
    """The id, without `sha256:`, of the image that Podman's error says it cannot read; None of any other error."""
    found = _UNREADABLE.search(words)
    return found[1] if found else None


def is_ours(images: Path, image_id: str, references: Collection[str]) -> bool:
    """Whether all names of an image are Bareboat's or among `references`; one without names goes by id and label.

    `images` is the folder in which Podman keeps what it knows of images.
    """
    names = _names(images, image_id)
    if names:
        return all(name.startswith(OWN_NAMES) or name in references for name in names)
    return not {image_id, f"sha256:{image_id}"}.isdisjoint(references) or KIND_LABEL in _labels(images, image_id)


def _names(images: Path, image_id: str) -> tuple[str, ...]:
    try:
        records = _RECORDS.validate_json((images / "images.json").read_bytes())
    except (OSError, ValidationError):
        return ()
    return next((record.names or () for record in records if record.id == image_id), ())


def _labels(images: Path, image_id: str) -> Mapping[str, str]:
    try:
        return _CONFIG.validate_json(config_file(images, image_id).read_bytes()).config.labels or {}
    except (OSError, ValidationError):
        return {}
