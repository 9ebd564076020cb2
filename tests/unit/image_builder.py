"""Layers and archives as other tools write them, so that the reader is not only tested against our own writer."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = {"architecture": "amd64", "os": "linux"}


def entry(name: str, content: bytes = b"", *, kind: bytes = tarfile.REGTYPE, link: str = "", **numbers: int):
    """A tar member and its content; the name is written as it is given."""
    member = tarfile.TarInfo(name)
    member.type, member.linkname, member.size = kind, link, len(content)
    for key, value in numbers.items():
        setattr(member, key, value)
    return member, content


def folder(name: str, **numbers: int):
    return entry(name, kind=tarfile.DIRTYPE, **({"mode": 0o755} | numbers))


def symlink(name: str, target: str):
    return entry(name, kind=tarfile.SYMTYPE, link=target, mode=0o777)


def hard_link(name: str, target: str):
    return entry(name, kind=tarfile.LNKTYPE, link=target)


def make_layer(*members, form: int = tarfile.PAX_FORMAT) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=form) as tar:
        for member, content in members:
            tar.addfile(member, io.BytesIO(content))
    return stream.getvalue()


def digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def make_config(layers, **extra) -> bytes:
    rootfs = {"type": "layers", "diff_ids": [digest(layer) for layer in layers]}
    return json.dumps(CONFIG | {"rootfs": rootfs} | extra).encode()


def write_docker_archive(path: Path, *layers: bytes, tag: str = "localhost/x:1", config: bytes | None = None) -> Path:
    """Write what `podman save --format docker-archive` writes: plain layers, and a link to each by an older name."""
    config = make_config(layers) if config is None else config
    names = [f"{digest(layer).partition(':')[2]}.tar" for layer in layers]
    manifest = [{"Config": "config.json", "RepoTags": [tag], "Layers": names}]
    members = [entry(name, layer) for name, layer in zip(names, layers, strict=True)]
    members += [symlink(f"{number}/layer.tar", f"../{name}") for number, name in enumerate(names)]
    members += [entry("config.json", config), entry("manifest.json", json.dumps(manifest).encode())]
    path.write_bytes(make_layer(*members, form=tarfile.USTAR_FORMAT))
    return path


def write_oci_archive(path: Path, *layers: bytes, config: bytes | None = None, pack=gzip.compress, **index) -> Path:
    """Write what `podman save --format oci-archive` writes: layers in gzip, and the folders' own entries first."""
    config = make_config(layers) if config is None else config
    blobs = [pack(layer) for layer in layers]
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "config": {"digest": digest(config), "size": len(config)},
            "layers": [{"digest": digest(blob), "size": len(blob)} for blob in blobs],
        }
    ).encode()
    named = {"digest": digest(manifest), "annotations": {"org.opencontainers.image.ref.name": "localhost/x:1"}}
    members = [folder("blobs/"), folder("blobs/sha256/")]
    members += [entry(f"blobs/{digest(blob).replace(':', '/')}", blob) for blob in sorted({*blobs, config, manifest})]
    members.append(entry("index.json", json.dumps({"schemaVersion": 2, "manifests": [named]} | index).encode()))
    path.write_bytes(make_layer(*members, entry("oci-layout", b"{}")))
    return path
