"""A run of programs that may lack something: it is done once more with what can be given, until nothing is missing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TextIO

from bareboat.commands.hand_out import NOTHING, HandOut, hand_out
from bareboat.commands.open_run import carry_out
from bareboat.commands.plan_inputs import teller
from bareboat.matrix.mend import find_mends, give, say_mends

if TYPE_CHECKING:
    from collections.abc import Callable

    from bareboat.commands.open_run import Carried, Order, WorkOptions
    from bareboat.commands.project import Project
    from bareboat.inputs.sample import Sample
    from bareboat.plan.jobs import Plan
    from bareboat.plan.planner import PlanInputs
    from bareboat.system.process import Processes


def carry_out_mended(
    project: Project,
    order: Order,
    processes: Processes,
    view: TextIO,
    work: WorkOptions,
    *,
    planned: Callable[[tuple[Sample, ...]], Callable[[PlanInputs], Plan]],
    wanted: HandOut = NOTHING,
) -> Carried:
    """Carry out an order, and once more what lacks something that can be given; the engine is gone afterwards.

    `planned` says how samples are planned that were given something. What is `wanted` of the first cell's image is
    given out at the end.
    """
    while True:
        with carry_out(project, order, processes, view, work) as carried:
            mends = find_mends(carried.plan, carried.run.results)
            if wanted and not mends:
                hand_out(carried, wanted)
        if not mends:
            return carried
        for line in say_mends(mends):
            teller(view)(line)
        samples = give(order.samples, mends)
        order = replace(order, samples=samples, plan=planned(samples))
        work = replace(work, force=False)
