"""The image store's own list of its images, read from the file that it keeps it in.

An inspection of an image takes Podman milliseconds and a service, a listing more for each image; one look at this file
tells the same of a thousand. Podman names an image last of all, so what has a name there is whole.
"""

from __future__ import annotations

import base64
import json
import os.path
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path


class StoreList:
    """The images in the file `images.json` of a store (containers/storage); safe to use from many threads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._stamp: tuple[int, int, int] | None = None
        self._ids: dict[str, str] = {}
        self._nameless: frozenset[str] | None = None

    def find(self, reference: str) -> str | None:
        """The id, `sha256:...`, of the image with that whole name, by tag or by digest; None where none is listed."""
        with self._lock:
            self._read()
            found = self._ids.get(reference)
        # Path.is_file raises for an id that is too long for a name.
        return found if found and os.path.isfile(config_file(self._path.parent, found)) else None  # noqa: PTH113

    def nameless(self, ids: Collection[str]) -> frozenset[str] | None:
        """Those of these images that are listed and have no name; None where the list cannot be read."""
        with self._lock:
            self._read()
            return None if self._nameless is None else self._nameless.intersection(ids)

    def _read(self) -> None:
        try:
            status = self._path.stat()
            stamp = (status.st_ino, status.st_size, status.st_mtime_ns)
            if stamp != self._stamp:
                images = json.loads(self._path.read_bytes())
                self._ids = dict(_names(images))
                self._nameless = frozenset(f"sha256:{image['id']}" for image in images if not image.get("names"))
                self._stamp = stamp
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            # No such file, or one of another form than is known: then nothing is known from it.
            self._stamp, self._ids, self._nameless = None, {}, None


def config_file(images: Path, image_id: str) -> Path:
    """Where a store keeps an image's configuration, which is the first to be missing from what was written half."""
    digest = f"sha256:{image_id.removeprefix('sha256:')}"
    return images / digest.removeprefix("sha256:") / f"={base64.b64encode(digest.encode()).decode()}"


def _names(images: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    for image in images:
        for name in image.get("names") or ():
            yield name, f"sha256:{image['id']}"
            repository = name.partition("@")[0]
            if ":" in repository.rpartition("/")[2]:
                repository = repository.rpartition(":")[0]
            # A pulled image is known by its repository and a digest: its manifest's, or that of the list it was in.
            for digest in _manifests(image):
                yield f"{repository}@{digest}", f"sha256:{image['id']}"


def _manifests(image: dict[str, Any]) -> set[str]:
    kept = image.get("big-data-digests") or {}
    return {image.get("digest", ""), *(digest for name, digest in kept.items() if name.startswith("manifest"))} - {""}


def layer_bytes(images: Path, ids: Collection[str]) -> int | None:
    """The bytes of the layers that only the images of these ids have; `images` is the store's own list.

    None where the store's lists are of another form than is known.
    """
    layers = images.parent.with_name(images.parent.name.replace("-images", "-layers")) / "layers.json"
    try:
        known = {layer["id"]: layer for layer in json.loads(layers.read_bytes())}
        below: dict[bool, set[str]] = {True: set(), False: set()}
        for image in json.loads(images.read_bytes()):
            layer = known.get(image["layer"])
            while layer is not None:
                below[f"sha256:{image['id']}" in ids].add(layer["id"])
                layer = known.get(layer.get("parent"))
        return sum(int(known[layer].get("diff-size", 0)) for layer in below[True] - below[False])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
