"""Holds a cell's service to its probes, when nothing else of the run is under way and no other run compiles."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bareboat.check.harbor import probe_service
from bareboat.check.prediction import judge_cell
from bareboat.errors import BareboatError
from bareboat.make.context import PROCESSORS
from bareboat.matrix.cell import keep
from bareboat.measurements import TimedSubject, measure_timed
from bareboat.plan.jobs import ImageJob
from bareboat.result.values import Passed

if TYPE_CHECKING:
    from bareboat.make.context import JobContext, Measured, Outputs
    from bareboat.plan.jobs import Cell


def probe_cell(context: JobContext, cell: Cell, outputs: Outputs) -> Measured:
    """Ask the cell's service everything, and save its result; what needs no probes is handed on as it is."""
    measured = outputs.measured(ImageJob(cell=cell))
    result = measured.result
    if not measured.awaits_probes:
        unchanged = measured.status == "unchanged"
        return replace(
            measured, status="unchanged" if unchanged else "skipped", note="" if unchanged else "its image failed"
        )
    if cell.harbor is None or result.provenance is None or result.preflight is None:
        raise BareboatError(f"{cell.id} is no service that ran")
    image_id, harbor, limits = result.provenance.image_id, outputs.program(cell.harbor), context.limits(cell)
    if context.images.find(cell.image_name) != image_id:
        raise BareboatError(f"another run has made {cell.image_name} of other sources meanwhile; run this again")
    with context.locks.hold(PROCESSORS, f"probes of {cell.id}"):
        report = probe_service(context, image_id, harbor, cell.excuses, limits)
    timed = TimedSubject(peak_bytes=report.peak_bytes, probes=report.probes)
    result = replace(
        result,
        outcome=judge_cell(cell, result.preflight, report.failure) or Passed(),
        measurements=measure_timed(result.measurements, timed),
        probes=report.probes,
    )
    return keep(context, cell, result)
