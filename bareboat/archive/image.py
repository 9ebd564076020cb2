"""Reads an image out of an OCI archive or docker-archive: its configuration, its layers and its merged files."""

from __future__ import annotations

import hashlib
import json
import posixpath
import zlib
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING

from bareboat.archive.blob import LAYER_LIMIT_BYTES, Blob, open_tar
from bareboat.archive.manifest import (
    INDEX_TYPES,
    REFERENCE_ANNOTATION,
    Index,
    Manifest,
    read_config,
    read_docker_manifest,
    read_json,
)
from bareboat.archive.tarstream import CHUNK_BYTES, Meter, read_headers
from bareboat.archive.tree import Tree
from bareboat.errors import BareboatError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from bareboat.archive.manifest import ImageConfig
    from bareboat.archive.tarstream import Header
    from bareboat.archive.tree import File

JSON_LIMIT_BYTES = 4 << 20  # the limit of containers/image for a manifest or configuration
ARCHIVE_LIMIT_BYTES = 1 << 40
ENTRY_LIMIT = 1_000_000
_GZIP_LEVEL = 6
_GZIP_WINDOW = 16 + zlib.MAX_WBITS  # has zlib write a gzip header, without a file name and with time 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """One layer of an image."""

    # `sha256:` and the digest of the layer's uncompressed tar.
    diff_id: str
    # The size of the uncompressed tar.
    size_bytes: int
    _blob: Blob = field(repr=False)
    # What `compressed_bytes` gave before; None where that is not known.
    gzip_bytes: int | None = None

    def compressed_bytes(self) -> int:
        """The size after gzip -6, as a registry stores the layer."""
        if self.gzip_bytes is not None:
            return self.gzip_bytes
        gzip = zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, _GZIP_WINDOW)
        return sum(len(gzip.compress(chunk)) for chunk in self.chunks()) + len(gzip.flush())

    def chunks(self) -> Iterator[bytes]:
        """The uncompressed tar, piece by piece. Raises BareboatError when the archive has become unreadable."""
        with open_tar(self._blob, hashing=False) as meter:
            while data := meter.read(CHUNK_BYTES):
                yield data


