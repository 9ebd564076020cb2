"""Where the bases of a run come from, and what its plans have in common then."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bareboat.commands.plan_inputs import make_inputs
from bareboat.matrix.source import choose_source
from bareboat.podman_engine.settings import podman_environment
from bareboat.system.folders import find_folders

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from bareboat.inputs.recipe import RecipeBook
    from bareboat.inputs.sample import Sample
    from bareboat.plan.jobs import Bases
    from bareboat.plan.planner import PlanInputs
    from bareboat.system.process import Processes


def find_inputs(
    book: RecipeBook, samples: Iterable[Sample], bases: Bases, processes: Processes, tell: Callable[[str], None]
) -> PlanInputs:
    """What every plan of a run has in common; `tell` hears where bases come from, and why."""
    source, why = choose_source(bases, book, processes, podman_environment(find_folders().engine))
    tell(why)
    return make_inputs(book, samples, source)
