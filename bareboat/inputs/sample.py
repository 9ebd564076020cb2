"""Samples: Rust crates, and what their programs are expected to do, read from Cargo.toml and Cargo.lock."""

from __future__ import annotations

import os.path
import re
import shlex
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import ConfigDict, Field, TypeAdapter

from bareboat.errors import SampleError
from bareboat.inputs.crate_files import read_sources
from bareboat.inputs.expected import ExpectedFailure  # noqa: TC001 -- pydantic reads the types of fields
from bareboat.inputs.manifest import description, needs_crates, program_name, program_problems, stands_alone
from bareboat.inputs.rustflags import RustFlags, read_rustflags
from bareboat.inputs.tomlfile import Parsed, Problem, read_toml, validate

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_STRICT = ConfigDict(extra="forbid", strict=True)
_Feature = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_/.+-]*$")]
_Variable = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$")]
_Value = Annotated[str, Field(pattern=r"^[^\n\r\x00]*$")]  # a step of a Containerfile is one line
# Cargo's own profiles whose folder is called otherwise: https://doc.rust-lang.org/cargo/guide/build-cache.html
_FOLDERS = {"dev": "debug", "test": "debug", "bench": "release"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """One run of a program, and what it must show."""

    __pydantic_config__ = _STRICT

    # "" for the plain run.
    name: Annotated[str, Field(pattern=r"^[a-z0-9-]*$")] = ""
    # The arguments that the program is given.
    arguments: tuple[str, ...] = ()
    # Its whole standard output, byte for byte; None if any will do.
    stdout: str | None = None
    # The exit code with which it must end.
    exit_code: Annotated[int, Field(ge=0, le=255)] = 0
    # The time within which it must end.
    timeout_seconds: Annotated[float, Field(gt=0, le=600)] = 10.0
    # Whether the run may write to the image's own root filesystem.
    writable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Cargo:
    """How cargo compiles a crate."""

    # The crate's features to enable, beside the default ones.
    features: tuple[_Feature, ...] = ()
    # Whether the default ones are enabled.
    default_features: bool = True
    # The name of cargo's profile.
    profile: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$")] = "release"
    # Environment variables, because some build scripts can be told nothing otherwise; names begin with a capital.
    env: dict[_Variable, _Value] = field(default_factory=dict, hash=False)

    @property
    def options(self) -> tuple[str, ...]:
        """The options of `cargo build`."""
        return ("--profile", self.profile, *self.feature_options)

    @property
    def feature_options(self) -> tuple[str, ...]:
        """Those of them that say which features are enabled; other commands of cargo take them too."""
        features = ("--features", ",".join(self.features)) if self.features else ()
        return (*(() if self.default_features else ("--no-default-features",)), *features)

    @property
    def folder(self) -> str:
        """What cargo calls the folder of the profile's programs."""
        return _FOLDERS.get(self.profile, self.profile)


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """The same crate compiled in another way: a sample of its own, `CRATE+NAME`."""

    __pydantic_config__ = _STRICT

    # What distinguishes it from the crate, `CRATE+NAME` being the sample's name.
    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
    # How it is compiled.
    cargo: Cargo = field(default_factory=Cargo)
    # Patterns of the recipes that it is put on; without any, those of the crate.
    recipes: tuple[str, ...] = ()
    # By pattern of recipe, provisions that are put beside the program, in addition to the crate's.
    provisions: Annotated[dict[str, tuple[str, ...]], Field(alias="with")] = field(default_factory=dict)
    # The plain run, if it differs from the crate's.
    expect: Expectation | None = None
    # By pattern of recipe, why the variant is known not to work there, and what it says.
    expect_failure: dict[str, ExpectedFailure] = field(default_factory=dict)
    # By pattern of recipe and name of probe, why the probe is known to be answered wrongly there.
    excuses: Annotated[dict[str, dict[str, str]], Field(alias="excuse")] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """The table `[package.metadata.bareboat]` of a crate's Cargo.toml."""

    __pydantic_config__ = _STRICT

    # The plain run.
    expect: Expectation = field(default_factory=Expectation)
    # More runs, each with a name of its own.
    also: tuple[Expectation, ...] = ()
    # Patterns of the recipes that the crate is put on; without any, all.
    recipes: tuple[str, ...] = ()
    # Whether the program is a service, which does not end by itself and must answer the probes of the harbor.
    service: bool = False
    # Whether the crate is built only if `--sample` names it, because it takes long.
    on_request: bool = False
    # By pattern of recipe, provisions that are put beside the program.
    provisions: Annotated[dict[str, tuple[str, ...]], Field(alias="with")] = field(default_factory=dict)
    # By recipe, the size in bytes that somebody else has published for such an image.
    published: dict[str, Annotated[int, Field(gt=0)]] = field(default_factory=dict)
    # The same crate compiled in other ways.
    variants: tuple[Variant, ...] = ()

    def __post_init__(self) -> None:
        names = [expectation.name for expectation in self.also]
        if self.expect.name or "" in names or len(set(names)) < len(names):
            raise ValueError("`expect` has no name, and each of `also` has a name of its own")
        if len({variant.name for variant in self.variants}) < len(self.variants):
            raise ValueError("each of `variants` has a name of its own")


_METADATA = TypeAdapter(Metadata)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One crate, or a variant of a crate."""

    # The package's name, spelled so that an image may be called by it; a variant's ends with `+VARIANT`.
    name: str
    # The name without the variant.
    crate: str
    # The description in Cargo.toml.
    summary: str
    # The folder that has the Cargo.toml.
    folder: Path
    # The name of the compiled program.
    binary: str
    # Whether the lock has crates that cargo must fetch.
    needs_crates: bool
    # Its runs, the plain one first.
    expectations: tuple[Expectation, ...]
    # The SHA-256 of every source file's path, mode and bytes, in hex digits.
    digest: str
    # Patterns of the recipes that it is put on; without any, all.
    recipes: tuple[str, ...] = ()
    # How it is compiled.
    cargo: Cargo = field(default_factory=Cargo)
    # The compiler flags that its own configuration of cargo sets.
    rustflags: RustFlags = field(default_factory=RustFlags)
    # Whether cargo needs only manifest and lock to fetch its crates.
    stands_alone: bool = True
    # Whether the program does not end by itself and must answer the probes of the harbor.
    service: bool = False
    # Whether it is built only if `--sample` names it.
    on_request: bool = False
    # Pairs of a recipe and the size in bytes that somebody else has published for such an image.
    published: tuple[tuple[str, int], ...] = ()
    # Pairs of a pattern of recipes and the provisions that are put beside the program there.
    provisions: tuple[tuple[str, tuple[str, ...]], ...] = ()
    # Pairs of a pattern of recipes and why the sample is known not to work there, with what it says.
    expect_failure: tuple[tuple[str, ExpectedFailure], ...] = ()
    # Pairs of a pattern of recipes and, for probes known to be answered wrongly there, pairs of name and reason.
    excuses: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = ()

    @property
    def is_only_itself(self) -> bool:
        """Whether its program has no other crate in it than itself and std."""
        return self.stands_alone and not self.needs_crates


def load_samples(folder: Path) -> tuple[Sample, ...]:
    """Every crate in `folder` with its variants, in order of name. Raises SampleError with every problem of each."""
    try:
        crates = sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
    except OSError as error:
        raise SampleError(f"{folder}: cannot be read: {error.strerror}") from error
    loaded = [_load(crate, f"{folder.name}/{crate.name}") for crate in crates]
    problems = [str(problem) for crate in loaded for problem in crate.problems]
    problems += _shared_names(loaded)
    if not crates:
        problems.append(f"{folder}: has no sample (a folder with a Cargo.toml)")
    if problems:
        raise SampleError("\n".join(problems))
    return tuple(sample for crate in loaded for sample in crate.value or ())


def _shared_names(loaded: Iterable[Parsed[tuple[Sample, ...]]]) -> Iterator[str]:
    known: dict[str, Sample] = {}
    for sample in (crate.value[0] for crate in loaded if crate.value):
        first = known.setdefault(sample.name, sample)
        if first is not sample:
            here, there = (f"{one.folder.parent.name}/{one.folder.name}" for one in (sample, first))
            yield f"{here}/Cargo.toml: package.name: there is another sample '{sample.name}', {there}"


def load_crate(folder: Path) -> tuple[Sample, ...]:
    """The crate in `folder`, the user's own, and its variants. Raises SampleError with every problem of it."""
    try:
        loaded = _load(folder.resolve(), str(folder))
    except RuntimeError as error:  # so says Python before 3.13 that links lead to one another
        raise SampleError(f"{folder}: cannot be read: {error}") from error
    if loaded.value is None:
        raise SampleError("\n".join(str(problem) for problem in loaded.problems))
    return loaded.value


def _load(folder: Path, name: str) -> Parsed[tuple[Sample, ...]]:
    manifest = read_toml(folder / "Cargo.toml", f"{name}/Cargo.toml")
    lock = read_toml(folder / "Cargo.lock", f"{name}/Cargo.lock")
    problems = [*manifest.problems, *lock.problems]
    if not os.path.exists(folder / "Cargo.lock") and manifest.value is not None:  # noqa: PTH110 (it raises nothing)
        command = shlex.join(["cargo", "generate-lockfile", "--manifest-path", f"{name}/Cargo.toml"])
        cure = f"there is no such file: `{command}` makes it"
        problems = [Problem(file=f"{name}/Cargo.lock", key="", text=cure)]
    if manifest.value is None or lock.value is None or problems:
        return Parsed(value=None, problems=tuple(problems))
    package = manifest.value.get("package")
    if not isinstance(package, dict) or not isinstance(package.get("name"), str):
        text = "has no [package] with a name; of a workspace, name the member's folder"
        return Parsed(value=None, problems=(Problem(file=f"{name}/Cargo.toml", key="", text=text),))
    extra = package.get("metadata")
    table = extra.get("bareboat", {}) if isinstance(extra, dict) else {}
    metadata = validate(table, _METADATA, f"{name}/Cargo.toml: package.metadata.bareboat")
    sources, rustflags = read_sources(folder, name), read_rustflags(folder, name)
    problems = [*metadata.problems, *_link_problems(folder, name), *sources.problems, *rustflags.problems]
    problems += program_problems(manifest.value, f"{name}/Cargo.toml")
    if metadata.value is None or sources.value is None or rustflags.value is None or problems:
        return Parsed(value=None, problems=tuple(problems))
    crate = replace(
        _crate(folder, manifest.value, metadata.value, sources.value),
        needs_crates=needs_crates(lock.value),
        rustflags=rustflags.value,
    )
    return Parsed(value=(crate, *(_variant(crate, variant) for variant in metadata.value.variants)), problems=())


def _crate(folder: Path, manifest: dict[str, Any], metadata: Metadata, digest: str) -> Sample:
    return Sample(
        name=_spelling(manifest["package"]["name"]),
        crate=_spelling(manifest["package"]["name"]),
        summary=description(manifest),
        folder=folder,
        binary=program_name(manifest),
        needs_crates=False,
        expectations=(metadata.expect, *metadata.also),
        digest=digest,
        recipes=metadata.recipes,
        stands_alone=stands_alone(manifest),
        service=metadata.service,
        on_request=metadata.on_request,
        provisions=tuple(metadata.provisions.items()),
        published=tuple(metadata.published.items()),
    )


def _variant(crate: Sample, variant: Variant) -> Sample:
    plain, *others = crate.expectations
    return replace(
        crate,
        name=f"{crate.name}+{variant.name}",
        expectations=(variant.expect or plain, *others),
        recipes=variant.recipes or crate.recipes,
        cargo=variant.cargo,
        provisions=(*crate.provisions, *variant.provisions.items()),
        published=(),
        expect_failure=tuple(variant.expect_failure.items()),
        excuses=tuple((pattern, tuple(probes.items())) for pattern, probes in variant.excuses.items()),
    )


def _spelling(name: str) -> str:
    # Images and caches are named by it, and a registry allows lower case and single separators only.
    return "-".join(re.findall(r"[a-z0-9]+(?:[._][a-z0-9]+)*", name.lower())) or "crate"


def _link_problems(folder: Path, name: str) -> Iterator[Problem]:
    for file in ("Cargo.toml", "Cargo.lock"):
        if not (folder / file).resolve().is_relative_to(folder.resolve()):
            text = "is a link out of the crate's folder, which is all that a compile gets; put the file itself there"
            yield Problem(file=f"{name}/{file}", key="", text=text)
