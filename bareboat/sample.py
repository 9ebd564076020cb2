"""Samples: Rust crates with what their programs are expected to do, read from Cargo.toml and Cargo.lock."""

from __future__ import annotations

import hashlib
import os
import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import ConfigDict, Field, TypeAdapter

from bareboat.errors import SampleError
from bareboat.tomlfile import Loaded, Problem, read_toml, validate

if TYPE_CHECKING:
    from collections.abc import Iterator

_STRICT = ConfigDict(extra="forbid", strict=True)
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
class Metadata:
    """The table `[package.metadata.bareboat]`: the plain run, more runs by name, patterns of recipes (empty: all)."""

    __pydantic_config__ = _STRICT

    expect: Expectation = field(default_factory=Expectation)
    also: tuple[Expectation, ...] = ()
    recipes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        names = [one.name for one in self.also]
        if self.expect.name or "" in names or len(set(names)) < len(names):
            raise ValueError("`expect` has no name, and each of `also` has a name of its own")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One crate: `name` is its folder's as an image may be called, `binary` the program's.

    `expectations` are its runs, the plain one first; `recipes` are patterns of those it is put on (empty: all).
    `digest` is the SHA-256 of every source file's path, mode and bytes.
    """

    name: str
    summary: str
    folder: Path
    binary: str
    needs_crates: bool
    expectations: tuple[Expectation, ...]
    digest: str
    recipes: tuple[str, ...] = ()


def load_samples(folder: Path) -> tuple[Sample, ...]:
    """Read every crate in `folder`, in order of name; raises SampleError with every problem of every crate."""
    crates = sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
    loaded = [_load(crate, f"{folder.name}/{crate.name}") for crate in crates]
    problems = [str(problem) for one in loaded for problem in one.problems]
    if not crates:
        problems.append(f"{folder}: has no sample (a folder with a Cargo.toml)")
    if problems:
        raise SampleError("\n".join(problems))
    return tuple(one.value for one in loaded if one.value is not None)


def load_crate(folder: Path) -> Sample:
    """Read the user's own crate; raises SampleError."""
    loaded = _load(folder.resolve(), str(folder))
    if loaded.value is None:
        raise SampleError("\n".join(str(problem) for problem in loaded.problems))
    return loaded.value


def _load(folder: Path, name: str) -> Loaded[Sample]:
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
    sample = Sample(
        name=_spelling(folder.name),
        summary=str(package.get("description", "")),
        folder=folder,
        binary=_binary(manifest.value, package["name"]),
        needs_crates=any("source" in entry for entry in lock.value.get("package", [])),
        expectations=(metadata.value.expect, *metadata.value.also),
        digest=_digest(folder),
        recipes=metadata.value.recipes,
    )
    return Loaded(value=sample, problems=())


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
