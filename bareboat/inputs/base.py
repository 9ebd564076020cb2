"""The image that a program is put on or compiled in: empty, from a registry, or made from packages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

# In what recipe files may hold, a field's explanation is a string below it: schema.py puts it into the schema.
STRICT = ConfigDict(extra="forbid", strict=True)
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.+-]*$")]
_ApkName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._+-]*$")]
# A file of the recipe's own folder.
_Beside = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$")]
_Version = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.+!_-]*$")]
_Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
_REFERENCE = r"^[a-z0-9][a-z0-9.:-]*/[a-z0-9][a-z0-9._/-]*[:@][A-Za-z0-9][A-Za-z0-9._:-]*$"
_Reference = Annotated[str, Field(pattern=_REFERENCE)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Debian:
    """A whole Debian system, made by mmdebstrap from packages that APT has verified."""

    __pydantic_config__ = STRICT

    kind: Literal["debian"]
    suite: Name
    """The release by its code name, such as bookworm."""
    variant: Literal["minbase", "apt"] = "minbase"
    """mmdebstrap's word for the packages that are installed anyway."""
    packages: tuple[Name, ...] = ()
    """More packages, installed with their dependencies."""
    slim: bool = False
    """Whether man pages, locales and documentation are left out, as in docker-library's slim images."""
    script: _Beside | None = None
    """A file beside the recipe, run inside the finished system as root, without network."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Distroless:
    """The files of a few Debian packages and nothing else: no maintainer script runs, so no shell is needed."""

    __pydantic_config__ = STRICT

    kind: Literal["distroless"]
    suite: Name
    """The release by its code name, such as bookworm."""
    packages: Annotated[tuple[Name, ...], Field(min_length=1)]
    """The packages, without their dependencies."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alpine:
    """A minimal Alpine system, taken out of the disk image in a PyPI package."""

    __pydantic_config__ = STRICT

    kind: Literal["alpine"]
    project: Name
    """The PyPI project."""
    version: _Version
    """Its version."""
    sha256: _Sha256
    """The SHA-256 of its wheel, in hex digits."""
    image: str
    """The disk image's path inside the wheel."""
    packages: Annotated[tuple[_ApkName, ...], Field(min_length=1)]
    """The apk packages that are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SameAs:
    """The bootstrap of another recipe or toolchain, so that one image serves both."""

    __pydantic_config__ = STRICT

    kind: Literal["same-as"]
    of: Name
    """The stem of the other's file, which lies beside this one."""


Bootstrap = Annotated[Debian | Distroless | Alpine | SameAs, Field(discriminator="kind")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """The image that a program is put on or compiled in."""

    __pydantic_config__ = STRICT

    scratch: bool = False
    """Whether it is empty; then there is neither image nor bootstrap."""
    image: _Reference | None = None
    """A registry's image: registry, repository, and tag or digest."""
    bootstrap: Bootstrap | None = None
    """How to make an equal image from packages."""

    def __post_init__(self) -> None:
        if self.scratch and (self.image or self.bootstrap):
            raise ValueError("scratch is empty: it takes neither image nor bootstrap; remove one of them")
        if not (self.scratch or self.image or self.bootstrap):
            raise ValueError('a base is needed: scratch = true, image = "..." or a bootstrap table')


RootBootstrap = Debian | Distroless | Alpine
