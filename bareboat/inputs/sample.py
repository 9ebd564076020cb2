"""Samples: Rust crates with what their programs are expected to do, read from Cargo.toml and Cargo.lock."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import ConfigDict, Field, TypeAdapter

from bareboat.errors import SampleError
from bareboat.inputs.tomlfile import Loaded, Problem, read_toml, validate

if TYPE_CHECKING:
    from collections.abc import Iterator

_STRICT = ConfigDict(extra="forbid", strict=True)
_Feature = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_/.+-]*$")]
_Variable = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$")]
# In a crate's own folder only: src/target/ may well be a module.
NOT_SOURCE = frozenset({"target", ".git"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What a run must show: arguments given, exit code, standard output to the byte (None: any), within seconds.

    `name` is empty for the plain run. Only a `writable` run may write to the image's own root filesystem.
    """

    __pydantic_config__ = _STRICT

    name: Annotated[str, Field(pattern=r"^[a-z0-9-]*$")] = ""
    arguments: tuple[str, ...] = ()
    stdout: str | None = None
    exit_code: Annotated[int, Field(ge=0, le=255)] = 0
    timeout_seconds: Annotated[float, Field(gt=0, le=600)] = 10.0
    writable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Cargo:
    """How cargo compiles a crate: its features, without the default ones or with them, its profile, its environment.

    `env` is for build scripts, of which some take no other word; a name in it begins with a capital letter.
    """

    features: tuple[_Feature, ...] = ()
    default_features: bool = True
    profile: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$")] = "release"
    env: dict[_Variable, str] = field(default_factory=dict, hash=False)

    @property
    def options(self) -> tuple[str, ...]:
        """The options of `cargo build`."""
        features = ("--features", ",".join(self.features)) if self.features else ()
        return ("--profile", self.profile, *(() if self.default_features else ("--no-default-features",)), *features)


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """The same crate compiled otherwise: a sample of its own, `CRATE+NAME`.

    `recipes` are patterns of those it is put on (empty: the crate's own), `with` the provisions that come aboard on
    recipes by pattern, beside the crate's own, `expect` what its plain run shows, where that differs;
    `expect_failure` says by pattern of recipe why it is known not to work there, `excuse` likewise which probes of the
    harbor are known to be answered otherwise, and why.
    """

    __pydantic_config__ = _STRICT

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
    cargo: Cargo = field(default_factory=Cargo)
    recipes: tuple[str, ...] = ()
    provisions: Annotated[dict[str, tuple[str, ...]], Field(alias="with")] = field(default_factory=dict)
    expect: Expectation | None = None
    expect_failure: dict[str, str] = field(default_factory=dict)
    excuses: Annotated[dict[str, dict[str, str]], Field(alias="excuse")] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """The table `[package.metadata.bareboat]`: the plain run, more runs by name, patterns of recipes (empty: all).

    A `service` is a program that does not end: it is held to the probes of the harbor as well. What is `on_request`
    takes long, and is built only where `--sample` names it. `with` names provisions that come aboard on recipes by
    pattern. `published` says by recipe what others say that its image
    weighs, in bytes. `variants` are the same crate compiled otherwise.
    """

    __pydantic_config__ = _STRICT

    expect: Expectation = field(default_factory=Expectation)
    also: tuple[Expectation, ...] = ()
    recipes: tuple[str, ...] = ()
    service: bool = False
    on_request: bool = False
    provisions: Annotated[dict[str, tuple[str, ...]], Field(alias="with")] = field(default_factory=dict)
    published: dict[str, Annotated[int, Field(gt=0)]] = field(default_factory=dict)
    variants: tuple[Variant, ...] = ()

    def __post_init__(self) -> None:
        names = [one.name for one in self.also]
        if self.expect.name or "" in names or len(set(names)) < len(names):
            raise ValueError("`expect` has no name, and each of `also` has a name of its own")
        if len({one.name for one in self.variants}) < len(self.variants):
            raise ValueError("each of `variants` has a name of its own")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One crate, or a variant of one: `name` is its folder's as an image may be called, and `+VARIANT`.

    `crate` is the name without the variant, `binary` the program's. `expectations` are its runs, the plain one first;
    `recipes` are patterns of those it is put on (empty: all). `digest` is the SHA-256 of every source file's path, mode
    and bytes. `stands_alone` says that manifest and lock are all that fetching its crates takes. `provisions`,
    `expect_failure` and `excuses` (probe and reason) are by pattern of recipe.
    """

    name: str
    crate: str
    summary: str
    folder: Path
    binary: str
    needs_crates: bool
    expectations: tuple[Expectation, ...]
    digest: str
    recipes: tuple[str, ...] = ()
    cargo: Cargo = field(default_factory=Cargo)
    stands_alone: bool = True
    service: bool = False
    on_request: bool = False
    published: tuple[tuple[str, int], ...] = ()
    provisions: tuple[tuple[str, tuple[str, ...]], ...] = ()
    expect_failure: tuple[tuple[str, str], ...] = ()
    excuses: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = ()


def load_samples(folder: Path) -> tuple[Sample, ...]:
    """Every crate in `folder` with its variants, in order of name; SampleError has every problem of every crate."""
    crates = sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
    loaded = [_load(crate, f"{folder.name}/{crate.name}") for crate in crates]
    problems = [str(problem) for one in loaded for problem in one.problems]
    if not crates:
        problems.append(f"{folder}: has no sample (a folder with a Cargo.toml)")
    if problems:
        raise SampleError("\n".join(problems))
    return tuple(sample for one in loaded for sample in one.value or ())


def load_crate(folder: Path) -> tuple[Sample, ...]:
    """The user's own crate, and its variants; raises SampleError."""
    loaded = _load(folder.resolve(), str(folder))
    if loaded.value is None:
        raise SampleError("\n".join(str(problem) for problem in loaded.problems))
    return loaded.value


