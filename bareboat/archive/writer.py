"""Writes an image of one layer as an OCI archive: the same bytes for the same input, on every host and at any time."""

from __future__ import annotations

import hashlib
import io
import json
import posixpath
import tarfile
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, BinaryIO

from bareboat.archive.formats import DOCKER, OCI
from bareboat.archive.manifest import REFERENCE_ANNOTATION
from bareboat.archive.place import Entry, place_on
from bareboat.archive.tarstream import BLOCK_BYTES, CHUNK_BYTES, PERMISSION_BITS, Meter, read_headers
from bareboat.archive.tree import WHITEOUT
from bareboat.errors import BareboatError
from bareboat.system.files import replacing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bareboat.archive.formats import Format
    from bareboat.archive.image import Image
    from bareboat.archive.manifest import ImageConfig

EPOCH = "1970-01-01T00:00:00Z"
# What each step of an image's history says it was made by.
CREATED_BY = "bareboat"
END_MARK = bytes(2 * BLOCK_BYTES)

_LAYOUT = b'{"imageLayoutVersion":"1.0.0"}'
_TAR_TYPES = {"file": tarfile.REGTYPE, "directory": tarfile.DIRTYPE, "symlink": tarfile.SYMTYPE}


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenImage:
    """An image that was written, by its digests (`sha256:` and hex digits)."""

    # The name that the archive gives the image.
    reference: str
    # The digest of the configuration, which Podman shows as the image's id.
    image_id: str
    manifest_digest: str
    # The digest of the written layer's uncompressed tar.
    diff_id: str
    # The size of that tar.
    size_bytes: int


def write_image(
    entries: Iterable[Entry],
    config: ImageConfig,
    *,
    reference: str,
    to: Path | BinaryIO,
    base: Image | None = None,
) -> WrittenImage:
    """Writes an image with a layer that has the entries, sorted by path, and their missing parents (0755, root).

    Without a `base` it is the only layer. A base's layers are below it: the archive names them by digest and does not
    hold them, so that it can be loaded only where the store has them. What the base's configuration says stays, but for
    what `config` says. If `to` is a path, the file is replaced as a whole or not at all; a stream needs `write` only.
    Raises BareboatError for an entry's path that is absolute, has `..`, is given twice or is below a file or symlink,
    and when `to` cannot be written.
    """
    layer = _make_layer(entries if base is None else place_on(base, entries))
    diff_id = _digest(layer)
    below = () if base is None else tuple((known.diff_id, known.size_bytes) for known in base.layers)
    with replacing(to) if isinstance(to, Path) else nullcontext(to) as stream:
        _write_member(stream, _blob_name(diff_id), layer)
        config_bytes = _make_config(config, (*(known for known, _ in below), diff_id), base)
        written = DOCKER if config.healthcheck else OCI
        return _write_rest(stream, config_bytes, reference, (*below, (diff_id, len(layer))), written)


def wrap_layer(layer_tar: Path, config: ImageConfig, *, reference: str, to: Path) -> WrittenImage:
    """Writes an image whose only layer is the uncompressed tar `layer_tar`, byte for byte; the tar may be of any size.

    Raises BareboatError for a file that cannot be read, is no tar, names a path twice, or changes meanwhile, and when
    `to` cannot be written.
    """
    try:
        opened = layer_tar.open("rb")
    except OSError as error:
        raise BareboatError(f"{layer_tar}: cannot be read: {error}") from error
    with opened as tar, replacing(to) as stream:
        _check_tar(layer_tar, tar.read(BLOCK_BYTES))
        size_bytes = tar.seek(0, io.SEEK_END)
        _check_paths(layer_tar, tar, size_bytes)
        tar.seek(0)
        # The member's header has the digest of its content as the name, and stands before it: leave room for the
        # header, and write it when the digest is known.
        stream.write(bytes(BLOCK_BYTES))
        sha256, copied = hashlib.sha256(), 0
        while data := tar.read(CHUNK_BYTES):
            sha256.update(data)
            copied += stream.write(data)
        if copied != size_bytes:
            raise BareboatError(f"{layer_tar}: changed while it was read")
        stream.write(bytes(-size_bytes % BLOCK_BYTES))
        diff_id = f"sha256:{sha256.hexdigest()}"
        written = _write_rest(stream, _make_config(config, (diff_id,), None), reference, ((diff_id, size_bytes),))
        stream.seek(0)
        stream.write(_make_header(Entry(path=_blob_name(diff_id)), size_bytes))
        return written


def _make_layer(entries: Iterable[Entry]) -> bytes:
    placed: dict[str, Entry] = {}
    for entry in entries:
        _check_entry(entry)
        if entry.path in placed:
            raise BareboatError(f"{entry.path!r} is put into the image twice")
        placed[entry.path] = entry
    for path in tuple(placed):
        parts = path.split("/")
        for depth in range(1, len(parts)):
            parent = "/".join(parts[:depth])
            above = placed.setdefault(parent, Entry(path=parent, kind="directory", mode=0o755))
            if above.kind != "directory":
                raise BareboatError(f"{path!r} is put below {parent!r}, which is a {above.kind}")
    layer = io.BytesIO()
    for path in sorted(placed):
        _write_entry(layer, placed[path])
    layer.write(END_MARK)
    return layer.getvalue()


