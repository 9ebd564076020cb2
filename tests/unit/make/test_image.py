"""What goes into an image: what the jobs of its own cell made, whichever ended first."""

from __future__ import annotations

from dataclasses import replace

from bareboat.engine.fake import FakeEngine
from bareboat.make.context import Outputs, Program
from bareboat.make.image import gather_contents, image_entries
from tests.unit.project import HELLO, job_context, plan_of


def program(folder, content):
    path = folder / content
    path.write_text(content, encoding="utf-8")
    return Program(status="built", note="", path=path, sha256=content, seconds=0.0, warm=False, toolchain=None)


def test_an_image_gets_its_own_program_though_the_harbors_was_compiled_first(tmp_path):
    service = replace(HELLO, name="server", service=True)
    (cell,) = plan_of("scratch-musl", samples=(service,), harbor=replace(HELLO, name="harbor")).cells
    made = {cell.harbor.id: program(tmp_path, "harbor"), cell.program.id: program(tmp_path, "server")}
    contents = gather_contents(job_context(FakeEngine(folder=tmp_path), tmp_path), cell, Outputs(by_id=made))
    (entry,) = image_entries(contents)
    assert (entry.path, entry.content) == ("hello-world", b"server")
