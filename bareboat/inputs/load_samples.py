"""Reads samples and the user's own crates.

Of a crate whose Cargo.toml names one program, Cargo.toml says all; of a workspace, and where there are several
programs, cargo is asked (cargo_metadata.py).
"""

from __future__ import annotations

import os.path
import re
import shlex
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from bareboat.errors import SampleError
from bareboat.inputs.cargo import FEATURE
from bareboat.inputs.cargo_metadata import Choice, choose_programs, find_workspace
from bareboat.inputs.crate_files import ALL, read_sources
from bareboat.inputs.expectation import AS_IT_STANDS, Served
from bareboat.inputs.extent import find_extent, nothing_ignored
from bareboat.inputs.manifest import (
    description,
    names_one_program,
    needs_crates,
    program_name,
    program_problems,
    stands_alone,
)
from bareboat.inputs.rust_toolchain import read_channel
from bareboat.inputs.rustflags import read_rustflags
from bareboat.inputs.sample import METADATA, Sample
from bareboat.inputs.tomlfile import Parsed, Problem, read_toml, validate
from bareboat.inputs.variants import step_problems, variants_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from bareboat.inputs.cargo_metadata import CargoMetadata
    from bareboat.inputs.expectation import Expectation
    from bareboat.inputs.extent import Extent
    from bareboat.inputs.sample import Metadata


@dataclass(frozen=True, slots=True, kw_only=True)
class _Program:
    """What is to be known of a package and its program beside what is in the folder."""

    name: str  # the sample's, as it is to be spelt
    summary: str
    binary: str
    table: object  # `package.metadata.bareboat`
    file: str  # the Cargo.toml, as problems call it
    package: str = ""  # as the sample has it
    stands_alone: bool = False
    extent: Extent = ALL  # the folder's


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


class Asker(Protocol):
    """Asks cargo."""

    def tell(self, workspace: Path, package: Path) -> CargoMetadata:
        """What it says of the package in one folder, which is in a workspace's."""

    def lock(self, workspace: Path) -> Path:
        """A copy of a workspace that has no Cargo.lock, with the one that it makes."""


def load_crate(
    folder: Path,
    choice: Choice | None = None,
    cargo: Callable[[], Asker] | None = None,
    ignored_in: Callable[[Path], Iterable[str]] = nothing_ignored,
) -> tuple[Sample, ...]:
    """The user's own crate in `folder`: its chosen programs and their variants.

    `cargo` gives who asks it. Without it, and where that is enough, only the crate's own files are read. `ignored_in`
    gives the places in a folder that are no sources. Raises SampleError with every problem.
    """
    try:
        loaded = _load_own(folder, choice or Choice(), cargo, ignored_in)
    except RuntimeError as error:  # so says Python before 3.13 that links lead to one another
        raise SampleError(f"{folder}: cannot be read: {error}") from error
    if loaded.value is None:
        raise SampleError("\n".join(str(problem) for problem in loaded.problems))
    return tuple(replace(sample, own=True) for sample in loaded.value)


def enable(samples: Iterable[Sample], features: str) -> tuple[Sample, ...]:
    """The samples with those features, named with commas between them, beside all that they have."""
    names = [name for name in features.split(",") if name]
    if strange := next((name for name in names if not FEATURE.fullmatch(name)), None):
        raise SampleError(f"--features {strange}: that is no name of a feature")
    return tuple(
        replace(sample, cargo=replace(sample.cargo, features=tuple(dict.fromkeys([*sample.cargo.features, *names]))))
        for sample in samples
    )


def give_network(samples: Iterable[Sample]) -> tuple[Sample, ...]:
    """The samples with a network in each of their runs."""
    return tuple(
        replace(sample, expectations=tuple(replace(run, network=True) for run in sample.expectations))
        for sample in samples
    )


def _load_own(
    folder: Path,
    choice: Choice,
    cargo: Callable[[], Asker] | None,
    ignored_in: Callable[[Path], Iterable[str]],
) -> Parsed[tuple[Sample, ...]]:
    place, name = folder.resolve(), str(folder)
    workspace = find_workspace(place)
    manifest = read_toml(place / "Cargo.toml", f"{name}/Cargo.toml")
    if cargo is None or manifest.value is None:
        return _load(place, name, find_extent(place, ignored_in))
    root = workspace or place
    if not os.path.lexists(root / "Cargo.lock"):
        locked = cargo().lock(root)
        # The copy has nothing but sources.
        root, place, ignored_in = locked, locked / place.relative_to(root), nothing_ignored
    if (
        workspace is None
        and not choice.names_one
        and names_one_program(manifest.value, place, by_default=not choice.all_binaries)
    ):
        return _load(place, name, find_extent(place, ignored_in))
    said = cargo().tell(root, place)
    root = said.workspace_root
    extent = find_extent(root, ignored_in)
    loaded = []
    for chosen in choose_programs(said, place, choice):
        program = _Program(
            name=chosen.name,
            summary=chosen.package.summary,
            binary=chosen.binary,
            table=chosen.package.table,
            file=f"{chosen.package.name}: Cargo.toml",
            package=chosen.package.name,
            extent=extent,
        )
        loaded.append(_make(root, name if root == place else str(root), program))
    problems = tuple(dict.fromkeys(problem for one in loaded for problem in one.problems))
    return Parsed(value=None if problems else tuple(s for one in loaded for s in one.value or ()), problems=problems)