def _check_entry(entry: Entry) -> None:
    fault = None
    if entry.path.startswith("/"):
        fault = "is absolute; write it without the leading slash"
    elif not {"", ".", ".."}.isdisjoint(entry.path.split("/")):
        fault = "has an empty, `.` or `..` part"
    elif any(part.startswith(WHITEOUT) for part in entry.path.split("/")):
        fault = f"has a part that begins with {WHITEOUT}, which would hide a file instead of being one"
    elif not all(_is_text(text) for text in (entry.path, entry.target)):
        fault = "or its target is no Unicode text, or has a NUL"
    elif (entry.kind == "symlink") != bool(entry.target) or (entry.content and entry.kind != "file"):
        fault = f"is a {entry.kind}: only a file has content, and a symlink, only it, has a target"
    elif entry.mode & ~PERMISSION_BITS or min(entry.mode, entry.uid, entry.gid) < 0:
        fault = f"has mode {entry.mode:#o}, owner {entry.uid}:{entry.gid}"
    if fault:
        raise BareboatError(f"the image's path {entry.path!r} {fault}")


def _is_text(text: str) -> bool:
    try:
        return b"\0" not in text.encode()
    except UnicodeEncodeError:
        return False


def _make_header(entry: Entry, size_bytes: int) -> bytes:
    info = tarfile.TarInfo(entry.path)
    info.type = _TAR_TYPES[entry.kind]
    info.mode, info.uid, info.gid, info.size, info.linkname = entry.mode, entry.uid, entry.gid, size_bytes, entry.target
    if entry.path.isascii() and entry.target.isascii():
        try:
            return info.tobuf(tarfile.USTAR_FORMAT)
        except ValueError:  # ustar has no room for a name of more than 100 + 155 characters or for a large number
            pass
    return info.tobuf(tarfile.PAX_FORMAT)


def _write_entry(stream: IO[bytes], entry: Entry) -> None:
    stream.write(_make_header(entry, len(entry.content)))
    stream.write(entry.content)
    stream.write(bytes(-len(entry.content) % BLOCK_BYTES))


def _write_member(stream: IO[bytes], name: str, content: bytes) -> None:
    _write_entry(stream, Entry(path=name, content=content))


def _make_manifest(config_bytes: bytes, layers: tuple[tuple[str, int], ...], form: Format) -> bytes:
    """The manifest of an image; `layers` are digests and sizes in bytes, the lowest first."""
    return _json(
        {
            "schemaVersion": 2,
            "mediaType": form.manifest,
            "config": {"mediaType": form.config, "digest": _digest(config_bytes), "size": len(config_bytes)},
            "layers": [{"mediaType": form.layer, "digest": digest, "size": size} for digest, size in layers],
        }
    )


def _write_rest(
    stream: IO[bytes], config_bytes: bytes, reference: str, layers: tuple[tuple[str, int], ...], form: Format = OCI
) -> WrittenImage:
    """Writes the archive's other members, configuration, manifest and index, and its end mark.

    `layers` are as `_make_manifest` has them; the last one is the written one.
    """
    image_id = _digest(config_bytes)
    manifest = _make_manifest(config_bytes, layers, form)
    named = {
        "mediaType": form.manifest,
        "digest": _digest(manifest),
        "size": len(manifest),
        "annotations": {REFERENCE_ANNOTATION: reference},
    }
    for name, content in (
        (_blob_name(image_id), config_bytes),
        (_blob_name(_digest(manifest)), manifest),
        ("index.json", _json({"schemaVersion": 2, "manifests": [named]})),
        ("oci-layout", _LAYOUT),
    ):
        _write_member(stream, name, content)
    stream.write(END_MARK)
    return WrittenImage(
        reference=reference,
        image_id=image_id,
        manifest_digest=_digest(manifest),
        diff_id=layers[-1][0],
        size_bytes=layers[-1][1],
    )


def _make_config(config: ImageConfig, diff_ids: tuple[str, ...], base: Image | None) -> bytes:
    said = base.runtime_settings() if base else {}
    config = config if base is None else _over(base.config, config)
    runtime = {
        "User": config.user,
        "Entrypoint": list(config.entrypoint),
        "Cmd": list(config.command),
        "Env": list(config.env),
        "WorkingDir": config.working_dir,
        "Labels": dict(config.labels),
        **({"Healthcheck": {"Test": ["CMD", *config.healthcheck]}} if config.healthcheck else {}),
    }
    return _json(
        {
            "created": EPOCH,
            "architecture": config.architecture,
            "os": config.os,
            "config": {key: value for key, value in (said | runtime).items() if value},
            "rootfs": {"type": "layers", "diff_ids": list(diff_ids)},
            "history": [{"created": EPOCH, "created_by": CREATED_BY} for _ in diff_ids],
        }
    )


def _over(below: ImageConfig, config: ImageConfig) -> ImageConfig:
    """A base's configuration with another's settings in the place of its own.

    A new entrypoint takes the base's command with it, as a Containerfile's ENTRYPOINT does.
    """
    env = dict(line.partition("=")[::2] for line in (*below.env, *config.env))
    return replace(
        config,
        env=tuple(f"{name}={value}" for name, value in env.items()),
        working_dir=config.working_dir or below.working_dir,
        labels={**below.labels, **config.labels},
    )


def _check_tar(path: Path, block: bytes) -> None:
    try:
        tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except tarfile.HeaderError as error:
        raise BareboatError(f"{path}: does not begin as an uncompressed tar does: {error}") from error


def _check_paths(path: Path, tar: BinaryIO, size_bytes: int) -> None:
    # Which of two entries counts differs from engine to engine, and Podman 5 takes neither.
    tar.seek(0)
    seen: set[str] = set()
    for header in read_headers(Meter(tar, name=str(path), limit_bytes=size_bytes, hashing=False)):
        place = posixpath.normpath(f"/{header.name.lstrip('/')}")
        if place in seen:
            raise BareboatError(f"{path}: {header.name!r} is put into the image twice")
        seen.add(place)


def _blob_name(digest: str) -> str:
    return f"blobs/{digest.replace(':', '/')}"


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode()
