"""Checks the JSON inside an image, which says what an archive holds, and reads the image configuration out of it.

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

# What reads a shape is made when the first text of it is read: many commands read none.
_LOOSE = ConfigDict(extra="ignore", strict=True, defer_build=True)
_Digest = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]
_Strings = Annotated[tuple[str, ...], Field(strict=False)]
_Shape = TypeVar("_Shape")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageConfig:
    """How an image runs and which machines it is for; what its JSON leaves out is empty here."""

    # The user as the image spells it: a name or number, with or without a group.
    user: str = ""
    # The program that the image runs, and its first arguments.
    entrypoint: tuple[str, ...] = ()
    # The arguments after the entrypoint, which whoever runs the image may replace.
    command: tuple[str, ...] = ()
    # `NAME=value` each.
    env: tuple[str, ...] = ()
    # Where the program starts.
    working_dir: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    # The command by which an engine asks whether a container is well, to be written; no image is read for it. OCI's
    # format has no place for it, Docker's has.
    healthcheck: tuple[str, ...] = ()
    # The architecture and operating system as Go spells them.
    architecture: str = "amd64"
    os: str = "linux"


@dataclass(frozen=True, slots=True, kw_only=True)
class Descriptor:
    """One blob that an index or manifest names."""

    __pydantic_config__ = _LOOSE

    # Of the blob as it is stored, that is, of a compressed layer's compressed bytes.
    digest: _Digest
    # What the blob is: INDEX_TYPES have the types of an image for several platforms.
    media_type: Annotated[str, Field(alias="mediaType")] = ""
    # More about the blob; REFERENCE_ANNOTATION gives the name of an image.
    annotations: dict[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """`index.json` of an OCI archive."""

    __pydantic_config__ = _LOOSE

    manifests: Annotated[tuple[Descriptor, ...], Field(strict=False)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """An OCI image manifest."""

    __pydantic_config__ = _LOOSE

    config: Descriptor
    # The lowest layer first.
    layers: Annotated[tuple[Descriptor, ...], Field(strict=False)]


@dataclass(frozen=True, slots=True, kw_only=True)
class DockerImage:
    """One image of a docker-archive's `manifest.json`."""

    __pydantic_config__ = _LOOSE

    # The name of the archive's member that has the configuration.
    config: Annotated[str, Field(alias="Config")]
    # The image's names.
    tags: Annotated[_Strings | None, Field(alias="RepoTags")] = None
    # The names of the archive's members that have the layers, the lowest first.
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


INDEX = TypeAdapter(Index)
MANIFEST = TypeAdapter(Manifest)
DOCKER_MANIFEST = TypeAdapter(tuple[DockerImage, ...], config=ConfigDict(defer_build=True))
_CONFIG = TypeAdapter(_Config)


def read_json(shape: TypeAdapter[_Shape], data: bytes, name: str) -> _Shape:
    """Read the JSON text `data` as a value of `shape`. Raises BareboatError that names the first wrong key."""
    try:
        return shape.validate_json(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(key) for key in first["loc"])
        raise BareboatError(f"{name}: {where or 'the file'}: {first['msg']}") from error


def read_config(data: bytes, name: str) -> tuple[ImageConfig, tuple[str, ...]]:
    """An image's configuration, and its layers' diff ids (`sha256:` and hex digits), the lowest layer first."""
    config = read_json(_CONFIG, data, name)
    run = config.config or _Run()
    image_config = ImageConfig(
        user=run.user or "",
        entrypoint=run.entrypoint or (),
        command=run.command or (),
        env=run.env or (),
        working_dir=run.working_dir or "",
        labels=run.labels or {},
        architecture=config.architecture,
        os=config.os,
    )
    return image_config, config.rootfs.diff_ids
