"""The JSON inside an image: what an archive holds, checked as it comes in, and the image configuration.

Sources: https://github.com/opencontainers/image-spec (index, manifest, config); `podman save --format docker-archive`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, TypeVar

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from bareboat.errors import BareboatError

if TYPE_CHECKING:
    from collections.abc import Mapping

REFERENCE_ANNOTATION = "org.opencontainers.image.ref.name"
INDEX_TYPES = frozenset(
    {"application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json"}
)

_LOOSE = ConfigDict(extra="ignore", strict=True)
_Digest = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]
_Strings = Annotated[tuple[str, ...], Field(strict=False)]
_Shape = TypeVar("_Shape")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageConfig:
    """How an image runs and what it is for; `env` is `NAME=value`, `user` as given, "" where nothing was said."""

    user: str = ""
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    working_dir: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    architecture: str = "amd64"
    os: str = "linux"


@dataclass(frozen=True, slots=True, kw_only=True)
class Descriptor:
    """One blob that an index or manifest names."""

    __pydantic_config__ = _LOOSE

    digest: _Digest
    media_type: Annotated[str, Field(alias="mediaType")] = ""
    annotations: dict[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """`index.json` of an OCI archive."""

    __pydantic_config__ = _LOOSE

    manifests: Annotated[tuple[Descriptor, ...], Field(strict=False)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """An OCI image manifest: the config's blob, and the layers' from the lowest."""

    __pydantic_config__ = _LOOSE

    config: Descriptor
    layers: Annotated[tuple[Descriptor, ...], Field(strict=False)]


@dataclass(frozen=True, slots=True, kw_only=True)
class DockerImage:
    """One image of a docker-archive's `manifest.json`: names of members of the archive."""

    __pydantic_config__ = _LOOSE

    config: Annotated[str, Field(alias="Config")]
    tags: Annotated[_Strings | None, Field(alias="RepoTags")] = None
    layers: Annotated[_Strings, Field(alias="Layers")]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    __pydantic_config__ = _LOOSE

    user: Annotated[str | None, Field(alias="User")] = None
    entrypoint: Annotated[_Strings | None, Field(alias="Entrypoint")] = None
    command: Annotated[_Strings | None, Field(alias="Cmd")] = None
    env: Annotated[_Strings | None, Field(alias="Env")] = None
    working_dir: Annotated[str | None, Field(alias="WorkingDir")] = None
    labels: Annotated[dict[str, str] | None, Field(alias="Labels")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rootfs:
    __pydantic_config__ = _LOOSE

    diff_ids: Annotated[tuple[_Digest, ...], Field(strict=False)]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Config:
    __pydantic_config__ = _LOOSE

    architecture: str
    os: str
    config: _Run | None = None
    rootfs: _Rootfs


def read_json(shape: type[_Shape], data: bytes, name: str) -> _Shape:
    """The JSON text `data` as a value of `shape`; a BareboatError names the first key that is wrong."""
    try:
        return TypeAdapter(shape).validate_json(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(key) for key in first["loc"])
        raise BareboatError(f"{name}: {where or 'the file'}: {first['msg']}") from error


def read_docker_manifest(data: bytes, name: str) -> tuple[DockerImage, ...]:
    """The images of a docker-archive's `manifest.json`."""
    return read_json(tuple[DockerImage, ...], data, name)


def read_config(data: bytes, name: str) -> tuple[ImageConfig, tuple[str, ...]]:
    """An image's configuration, and its layers' diff ids (`sha256:` and hex) from the lowest."""
    config = read_json(_Config, data, name)
    run = config.config or _Run()
    said = ImageConfig(
        user=run.user or "",
        entrypoint=run.entrypoint or (),
        command=run.command or (),
        env=run.env or (),
        working_dir=run.working_dir or "",
        labels=run.labels or {},
        architecture=config.architecture,
        os=config.os,
    )
    return said, config.rootfs.diff_ids
