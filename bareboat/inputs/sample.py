"""Samples: Rust crates, and what their programs are expected to do; `load_samples` reads them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import ConfigDict, Discriminator, Field, Tag, TypeAdapter

from bareboat.inputs.base import Name  # noqa: TC001 -- likewise
from bareboat.inputs.cargo import Cargo
from bareboat.inputs.expectation import Expectation, Served, Serving, Value, Variable
from bareboat.inputs.expected import ExpectedFailure  # noqa: TC001 -- likewise
from bareboat.inputs.extent import Extent
from bareboat.inputs.rustflags import RustFlags

if TYPE_CHECKING:
    from pathlib import Path

    from bareboat.inputs.mend import Mend

# Where a reverse proxy listens, and what answers there by itself, without any upstream.
PROXY_PORT, PROXY_READY = 8080, "/healthz"
# The place in a container at which the sources are.
SOURCES = "/src"
# None is the recipe's; `none` is no C library at all, for programs that make their system calls themselves.
Linked = Literal["none"] | None
# `recipe` is for a variant that has the recipe's, though its crate has another.
_Relinked = Literal["none", "recipe"] | None
_STRICT = ConfigDict(extra="forbid", strict=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """The same crate compiled in another way: a sample of its own, `CRATE+NAME`."""

    __pydantic_config__ = _STRICT

    # What distinguishes it from the crate, `CRATE+NAME` being the sample's name.
    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
    # The step of the ladder with whose settings it begins; "" for none.
    step: str = ""
    # How it is compiled, beside what that step says.
    cargo: Cargo = field(default_factory=Cargo)
    # Patterns of the recipes that it is put on; without any, those of the crate.
    recipes: tuple[str, ...] = ()
    # By pattern of recipe, provisions that are put beside the program, in addition to the crate's.
    provisions: Annotated[dict[str, tuple[str, ...]], Field(alias="with")] = field(default_factory=dict)
    # Which C library its program has, where that is not the crate's.
    libc: _Relinked = None
    # The plain run, if it differs from the crate's.
    expect: Expectation | None = None
    # More runs, if they differ from the crate's.
    also: tuple[Expectation, ...] | None = None
    # By pattern of recipe, why the variant is known not to work there, and what it says.
    expect_failure: dict[str, ExpectedFailure] = field(default_factory=dict)
    # By pattern of recipe and name of probe, why the probe is known to be answered wrongly there.
    excuses: Annotated[dict[str, dict[str, str]], Field(alias="excuse")] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check_names(self.expect, self.also or ())


def _check_names(plain: Expectation | None, more: tuple[Expectation, ...]) -> None:
    names = [expectation.name for expectation in more]
    if (plain and plain.name) or "" in names or len(set(names)) < len(names):
        raise ValueError("`expect` has no name, and each of `also` has a name of its own")


def _kind_of_service(value: object) -> str:
    """Which of the two a service may be; problems are told of that one alone."""
    return "boolean" if isinstance(value, bool) else Serving.__name__


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """The table `[package.metadata.bareboat]` of a crate's Cargo.toml."""

    __pydantic_config__ = _STRICT

    # The plain run; without it nothing is expected, and the run shows what the program does by itself.
    expect: Expectation | None = None
    # The arguments of a plain run of which nothing is expected.
    arguments: tuple[str, ...] = ()
    # How it is compiled.
    cargo: Cargo = field(default_factory=Cargo)
    # Which C library its program has, where that is not the recipe's.
    libc: Linked = None
    # Debian packages that the toolchain has besides, for C libraries and what build scripts call.
    toolchain_packages: Annotated[tuple[Name, ...], Field(alias="toolchain-packages")] = ()
    # Environment variables that the image sets, beside the recipe's.
    env: dict[Variable, Value] = field(default_factory=dict)
    # More runs, each with a name of its own.
    also: tuple[Expectation, ...] = ()
    # Patterns of the recipes that the crate is put on; without any, all.
    recipes: tuple[str, ...] = ()
    # What the program must do as a service, which does not end by itself; true of a reverse proxy, which must answer
    # the probes of the harbor.
    service: Annotated[
        Annotated[bool, Tag("boolean")] | Annotated[Serving, Tag(Serving.__name__)], Discriminator(_kind_of_service)
    ] = False
    # Whether its runs have a network; without one they have loopback alone.
    network: bool = False
    # Whether the crate is built only if `--sample` names it, because it takes long.
    on_request: bool = False
    # By pattern of recipe, provisions that are put beside the program.
    provisions: Annotated[dict[str, tuple[str, ...]], Field(alias="with")] = field(default_factory=dict)
    # By recipe, the size in bytes that somebody else has published for such an image.
    published: dict[str, Annotated[int, Field(gt=0)]] = field(default_factory=dict)
    # Whether there is a variant for each step of the ladder, by which it is compiled smaller and smaller.
    ladder: bool = False
    # The same crate compiled in other ways.
    variants: tuple[Variant, ...] = ()

    def __post_init__(self) -> None:
        if self.expect and self.arguments:
            raise ValueError("of a run that is expected to show something the arguments are `expect.arguments`")
        _check_names(self.expect, self.also)
        if len({variant.name for variant in self.variants}) < len(self.variants):
            raise ValueError("each of `variants` has a name of its own")
        if self.serving and (self.expect or any(variant.expect for variant in self.variants)):
            raise ValueError("a service is expected to serve, and `expect` has it end: another run is one of `also`")
        if self.serving and self.arguments:
            raise ValueError("of a service the arguments are `service.arguments`")

    @property
    def serving(self) -> Serving | None:
        """What its program must do as a service; None where that is no service, or a reverse proxy."""
        return self.service if isinstance(self.service, Serving) else None


