"""Reads an image out of an OCI archive or docker-archive: its configuration, its layers and its merged files."""

from __future__ import annotations

import hashlib
import json
import posixpath
import threading
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar, cast

from bareboat.archive.blob import LAYER_LIMIT_BYTES, Blob
from bareboat.archive.known import KnownLayers
from bareboat.archive.layer import ENTRY_LIMIT, Layer, read_layer
from bareboat.archive.manifest import (
    DOCKER_MANIFEST,
    INDEX,
    INDEX_TYPES,
    MANIFEST,
    REFERENCE_ANNOTATION,
    read_config,
    read_json,
)
from bareboat.archive.tarstream import Meter, read_headers
from bareboat.archive.tree import Tree
from bareboat.errors import BareboatError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from bareboat.archive.manifest import ImageConfig
    from bareboat.archive.node import Extent, File

JSON_LIMIT_BYTES = 4 << 20  # the limit of containers/image for a manifest or configuration
ARCHIVE_LIMIT_BYTES = 1 << 40
NOTHING_KNOWN = KnownLayers()
_Made = TypeVar("_Made")


class Image:
    """An image in an archive. Layers are read only when they are asked for: the archive must stay where it is.

    `id` is the digest of the configuration, as Podman shows it; `references` are the names the archive gives the image;
    `blobs` are where its layers lie, the lowest first; `config_bytes` is the configuration as it is; `made` is what
    `read_as` gave before, by the content's SHA-256 and the reader. Several threads may use one image.
    """

    def __init__(
        self,
        *,
        path: Path,
        config_bytes: bytes,
        blobs: tuple[Blob, ...],
        references: tuple[str, ...],
        base: Image | None = None,
        known: KnownLayers = NOTHING_KNOWN,
    ) -> None:
        self.path = path
        self.config_bytes = config_bytes
        self.id = f"sha256:{hashlib.sha256(config_bytes).hexdigest()}"
        self.references = references
        self.config: ImageConfig
        self.config, self._diff_ids = read_config(config_bytes, f"{path}: config")
        self.blobs = blobs
        if len(blobs) != len(self._diff_ids):
            raise BareboatError(f"{path}: {len(blobs)} layers, but the config names {len(self._diff_ids)}")
        self._base = base
        self._known = known
        self._lock = threading.Lock()
        self._scanned: tuple[tuple[Layer, ...], Tree] | None = None
        self._files: Mapping[str, File] | None = None
        self.made: dict[tuple[str, Callable[[bytes], object]], object] = {} if base is None else base.made

    def runtime_settings(self) -> dict[str, object]:
        """What the configuration says of how the image runs, by the keys of its JSON, triggers of builds left out."""
        settings = json.loads(self.config_bytes).get("config") or {}
        return {key: value for key, value in settings.items() if key != "OnBuild"}

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers, the lowest first. Raises BareboatError for a layer that is damaged or has another digest."""
        return self._scan()[0]

    @property
    def own_layers(self) -> tuple[Layer, ...]:
        """The layers above those of the base that it was opened upon; all of them without one. Raises as `layers`."""
        return self.layers[len(self._base.blobs) :] if self._base else self.layers

    def files(self) -> Mapping[str, File]:
        """The merged root filesystem by path, sorted, without the root itself. Raises as `layers` does."""
        if self._files is None:
            files = sorted(self._scan()[1].files(), key=_path)
            self._files = MappingProxyType({file.path: file for file in files})
        return self._files

    def count_files(self) -> int:
        """How many entries of the merged root filesystem are no folders. Raises as `layers` does."""
        return self._scan()[1].file_count

    def find(self, path: str) -> File | None:
        """The entry at `path` after following links, or None where there is none.

        The image's root is `/`. Raises as `layers` does, and for links that loop or leave the root.
        """
        node = self._scan()[1].resolve(path)
        return node.file if node else None

    def read(self, path: str) -> bytes:
        """The content of the file at `path` after following links. Raises as `find`, and where there is no file."""
        return self._read(*self._find_content(path))

    def read_as(self, path: str, reader: Callable[[bytes], _Made]) -> _Made:
        """What `reader`, a pure function, makes of the content of the file at `path`. Raises as `read` and as it does.

        It is made once for each content, and by all images on one base together.
        """
        file, content = self._find_content(path)
        key = (file.sha256, reader)
        if key not in self.made:
            self.made[key] = reader(self._read(file, content))
        return cast("_Made", self.made[key])

    def fork_tree(self, name: str) -> Tree:
        """The merged root filesystem, to put layers upon; errors of the fork call it `name`."""
        return self._scan()[1].fork(name)

    def _find_content(self, path: str) -> tuple[File, Extent]:
        node = self._scan()[1].resolve(path)
        if node is None:
            raise BareboatError(f"{self.path}: there is no {path} in the image")
        if node.content is None:
            raise BareboatError(f"{self.path}: {path} is a {node.file.kind}, not a file")
        return node.file, node.content

    def _read(self, file: File, content: Extent) -> bytes:
        return self.layers[content.layer].read(content.offset, content.size_bytes, file.sha256)

    def _scan(self) -> tuple[tuple[Layer, ...], Tree]:
        if self._scanned is None:
            with self._lock:
                self._scanned = self._scanned or self._read_layers()
        return self._scanned

    def _read_layers(self) -> tuple[tuple[Layer, ...], Tree]:
        layers, tree, left = list[Layer](), Tree(str(self.path)), LAYER_LIMIT_BYTES
        if self._base:
            # What is below was read for the base, and is not read again.
            layers, tree = list(self._base.layers), self._base.fork_tree(str(self.path))
        for number in range(len(layers), len(self.blobs)):
            blob, diff_id = self.blobs[number], self._diff_ids[number]
            found = read_layer(blob, diff_id, self._known)
            tree.add_layer(number, found.entries)
            # A manifest may name one blob as thousands of layers, so the limit is on their sum.
            left -= found.size_bytes
            if left < 0:
                raise BareboatError(
                    f"{self.path}: its layers are longer than {LAYER_LIMIT_BYTES} bytes, more than read"
                )
            layers.append(Layer(diff_id=diff_id, size_bytes=found.size_bytes, _blob=blob, _known=self._known))
        return tuple(layers), tree


def open_image(path: Path, *, base: Image | None = None, known: KnownLayers = NOTHING_KNOWN) -> Image:
    """The only image of an OCI archive or docker-archive, as `podman save` writes them.

    Its layers may be uncompressed or gzip, and are not read yet. The layers of a `base` that an OCI archive was written
    upon are read from the base's own archive. A layer that is `known` is not read, and others are known afterwards.
    Raises BareboatError for a file that is neither kind of archive, is damaged, or holds several images.
    """
    blobs = _list_members(path)
    if "index.json" in blobs:
        return _open_oci(path, blobs, base, known)
    if "manifest.json" in blobs:
        return _open_docker(path, blobs, known)
    raise BareboatError(f"{path}: neither an OCI archive nor a docker-archive: no index.json or manifest.json in it")


def _open_oci(path: Path, blobs: Mapping[str, Blob], base: Image | None, known: KnownLayers) -> Image:
    index = read_json(INDEX, _read_json_blob(path, blobs, "index.json"), f"{path}: index.json")
    if len(index.manifests) != 1 or index.manifests[0].media_type in INDEX_TYPES:
        raise BareboatError(f"{path}: holds {len(index.manifests)} images or several platforms; save one image of one")
    named = index.manifests[0]
    manifest = read_json(MANIFEST, _read_digest(path, blobs, named.digest), f"{path}: manifest")
    reference = (named.annotations or {}).get(REFERENCE_ANNOTATION)
    below = base.blobs if base else ()
    if base and [layer.digest for layer in manifest.layers[: len(below)]] != [layer.diff_id for layer in base.layers]:
        raise BareboatError(f"{path}: its layers do not begin with those of {base.path}")
    return Image(
        path=path,
        config_bytes=_read_digest(path, blobs, manifest.config.digest),
        blobs=(
            *below,
            *(_get_member(path, blobs, _blob_name(layer.digest)) for layer in manifest.layers[len(below) :]),
        ),
        references=(reference,) if reference else (),
        base=base,
        known=known,
    )


def _open_docker(path: Path, blobs: Mapping[str, Blob], known: KnownLayers) -> Image:
    images = read_json(DOCKER_MANIFEST, _read_json_blob(path, blobs, "manifest.json"), f"{path}: manifest.json")
    if len(images) != 1:
        raise BareboatError(f"{path}: holds {len(images)} images; save one")
    return Image(
        path=path,
        config_bytes=_read_json_blob(path, blobs, images[0].config),
        blobs=tuple(_get_member(path, blobs, layer) for layer in images[0].layers),
        references=images[0].tags or (),
        known=known,
    )


def _list_members(path: Path) -> dict[str, Blob]:
    """The archive's files by name, and its links by theirs: an old docker-archive names a layer again by a symlink."""
    members: dict[str, Blob] = {}
    links: dict[str, str] = {}
    whole = Blob(archive=path, name="the archive", offset=0, size_bytes=ARCHIVE_LIMIT_BYTES)
    with whole.open() as stream:
        size_bytes = path.stat().st_size
        meter = Meter(stream, name=str(path), limit_bytes=ARCHIVE_LIMIT_BYTES, hashing=False)
        for count, header in enumerate(read_headers(meter)):
            name = posixpath.normpath(header.name)
            if header.offset + header.size_bytes > size_bytes:
                meter.fail(f"is cut off in {name!r}")
            if name in members or name in links or count >= ENTRY_LIMIT:
                meter.fail(f"has {name!r} twice, or more than {ENTRY_LIMIT} members")
            if header.kind == "file":
                members[name] = Blob(archive=path, name=name, offset=header.offset, size_bytes=header.size_bytes)
            elif header.kind in {"symlink", "hardlink"}:
                folder = posixpath.dirname(name) if header.kind == "symlink" else ""
                links[name] = posixpath.normpath(posixpath.join(folder, header.link))
    return members | {name: members[target] for name, target in links.items() if target in members}


def _get_member(path: Path, blobs: Mapping[str, Blob], name: str) -> Blob:
    blob = blobs.get(posixpath.normpath(name))
    if blob is None:
        raise BareboatError(f"{path}: lacks {name!r}, which its manifest names")
    return blob


def _read_json_blob(path: Path, blobs: Mapping[str, Blob], name: str) -> bytes:
    blob = _get_member(path, blobs, name)
    if blob.size_bytes > JSON_LIMIT_BYTES:
        raise BareboatError(f"{path}: {name!r} has {blob.size_bytes} bytes, more than Bareboat reads as JSON")
    with blob.open() as stream:
        return stream.read(blob.size_bytes)


def _read_digest(path: Path, blobs: Mapping[str, Blob], digest: str) -> bytes:
    data = _read_json_blob(path, blobs, _blob_name(digest))
    if (found := f"sha256:{hashlib.sha256(data).hexdigest()}") != digest:
        raise BareboatError(f"{path}: the blob {digest} has the digest {found}")
    return data


def _blob_name(digest: str) -> str:
    return f"blobs/{digest.replace(':', '/')}"


def _path(file: File) -> str:
    return file.path
