"""Questions that are answered from what there is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bareboat.commands.ask import print_plan
from bareboat.commands.plan_inputs import check_engine
from bareboat.commands.project import Project
from bareboat.engine.fake import HOST
from bareboat.errors import HostError
from bareboat.system.process import Processes
from tests.unit.project import AMD, ROOT


def test_a_machine_on_which_nothing_was_tried_is_refused_with_one_line_that_says_what_works(monkeypatch):
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    with pytest.raises(HostError) as caught:
        print_plan(Project(root=ROOT), ["hello-world"], ["scratch-musl"], "bootstrap", Processes())
    assert str(caught.value) == "this machine is aarch64, and Bareboat works on x86_64 (linux/amd64) alone"
    check_engine(HOST, AMD)
    with pytest.raises(HostError, match=r"machine of arm64, and Bareboat works on linux/amd64 alone"):
        check_engine(replace(HOST, architecture="arm64"), AMD)


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