def _shared_names(loaded: Iterable[Parsed[tuple[Sample, ...]]]) -> Iterator[str]:
    known: dict[str, Sample] = {}
    for sample in (crate.value[0] for crate in loaded if crate.value):
        first = known.setdefault(sample.name, sample)
        if first is not sample:
            here, there = (f"{one.folder.parent.name}/{one.folder.name}" for one in (sample, first))
            yield f"{here}/Cargo.toml: package.name: there is another sample '{sample.name}', {there}"


def _load(folder: Path, name: str, extent: Extent = ALL) -> Parsed[tuple[Sample, ...]]:
    """The package in a folder that has its lock too, and its one program."""
    file = f"{name}/Cargo.toml"
    manifest = read_toml(folder / "Cargo.toml", file)
    if manifest.value is None:
        lock = read_toml(folder / "Cargo.lock", f"{name}/Cargo.lock")
        return Parsed(value=None, problems=(*manifest.problems, *lock.problems))
    package = manifest.value.get("package")
    if not isinstance(package, dict) or not isinstance(package.get("name"), str):
        text = "has no [package] with a name; of a workspace, name the member's folder"
        return Parsed(value=None, problems=(Problem(file=file, key="", text=text),))
    extra = package.get("metadata")
    program = _Program(
        name=package["name"],
        summary=description(manifest.value),
        binary=program_name(manifest.value),
        table=extra.get("bareboat", {}) if isinstance(extra, dict) else {},
        file=file,
        stands_alone=stands_alone(manifest.value),
        extent=extent,
    )
    made = _make(folder, name, program)
    wrong = tuple(program_problems(manifest.value, file))
    return Parsed(value=None if wrong else made.value, problems=(*made.problems, *wrong))


def _make(folder: Path, name: str, program: _Program) -> Parsed[tuple[Sample, ...]]:
    """The sample of a program whose lock is in `folder`, which problems call `name`, and its variants."""
    lock = read_toml(folder / "Cargo.lock", f"{name}/Cargo.lock")
    if not os.path.exists(folder / "Cargo.lock"):  # noqa: PTH110 (it raises nothing)
        command = shlex.join(["cargo", "generate-lockfile", "--manifest-path", f"{name}/Cargo.toml"])
        cure = f"there is no such file: `{command}` makes it"
        return Parsed(value=None, problems=(Problem(file=f"{name}/Cargo.lock", key="", text=cure),))
    if lock.value is None:
        return Parsed(value=None, problems=lock.problems)
    table = program.table if isinstance(program.table, dict) else {"": program.table}
    metadata = validate(table, METADATA, f"{program.file}: package.metadata.bareboat")
    sources, rustflags = read_sources(folder, name, program.extent), read_rustflags(folder, name)
    problems = [*metadata.problems, *_link_problems(folder, name), *sources.problems, *rustflags.problems]
    problems += step_problems(metadata.value, program.file) if metadata.value else []
    if metadata.value is None or sources.value is None or rustflags.value is None or problems:
        return Parsed(value=None, problems=tuple(problems))
    crate = replace(
        _sample(folder, program, metadata.value, sources.value),
        needs_crates=needs_crates(lock.value),
        rustflags=rustflags.value,
        channel=read_channel(folder),
    )
    return Parsed(value=(crate, *variants_of(crate, metadata.value)), problems=())


def _sample(folder: Path, program: _Program, metadata: Metadata, digest: str) -> Sample:
    return Sample(
        name=_spelling(program.name),
        crate=_spelling(program.name),
        summary=program.summary,
        folder=folder,
        extent=program.extent,
        package=program.package,
        binary=program.binary,
        needs_crates=False,
        expectations=tuple(_runs(metadata)),
        env=tuple(sorted(metadata.env.items())),
        cargo=metadata.cargo,
        libc=metadata.libc,
        toolchain_packages=metadata.toolchain_packages,
        digest=digest,
        recipes=metadata.recipes,
        stands_alone=program.stands_alone,
        service=metadata.service is True,
        on_request=metadata.on_request,
        provisions=tuple(metadata.provisions.items()),
        published=tuple(metadata.published.items()),
    )


def _runs(metadata: Metadata) -> Iterator[Expectation]:
    """What is expected of each run, the plain one first."""
    if serving := metadata.serving:
        plain: Expectation = Served(arguments=serving.arguments, network=serving.network, serving=serving)
    else:
        plain = metadata.expect or replace(AS_IT_STANDS, arguments=metadata.arguments)
    for run in (plain, *metadata.also):
        yield replace(run, network=run.network or metadata.network)


def _spelling(name: str) -> str:
    # Images and caches are named by it, and a registry allows lower case and single separators only.
    return "-".join(re.findall(r"[a-z0-9]+(?:[._][a-z0-9]+)*", name.lower())) or "crate"


def _link_problems(folder: Path, name: str) -> Iterator[Problem]:
    for file in ("Cargo.toml", "Cargo.lock"):
        if not (folder / file).resolve().is_relative_to(folder.resolve()):
            text = "is a link out of the crate's folder, which is all that a compile gets; put the file itself there"
            yield Problem(file=f"{name}/{file}", key="", text=text)
