"""What jobs hand on is looked up by the job; each job has a log of its own."""

from __future__ import annotations

from types import MappingProxyType

import pytest

from bareboat.engine.fake import FakeEngine
from bareboat.errors import BareboatError
from bareboat.make.context import Outputs, Program
from bareboat.plan.planner import plan_cell
from tests.unit.project import BOOK, HELLO, job_context, plan_inputs


def test_each_job_has_a_log_of_its_own(tmp_path):
    context = job_context(FakeEngine(folder=tmp_path), tmp_path)
    assert context.log("program hello-world musl static in gnu").name == "program-hello-world-musl-static-in-gnu.log"
    assert context.log("base debian").parent == context.folders.logs


def test_an_output_is_looked_up_by_its_job_and_kind(tmp_path):
    cell = plan_cell(HELLO, BOOK.recipe("scratch-musl"), plan_inputs())
    program = Program(status="built", note="", path=tmp_path, sha256="", seconds=0.0, warm=False, toolchain=None)
    outputs = Outputs(by_id=MappingProxyType({cell.program.id: program}))
    assert outputs.program(cell.program) is program
    with pytest.raises(BareboatError, match="toolchain gnu made nothing in this run"):
        outputs.root(cell.program.toolchain)
