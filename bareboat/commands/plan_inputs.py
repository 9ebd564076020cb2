"""What a command plans with: the samples it is told to take, where bases come from, and the platform."""

from __future__ import annotations

import platform as machine
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from bareboat.errors import HostError
from bareboat.inputs.sample import Sample, load_crate, load_samples
from bareboat.plan.jobs import PLATFORMS, BaseSource, Platform
from bareboat.plan.planner import PlanInputs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from bareboat.commands.project import Project
    from bareboat.inputs.recipe import RecipeBook
    from bareboat.plan.jobs import Bases


def this_platform() -> Platform:
    """The platform that images are built for: this machine's."""
    name = machine.machine()
    if name not in PLATFORMS:
        raise HostError(f"images for {name} are not known; there are: {', '.join(PLATFORMS)}")
    return PLATFORMS[name]


def chosen_samples(project: Project, crate: Path | None) -> tuple[Sample, ...]:
    """The project's samples, or the user's own crate in place of them."""
    return load_crate(crate) if crate else load_samples(project.samples)


def possible_sources(bases: Bases) -> tuple[BaseSource, ...]:
    """Where bases may come from, best first."""
    return ("registry", "bootstrap") if bases == "auto" else (bases,)


def make_inputs(book: RecipeBook, samples: Iterable[Sample], source: BaseSource) -> PlanInputs:
    """What every plan of a run has in common, with bases of that source."""
    # The harbor's sources are read only where there is something to hold to it.
    served = any(sample.service for sample in samples)
    return PlanInputs(book=book, source=source, platform=this_platform(), harbor=load_harbor() if served else None)


def load_harbor() -> Sample:
    """The instrument that services are held to, which is part of Bareboat."""
    return load_crate(Path(__file__).parents[1] / "harbor")[0]


def teller(view: TextIO) -> Callable[[str], None]:
    """What says a line on `view`, at once."""

    def tell(text: str) -> None:
        view.write(f"{text}\n")
        view.flush()

    return tell
