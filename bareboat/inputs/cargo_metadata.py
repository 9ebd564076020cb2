"""What cargo says of a workspace and its packages, and which of their programs are meant.

The format is that of `cargo metadata --no-deps --format-version 1`, which needs neither a lock nor a network:
https://doc.rust-lang.org/cargo/commands/cargo-metadata.html
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path  # noqa: TC003 -- pydantic reads the types of fields
from typing import TYPE_CHECKING, Any

from pydantic import ConfigDict, TypeAdapter, ValidationError

from bareboat.errors import SampleError
from bareboat.inputs.manifest import PROGRAM
from bareboat.inputs.tomlfile import did_you_mean, read_toml, spelt

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_SAID = ConfigDict(extra="ignore", strict=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One thing that cargo compiles of a package."""

    __pydantic_config__ = _SAID

    name: str
    kind: tuple[str, ...]  # ("bin",) of a program
    src_path: Path  # its root source file, in the container that cargo was asked in


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """One package of a workspace."""

    __pydantic_config__ = _SAID

    name: str
    manifest_path: Path
    targets: tuple[Target, ...]
    default_run: str | None = None
    description: str | None = None
    metadata: Any = None

    @property
    def programs(self) -> tuple[str, ...]:
        """The names of its programs, sorted."""
        return tuple(sorted(target.name for target in self.targets if "bin" in target.kind))

    @property
    def summary(self) -> str:
        """What it says that it is, in one line."""
        return " ".join((self.description or "").split())

    @property
    def table(self) -> object:
        """Its `package.metadata.bareboat`."""
        return self.metadata.get("bareboat", {}) if isinstance(self.metadata, dict) else {}


@dataclass(frozen=True, slots=True, kw_only=True)
class CargoMetadata:
    """A workspace, or a package that is none's and its own."""

    __pydantic_config__ = _SAID

    packages: tuple[Package, ...]
    workspace_root: Path  # the folder in which the lock is


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which of a workspace's programs are meant."""

    package: str = ""  # "" for the one in whose folder the user stands, or the only one with a program
    binary: str = ""  # "" for the one that `cargo run` would take
    all_binaries: bool = False

    @property
    def names_one(self) -> bool:
        """Whether a package or a program is named."""
        return bool(self.package or self.binary)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenProgram:
    """A program of a package."""

    package: Package
    binary: str

    @property
    def name(self) -> str:
        """What the sample is called: by the package, and by the program where that is another and not the only one."""
        same = self.binary == self.package.name or len(self.package.programs) == 1
        return self.package.name if same else f"{self.package.name}-{self.binary}"


_ADAPTER = TypeAdapter(CargoMetadata)


def find_workspace(folder: Path) -> Path | None:
    """The nearest folder of a workspace that has `folder` in it or is it; None where there is none."""
    for parent in (folder, *folder.parents):
        manifest = read_toml(parent / "Cargo.toml", "").value if (parent / "Cargo.toml").is_file() else None
        if manifest and "workspace" in manifest:
            return parent
    return None


def read_metadata(said: str, mounted: str, folder: Path) -> CargoMetadata:
    """What cargo printed in a container where `folder` was at `mounted`; raises SampleError for what is no metadata."""
    line = next((line for line in said.splitlines() if line.startswith("{")), "")
    try:
        found = _ADAPTER.validate_json(line)
    except ValidationError as error:
        raise SampleError(f"cargo says of {folder}: {spelt(said.strip()) or 'nothing'}") from error

    def here(path: Path) -> Path:
        return folder / path.relative_to(mounted)

    packages = tuple(replace(package, manifest_path=here(package.manifest_path)) for package in found.packages)
    return CargoMetadata(packages=packages, workspace_root=here(found.workspace_root))


def root_source(said: CargoMetadata, package: str, binary: str) -> Path | None:
    """The file that has the `main` of a program, where cargo saw it; None where there is no such program.

    Without the name of a `package` it is that of whichever has one.
    """
    packages = [each for each in said.packages if package in {"", each.name}]
    targets = [target for each in packages for target in each.targets if "bin" in target.kind]
    return next((target.src_path for target in targets if target.name == binary), None)


def choose_programs(said: CargoMetadata, folder: Path, choice: Choice) -> tuple[ChosenProgram, ...]:
    """The programs that are meant, for a user in `folder`; raises SampleError where that is not clear."""
    return tuple(_choose(_package(said, folder, choice), choice))


def _package(said: CargoMetadata, folder: Path, choice: Choice) -> Package:
    names = [package.name for package in said.packages]
    if choice.package:
        found = next((package for package in said.packages if package.name == choice.package), None)
        if found is None:
            raise SampleError(f"--package {choice.package}: no such package{did_you_mean(choice.package, names)}")
        return found
    here = next((package for package in said.packages if package.manifest_path.parent == folder), None)
    having = [package for package in said.packages if choice.binary in {"", *package.programs} and package.programs]
    # A library at the root of a workspace may have members with programs; elsewhere who stands in it means it.
    candidates = [here] if here and (here.programs or folder != said.workspace_root or not having) else having
    if len(candidates) == 1:
        return candidates[0]
    if not candidates and choice.binary:
        programs = sorted(program for package in said.packages for program in package.programs)
        raise SampleError(f"--bin {choice.binary}: no such program{did_you_mean(choice.binary, programs)}")
    if not candidates:
        raise SampleError(f"{said.workspace_root}: has no program, only libraries: {', '.join(sorted(names))}")
    there = ", ".join(sorted(package.name for package in candidates))
    raise SampleError(f"which package? Name it with --package; those with a program are {there}")


def _choose(package: Package, choice: Choice) -> Iterator[ChosenProgram]:
    programs: Sequence[str] = package.programs
    if strange := next((program for program in programs if not PROGRAM.fullmatch(program)), None):
        raise SampleError(f"package '{package.name}': {strange!r} is no name of a program that an image could have")
    if not programs:
        raise SampleError(f"package '{package.name}' is a library: there is no program in it to ship")
    if choice.all_binaries:
        yield from (ChosenProgram(package=package, binary=program) for program in programs)
        return
    wanted = choice.binary or package.default_run or (programs[0] if len(programs) == 1 else "")
    if not wanted:
        there = ", ".join(programs)
        raise SampleError(
            f"which program of '{package.name}'? Name it with --bin, or take --all-bins; there are {there}"
        )
    if wanted not in programs:
        raise SampleError(f"--bin {wanted}: no such program{did_you_mean(wanted, list(programs))}")
    yield ChosenProgram(package=package, binary=wanted)
