"""Takes what is timed of a cell, and holds its service to the probes, when nothing else of the run is under way.

No other run compiles meanwhile: what is timed has the processors alone.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bareboat.check.cpu_level import read_cpu_level
from bareboat.check.gauge import Wanted, gauge_cell, take
from bareboat.check.harbor import SUBJECT, ServiceReport, probe_service
from bareboat.check.memory_floor import Floor
from bareboat.check.prediction import judge_cell
from bareboat.errors import BareboatError
from bareboat.make.compile_times import read_compiles
from bareboat.make.context import PROCESSORS
from bareboat.matrix.cell import keep
from bareboat.measurements import TimedSubject, measure_timed
from bareboat.plan.jobs import ImageJob
from bareboat.result.values import Passed

if TYPE_CHECKING:
    from bareboat.engine.containers import Start
    from bareboat.make.context import JobContext, Measured, Outputs
    from bareboat.plan.jobs import Cell
    from bareboat.result.gauged import Gauged
    from bareboat.result.values import Ran, Result


def time_cell(context: JobContext, cell: Cell, outputs: Outputs) -> Measured:
    """Take what is timed of a cell, and save its result; what failed before is handed on as it is."""
    measured = outputs.measured(ImageJob(cell=cell))
    result = measured.result
    if not measured.awaits_timing:
        unchanged = measured.status == "unchanged"
        return replace(
            measured, status="unchanged" if unchanged else "skipped", note="" if unchanged else "its image failed"
        )
    if result.provenance is None or result.preflight is None:
        raise BareboatError(f"{cell.id} is nothing that ran")
    image_id = result.provenance.image_id
    if context.images.find(cell.image_name) != image_id:
        raise BareboatError(f"another run has made {cell.image_name} of other sources meanwhile; run this again")
    with context.locks.hold(PROCESSORS, f"timing {cell.id}"):
        report = _probe(context, cell, outputs, image_id, result.ran)
        timed = TimedSubject(peak_bytes=report.peak_bytes, probes=report.probes, gauged=report.gauged)
        if context.thorough and report.failure is None:
            timed = _take_thorough(context, cell, outputs, result, timed)
    result = replace(
        result,
        outcome=judge_cell(cell, result.preflight, report.failure) or Passed(),
        measurements=measure_timed(result.measurements, timed),
        probes=report.probes,
    )
    return keep(context, cell, result)


def _take_thorough(
    context: JobContext, cell: Cell, outputs: Outputs, result: Result, timed: TimedSubject
) -> TimedSubject:
    """With what takes compiles, and a run for each limit or processor that is tried."""
    image_id = result.provenance.image_id if result.provenance else ""
    floor = Floor(
        context=context,
        cell=cell,
        image_id=image_id,
        ran=result.ran,
        harbor=outputs.program(cell.harbor) if cell.harbor else None,
        probes=timed.probes,
    )
    cold, warm = read_compiles(context, cell.program, outputs.program(cell.program))
    level = read_cpu_level(context, cell, image_id, result.ran)
    return replace(timed, memory_floor=floor.reading(), cpu_level=level, compile_cold=cold, compile_warm=warm)


def _probe(context: JobContext, cell: Cell, outputs: Outputs, image_id: str, ran: Ran | None) -> ServiceReport:
    """What came of the probes, and what the gauge saw; of what is no service in a harbor, that alone."""
    gauge = outputs.program(cell.gauge) if cell.gauge else None
    if cell.harbor is None:
        gauged = gauge_cell(context, cell, gauge, image_id, ran) if gauge else None
        return ServiceReport(probes=(), failure=None, peak_bytes=None, gauged=gauged)
    wanted = Wanted(program=cell.program_path, port=int(SUBJECT.rpartition(":")[2]))

    def measure(start: Start) -> Gauged | None:
        return take(context, gauge, start, wanted) if gauge else None

    harbor = outputs.program(cell.harbor)
    return probe_service(context, image_id, harbor, cell.excuses, context.limits(cell), gauge=measure)
