"""Which images of a store are Bareboat's, and may be removed: never one that the user has named, built upon or uses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bareboat.archive import CREATED_BY
from bareboat.engine.images import KIND_LABEL, OWN_NAMES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from podman import PodmanClient


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnImages:
    """What of a store is Bareboat's."""

    ids: tuple[str, ...]  # images, `sha256:...`, that are Bareboat's alone
    names: tuple[str, ...]  # Bareboat's names of images that the user has named, too
    left: tuple[str, ...]  # why others stay, a line each


def find_own_images(client: PodmanClient) -> OwnImages:
    """Look through all images that bear Bareboat's label, which what is built upon them inherits."""
    users = _users(client)
    ids, names, left = [], [], []
    for image in client.images.list(all=True, filters={"label": KIND_LABEL}):
        own, others = _split(image.attrs.get("RepoTags") or ())
        image_id = f"sha256:{image.id.removeprefix('sha256:')}"
        if others:
            names += own
        elif not own and not _is_written_by_us(client, image.id):
            continue
        elif containers := users.get(image_id):
            told = ", ".join(containers)
            left.append(f"{', '.join(own) or image_id} is used by {told}: `podman rm --force {' '.join(containers)}`")
        else:
            ids.append(image_id)
    return OwnImages(ids=tuple(ids), names=tuple(names), left=tuple(left))


def _users(client: PodmanClient) -> dict[str, list[str]]:
    """The names of containers by the image that they were made from."""
    users: dict[str, list[str]] = {}
    for container in client.api.get("/containers/json", params={"all": "true", "external": "true"}).json():
        image_id = f"sha256:{container['ImageID'].removeprefix('sha256:')}"
        users.setdefault(image_id, []).append((container.get("Names") or [container["Id"]])[0])
    return users


def _split(names: Sequence[str]) -> tuple[list[str], list[str]]:
    own = [name for name in names if name.startswith(OWN_NAMES)]
    return own, [name for name in names if name not in own]


def _is_written_by_us(client: PodmanClient, image_id: str) -> bool:
    """Whether every step of an image is ours: what somebody built upon one of ours has steps of its own."""
    history = client.images.get(image_id).attrs.get("History") or ()
    return bool(history) and all(step.get("created_by") == CREATED_BY for step in history)