METADATA = TypeAdapter(Metadata)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One crate, or a variant of a crate."""

    # The package's name, spelled so that an image may be called by it; a variant's ends with `+VARIANT`.
    name: str
    # The name without the variant.
    crate: str
    # The description in Cargo.toml.
    summary: str
    # The folder that has the Cargo.lock: the package's, or that of its workspace.
    folder: Path
    # Which files it is made of: those of that folder, but for what git ignores, and those beside it that it needs.
    extent: Extent = field(default_factory=Extent)
    # What cargo calls the package, where the folder alone does not tell it; "" where it does.
    package: str = ""
    # The name of the compiled program.
    binary: str
    # Whether the lock has crates that cargo must fetch.
    needs_crates: bool
    # Its runs, the plain one first.
    expectations: tuple[Expectation, ...]
    # The SHA-256 of every source file's path, mode and bytes, in hex digits.
    digest: str
    # Pairs of the place and the text of each source, where a Containerfile has them in it, not in its context.
    texts: tuple[tuple[str, str], ...] = ()
    # Patterns of the recipes that it is put on; without any, all.
    recipes: tuple[str, ...] = ()
    # How it is compiled.
    cargo: Cargo = field(default_factory=Cargo)
    # Which C library its program has, where that is not the recipe's.
    libc: Linked = None
    # The compiler flags that its own configuration of cargo sets.
    rustflags: RustFlags = field(default_factory=RustFlags)
    # The channel that its rust-toolchain file asks for, "" where it names none; None where it has no such file.
    channel: str | None = None
    # Debian packages that its toolchain has besides.
    toolchain_packages: tuple[str, ...] = ()
    # Pairs of name and value that the image's environment has beside the recipe's.
    env: tuple[tuple[str, str], ...] = ()
    # Whether it is the user's own, whose images are given the libraries that they lack.
    own: bool = False
    # Whether cargo needs only manifest and lock to fetch its crates.
    stands_alone: bool = True
    # Whether the program is a reverse proxy, which does not end by itself and must answer the probes of the harbor.
    service: bool = False
    # Whether it is built only if `--sample` names it.
    on_request: bool = False
    # Pairs of a recipe and the size in bytes that somebody else has published for such an image.
    published: tuple[tuple[str, int], ...] = ()
    # Pairs of a pattern of recipes and the provisions that are put beside the program there.
    provisions: tuple[tuple[str, tuple[str, ...]], ...] = ()
    # What earlier runs found that it wants besides.
    mends: tuple[Mend, ...] = ()
    # Pairs of a pattern of recipes and why the sample is known not to work there, with what it says.
    expect_failure: tuple[tuple[str, ExpectedFailure], ...] = ()
    # Pairs of a pattern of recipes and, for probes known to be answered wrongly there, pairs of name and reason.
    excuses: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = ()

    @property
    def source_folder(self) -> str:
        """Where the folder is in a container that has the sources."""
        return f"{SOURCES}/{self.extent.place(self.folder)}".rstrip("/")

    @property
    def ready(self) -> tuple[int, str] | None:
        """The port and the path where it is asked whether it is well, as far as it says them."""
        plain = next(iter(self.expectations), None)
        if isinstance(plain, Served) and plain.serving.port and plain.serving.ready:
            return plain.serving.port, plain.serving.ready
        return (PROXY_PORT, PROXY_READY) if self.service else None

    @property
    def package_option(self) -> tuple[str, ...]:
        """The option by which cargo's commands are told which package of the folder is meant."""
        return (f"--package={self.package}",) if self.package else ()

    @property
    def is_only_itself(self) -> bool:
        """Whether its program has no other crate in it than itself and std."""
        return self.stands_alone and not self.needs_crates