def _load(folder: Path, name: str) -> Loaded[tuple[Sample, ...]]:
    manifest = read_toml(folder / "Cargo.toml", f"{name}/Cargo.toml")
    lock = read_toml(folder / "Cargo.lock", f"{name}/Cargo.lock")
    problems = [*manifest.problems, *lock.problems]
    if not (folder / "Cargo.lock").exists() and manifest.value is not None:
        command = shlex.join(["cargo", "generate-lockfile", "--manifest-path", f"{name}/Cargo.toml"])
        cure = f"there is no such file: `{command}` makes it"
        problems = [Problem(file=f"{name}/Cargo.lock", key="", text=cure)]
    if manifest.value is None or lock.value is None or problems:
        return Loaded(value=None, problems=tuple(problems))
    package = manifest.value.get("package")
    if not isinstance(package, dict) or not isinstance(package.get("name"), str):
        text = "has no [package] with a name; of a workspace, name the member's folder"
        return Loaded(value=None, problems=(Problem(file=f"{name}/Cargo.toml", key="", text=text),))
    extra = package.get("metadata")
    table = extra.get("bareboat", {}) if isinstance(extra, dict) else {}
    metadata = validate(table, TypeAdapter(Metadata), f"{name}/Cargo.toml: package.metadata.bareboat")
    if metadata.value is None:
        return Loaded(value=None, problems=metadata.problems)
    crate = Sample(
        name=_spelling(folder.name),
        crate=_spelling(folder.name),
        summary=str(package.get("description", "")),
        folder=folder,
        binary=_binary(manifest.value, package["name"]),
        needs_crates=any("source" in entry for entry in lock.value.get("package", [])),
        expectations=(metadata.value.expect, *metadata.value.also),
        digest=_digest(folder),
        recipes=metadata.value.recipes,
        stands_alone=_stands_alone(manifest.value),
        service=metadata.value.service,
        on_request=metadata.value.on_request,
        provisions=tuple(metadata.value.provisions.items()),
        published=tuple(metadata.value.published.items()),
    )
    return Loaded(value=(crate, *(_variant(crate, one) for one in metadata.value.variants)), problems=())


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


def _stands_alone(manifest: dict[str, Any]) -> bool:
    """Whether no other folder and no patch is named, so that cargo can fetch by manifest and lock alone."""
    text = json.dumps(manifest)
    return '"path":' not in text and not {"workspace", "patch", "replace"} & manifest.keys()


def _spelling(name: str) -> str:
    # Images, caches and cells are called by it: lower case, and one separator at a time.
    return "-".join(re.findall(r"[a-z0-9]+(?:[._][a-z0-9]+)*", name.lower())) or "crate"


def _binary(manifest: dict[str, Any], package: str) -> str:
    default = manifest["package"].get("default-run")
    named = [str(one["name"]) for one in manifest.get("bin", []) if isinstance(one, dict) and "name" in one]
    return str(default) if default else (named[0] if named else package)


def _digest(folder: Path) -> str:
    """SHA-256 over the sources; build output and the history do not count."""
    whole = hashlib.sha256()
    for path in _sources(folder):
        executable = "x" if os.access(path, os.X_OK) else "-"
        content = path.readlink().as_posix().encode() if path.is_symlink() else path.read_bytes()
        whole.update(f"{path.relative_to(folder).as_posix()}\0{executable}\0{len(content)}\0".encode())
        whole.update(content)
    return whole.hexdigest()


def _sources(folder: Path) -> Iterator[Path]:
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(set(folders) - (NOT_SOURCE if Path(parent) == folder else frozenset()))
        # A link to a folder is not followed: it counts as what it is, as it does in the build's context.
        links = [name for name in folders if Path(parent, name).is_symlink()]
        yield from (Path(parent, name) for name in sorted([*files, *links]))
