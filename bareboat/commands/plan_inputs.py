"""What a command plans with: the samples it is told to take, where bases come from, and the platform."""

from __future__ import annotations

import platform as machine
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from bareboat import commands
from bareboat.errors import HostError, InputError, RecipeError, SampleError
from bareboat.inputs.cargo_metadata import Choice
from bareboat.inputs.crew import load_crew
from bareboat.inputs.extent import nothing_ignored
from bareboat.inputs.git_ignored import ignored_by_git
from bareboat.inputs.load_recipes import load_recipes
from bareboat.inputs.load_samples import enable, load_crate, load_samples
from bareboat.inputs.sample import Sample
from bareboat.inputs.tomlfile import did_you_mean
from bareboat.inputs.toolchain_packages import extend_toolchains
from bareboat.matrix.mend import remember
from bareboat.plan.jobs import PLATFORMS, Bases, BaseSource, Platform, Selection
from bareboat.plan.planner import PlanInputs
from bareboat.system.called import as_called
from bareboat.system.folders import find_state, folder_digits
from bareboat.system.printable import printable_lines
from bareboat.system.redact import without_secrets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from bareboat.commands.project import Project
    from bareboat.inputs.load_samples import Asker
    from bareboat.inputs.recipe import RecipeBook
    from bareboat.result.values import Host
    from bareboat.system.process import Processes


def this_platform() -> Platform:
    """The platform that images are built for: this machine's. Raises HostError where it is none that works."""
    name = machine.machine()
    if name not in PLATFORMS:
        raise HostError(f"this machine is {name}, and Bareboat works on {', '.join(PLATFORMS)} (linux/amd64) alone")
    return PLATFORMS[name]


def check_engine(host: Host, platform: Platform) -> None:
    """Raise HostError where the engine, which CONTAINER_HOST may have named, is on a machine of another platform."""
    if host.architecture != platform.architecture:
        raise HostError(f"the engine is on a machine of {host.architecture}, and Bareboat works on {platform} alone")


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnCrate:
    """The options that name a crate of the user's own, in place of the samples."""

    crate: Path | None = None
    package: str = ""  # of its workspace; "" for the one in that folder, or the only one with a program
    bin: str = ""  # of its package; "" for the one that `cargo run` would take
    features: str = ""  # of its package, with commas between them, to enable beside the default ones
    bases: Bases = "auto"


def load_project(
    project: Project,
    crate: Path | None = None,
    choice: Choice | None = None,
    cargo: Callable[[], Asker] | None = None,
    ignored_in: Callable[[Path], Iterable[str]] = nothing_ignored,
) -> tuple[RecipeBook, tuple[Sample, ...]]:
    """The recipes, and the project's samples or the user's own crate in place of them.

    `cargo` and `ignored_in` are as load_crate has them.

    Raises InputError with every mistake of both.
    """
    if choice and choice != Choice() and not crate:
        raise SampleError(
            "--package, --bin and --all-bins choose of a crate: go to its folder, or name it: --crate FOLDER"
        )
    if not crate and not project.samples.is_dir():
        raise SampleError("which crate? Go to the folder of one, where its Cargo.toml is, or name it: --crate FOLDER")
    samples, names, mistakes = tuple[Sample, ...](), None, list[InputError]()
    try:
        samples = load_crate(crate, choice, cargo, ignored_in) if crate else load_samples(project.samples)
    except SampleError as error:
        mistakes.append(error)
    else:
        # A recipe may name the project's samples also where another crate is in their place.
        names = None if crate else [sample.name for sample in samples]
    try:
        book = load_recipes(project.recipes, names)
    except RecipeError as error:
        raise RecipeError("\n".join(map(str, [error, *mistakes]))) from error
    if problems := [*map(str, mistakes), *_unknown_provisions(samples, book)]:
        raise SampleError("\n".join(problems))
    return book, samples


