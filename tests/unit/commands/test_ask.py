"""Questions that are answered from what there is."""

from __future__ import annotations

from bareboat.commands.ask import print_plan
from bareboat.commands.project import Project
from bareboat.system.process import Processes
from tests.unit.project import ROOT


def test_the_plan_of_a_service_has_the_harbor_and_its_probes(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    text = print_plan(Project(root=ROOT), ["webserver"], ["scratch-musl"], "bootstrap", Processes())
    jobs = [" ".join(line.split()[1:3]) for line in text.splitlines()[2:-2]]
    assert jobs == [
        "toolchain gnu",
        "program webserver",
        "program harbor",
        "image webserver@scratch-musl",
        "probes webserver@scratch-musl",
    ]
