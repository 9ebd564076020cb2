"""What is known to stand, so that nobody is asked and nothing is started."""

from __future__ import annotations

from pathlib import Path

from bareboat.commands import open_run
from bareboat.commands.open_run import Order, WorkOptions
from bareboat.commands.project import Project
from bareboat.engine.fake import HOST
from bareboat.plan.jobs import Plan, SkippedCell
from bareboat.podman_engine.facts import Facts
from tests.unit.project import AMD, BOOK, HELLO, ROOT

SKIPPED = SkippedCell(sample="s", recipe="r", reason="it cannot be made of these")


def test_a_plan_whose_every_cell_is_skipped_does_not_stand(monkeypatch, tmp_path):
    facts = Facts(host=HOST, run_root=str(tmp_path), graph_root=str(tmp_path))
    monkeypatch.setattr(open_run, "recall_facts", lambda *_: facts)
    monkeypatch.setattr(open_run, "has_dead_runs", lambda _: False)
    asked = []

    def plan(inputs):
        asked.append(inputs.source)
        return Plan(source=inputs.source, platform=AMD, jobs=(), skipped=(SKIPPED,))

    order = Order(book=BOOK, samples=(HELLO,), bases="auto", plan=plan)
    work = WorkOptions(results=tmp_path / "results")
    assert open_run._find_standing(Project(root=Path(ROOT)), order, work) is None
    assert asked == ["registry", "bootstrap"]