def kept_results(project: Project, crate: Path | None) -> Path:
    """Where the results of runs are kept, a folder a host: of a crate of the user's own, or of a project's samples.

    No run writes into anybody's folder; what of a project is published is what `report --write` takes from here.
    """
    # Two crates may have one name, and what one lacks is nothing to the other.
    return find_state() / "results" / folder_digits(crate or project.root)


def load_own(
    project: Project,
    own: OwnCrate,
    processes: Processes,
    view: TextIO,
    *,
    all_bins: bool = False,
    memory: Path | None = None,
    extended: bool = True,
) -> tuple[RecipeBook, tuple[Sample, ...]]:
    """The recipes, and the samples or those programs of the user's own crate that the options name.

    `memory` has results, a folder a host, that say what else these programs want; unless `extended`, toolchains have no
    more packages than their files say. Raises InputError as `load_project` does.
    """
    choice = Choice(package=own.package, binary=own.bin, all_binaries=all_bins)
    if own.features and not own.crate:
        raise SampleError("--features is for a crate of your own: ours are compiled as their Cargo.toml says")

    def cargo() -> Asker:
        # Imported only here, when it is named: few crates need it, and it needs an engine.
        asker: Asker = commands.ask_cargo.Cargo(project, own.bases, processes, view)
        return asker

    book, samples = load_project(project, own.crate, choice, cargo, partial(ignored_by_git, processes))
    samples = enable(samples, own.features) if own.features else samples
    if own.crate and extended:
        book = extend_toolchains(book, samples)
    return book, remember(samples, memory) if memory else samples


def select(samples: Sequence[str], recipes: Sequence[str], crate: Path | None) -> Selection:
    """What patterns select. Recipes that are made to fail test our own predictions: not with a user's crate."""
    return Selection(samples=tuple(samples), recipes=tuple(recipes), made_to_fail=crate is None)


def name_cell(word: str, samples: Sequence[Sample], crate: Path | None) -> str:
    """The id of the cell that is meant, `SAMPLE@RECIPE`; of a crate of the user's own, the recipe alone says it."""
    return f"{samples[0].name}@{word}" if crate and "@" not in word else word


def sample_names(project: Project) -> tuple[str, ...] | None:
    """The names that recipes may name; None where the samples themselves are wrong, which is told elsewhere."""
    try:
        return tuple(sample.name for sample in load_samples(project.samples))
    except SampleError:
        return None


def _unknown_provisions(samples: Iterable[Sample], book: RecipeBook) -> Iterator[str]:
    known = [provision.name for provision in book.provisions]
    named = {(sample.folder, name) for sample in samples for _, names in sample.provisions for name in names}
    for folder, name in sorted(named):
        if name not in known:
            file = f"{folder.name}/Cargo.toml: package.metadata.bareboat.with"
            yield f"{file}: no such provision: '{name}'{did_you_mean(name, known)}"


def possible_sources(bases: Bases) -> tuple[BaseSource, ...]:
    """Where bases may come from, best first."""
    return ("registry", "bootstrap") if bases == "auto" else (bases,)


def make_inputs(book: RecipeBook, samples: Iterable[Sample], source: BaseSource) -> PlanInputs:
    """What every plan of a run has in common, with bases of that source."""
    # The harbor's sources are read only where there is something to hold to it.
    served = any(sample.service for sample in samples)
    return PlanInputs(
        book=book,
        source=source,
        platform=this_platform(),
        harbor=load_harbor() if served else None,
        gauge=load_gauge(),
        crew=load_crew(),
    )


def load_harbor() -> Sample:
    """The instrument that services are held to, which is part of Bareboat."""
    return load_crate(Path(__file__).parents[1] / "harbor")[0]


def load_gauge() -> Sample:
    """The instrument that measures a program from inside its container, which is part of Bareboat."""
    return load_crate(Path(__file__).parents[1] / "gauge")[0]


def teller(view: TextIO) -> Callable[[str], None]:
    """What says lines on `view`, at once, with nothing in them that a terminal would obey, and no password."""

    def tell(text: str) -> None:
        view.write(f"{printable_lines(without_secrets(as_called(text)))}\n")
        view.flush()

    return tell