class Image:
    """An image in an archive. Layers are read only when they are asked for: the archive must stay where it is.

    `id` is the digest of the configuration, as Podman shows it; `references` are the names the archive gives the image;
    `blobs` are where its layers lie, the lowest first; `config_bytes` is the configuration as it is.
    """

    def __init__(
        self,
        *,
        path: Path,
        config_bytes: bytes,
        blobs: tuple[Blob, ...],
        references: tuple[str, ...],
        base: Image | None = None,
        gzip_bytes: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        self.path = path
        self._gzip_bytes = gzip_bytes
        self.config_bytes = config_bytes
        self._base = base
        self.id = f"sha256:{hashlib.sha256(config_bytes).hexdigest()}"
        self.references = references
        self.config: ImageConfig
        self.config, self._diff_ids = read_config(config_bytes, f"{path}: config")
        self.blobs = blobs
        if len(blobs) != len(self._diff_ids):
            raise BareboatError(f"{path}: {len(blobs)} layers, but the config names {len(self._diff_ids)}")

    def runtime_settings(self) -> dict[str, object]:
        """What the configuration says of how the image runs, by the keys of its JSON, triggers of builds left out."""
        settings = json.loads(self.config_bytes).get("config") or {}
        return {key: value for key, value in settings.items() if key != "OnBuild"}

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers, the lowest first. Raises BareboatError for a layer that is damaged or has another digest."""
        return self._scanned[0]

    def files(self) -> Mapping[str, File]:
        """The merged root filesystem by path, sorted, without the root itself. Raises as `layers` does."""
        return self._files

    def find(self, path: str) -> File | None:
        """The entry at `path` after following links, or None where there is none.

        The image's root is `/`. Raises as `layers` does, and for links that loop or leave the root.
        """
        node = self._scanned[1].resolve(path)
        return node.file if node else None

    def read(self, path: str) -> bytes:
        """The content of the file at `path` after following links. Raises as `find`, and where there is no file."""
        node = self._scanned[1].resolve(path)
        if node is None:
            raise BareboatError(f"{self.path}: there is no {path} in the image")
        if node.content is None:
            raise BareboatError(f"{self.path}: {path} is a {node.file.kind}, not a file")
        with open_tar(self.blobs[node.content.layer], hashing=False) as meter:
            meter.skip(node.content.offset)
            return meter.take(node.content.size_bytes)

    def copy_tree(self, name: str) -> Tree:
        """The merged root filesystem, to put layers upon; errors of the copy call it `name`."""
        return self._scanned[1].copy(name)

    @cached_property
    def _files(self) -> Mapping[str, File]:
        return MappingProxyType({file.path: file for file in sorted(self._scanned[1].files(), key=_path)})

    @cached_property
    def _scanned(self) -> tuple[tuple[Layer, ...], Tree]:
        layers, tree, left = list[Layer](), Tree(str(self.path)), LAYER_LIMIT_BYTES
        if self._base:
            # What is below was read for the base, and is not read again.
            layers, tree = list(self._base.layers), self._base.copy_tree(str(self.path))
        for number in range(len(layers), len(self.blobs)):
            blob, diff_id = self.blobs[number], self._diff_ids[number]
            with open_tar(blob, hashing=True) as meter:
                tree.add_layer(number, read_entries(meter))
                meter.finish()
                if meter.digest() != diff_id:
                    meter.fail(f"its digest is {meter.digest()}, but the config names {diff_id}")
                # A manifest may name one blob as thousands of layers, so the limit is on their sum.
                left -= meter.position
                if left < 0:
                    meter.fail(f"the layers are longer than {LAYER_LIMIT_BYTES} bytes, more than Bareboat reads")
                known = self._gzip_bytes.get(diff_id)
                layers.append(Layer(diff_id=diff_id, size_bytes=meter.position, _blob=blob, gzip_bytes=known))
        return tuple(layers), tree


def open_image(path: Path, *, base: Image | None = None, gzip_bytes: Mapping[str, int] = MappingProxyType({})) -> Image:
    """The only image of an OCI archive or docker-archive, as `podman save` writes them.

    Its layers may be uncompressed or gzip, and are not read yet. The layers of a `base` that an OCI archive was written
    upon are read from the base's own archive. `gzip_bytes` are compressed sizes that are known, by diff id. Raises
    BareboatError for a file that is neither kind of archive, is damaged, or holds several images.
    """
    blobs = _list_members(path)
    if "index.json" in blobs:
        return _open_oci(path, blobs, base, gzip_bytes)
    if "manifest.json" in blobs:
        return _open_docker(path, blobs, gzip_bytes)
    raise BareboatError(f"{path}: neither an OCI archive nor a docker-archive: no index.json or manifest.json in it")


def _open_oci(path: Path, blobs: Mapping[str, Blob], base: Image | None, gzip_bytes: Mapping[str, int]) -> Image:
    index = read_json(Index, _read_json_blob(path, blobs, "index.json"), f"{path}: index.json")
    if len(index.manifests) != 1 or index.manifests[0].media_type in INDEX_TYPES:
        raise BareboatError(f"{path}: holds {len(index.manifests)} images or several platforms; save one image of one")
    named = index.manifests[0]
    manifest = read_json(Manifest, _read_digest(path, blobs, named.digest), f"{path}: manifest")
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
        gzip_bytes=gzip_bytes,
    )


def _open_docker(path: Path, blobs: Mapping[str, Blob], gzip_bytes: Mapping[str, int]) -> Image:
    images = read_docker_manifest(_read_json_blob(path, blobs, "manifest.json"), f"{path}: manifest.json")
    if len(images) != 1:
        raise BareboatError(f"{path}: holds {len(images)} images; save one")
    return Image(
        path=path,
        config_bytes=_read_json_blob(path, blobs, images[0].config),
        blobs=tuple(_get_member(path, blobs, layer) for layer in images[0].layers),
        references=images[0].tags or (),
        gzip_bytes=gzip_bytes,
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


def read_entries(meter: Meter) -> Iterator[tuple[Header, str]]:
    """Each entry of a layer's tar, with the SHA-256 of its content in hex digits, "" for all but files."""
    for count, header in enumerate(read_headers(meter)):
        if count >= ENTRY_LIMIT:
            meter.fail(f"has more than {ENTRY_LIMIT} entries")
        sha256 = hashlib.sha256()
        for chunk in meter.chunks(header.size_bytes):
            sha256.update(chunk)
        yield header, sha256.hexdigest() if header.kind == "file" else ""


def _path(file: File) -> str:
    return file.path
