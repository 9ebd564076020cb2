"""Podman keeps both contracts, and what only Podman can be asked."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from bareboat.check.runs import not_started
from bareboat.check.trace import find_tracer
from bareboat.engine.containers import Start
from bareboat.engine.images import Build
from bareboat.engine.tracer import LOGS_TARGET
from bareboat.errors import EngineError
from bareboat.podman_engine.session import session
from bareboat.podman_engine.settings import cgroups
from bareboat.system.files import make_open_folder
from bareboat.system.folders import find_folders, remove
from bareboat.system.process import Processes
from tests.engine_contract import ContainersContract, ImagesContract, copied, load
from tests.integration.harbour import podman
from tests.programs import EXIT_7, program

pytestmark = pytest.mark.podman


@pytest.fixture(scope="module")
def engine():
    with session(Processes(), find_folders(), print) as running:
        yield running.engine


class TestPodmanImages(ImagesContract):
    def test_a_build_is_tagged_labelled_and_the_same_each_time(self, engine, name, tmp_path):
        (tmp_path / "x").write_text("x")
        build = Build(containerfile="FROM scratch\nCOPY x /x\n", context=tmp_path, tag=name, labels={"a": "b"})
        first = engine.build(build, tmp_path / "log")
        assert engine.image(name).id == first == engine.build(build, tmp_path / "log")
        assert engine.image(name).labels["a"] == "b"
        assert copied(engine, first, "/x") == b"x"

    def test_an_image_that_cannot_be_read_is_not_there_and_can_be_loaded_again(self, engine, name, tmp_path):
        image_id = load(engine, name, program(), tmp_path)
        store = Path(podman("info", "--format={{.Store.GraphRoot}}/{{.Store.GraphDriverName}}-images"))
        (store / image_id.removeprefix("sha256:") / "manifest").unlink()
        assert engine.image(name) is None
        assert load(engine, name, program(), tmp_path) == image_id
        assert engine.image(name).id == engine.image(image_id).id == image_id

    @pytest.mark.parametrize("listed", [True, False], ids=["listed", "asked"])
    def test_what_a_removed_image_was_made_from_stays(self, engine, name, tmp_path, monkeypatch, listed):
        if not listed:  # as behind a remote engine, whose list of images is out of reach
            monkeypatch.setattr(engine, "_list", None)
        text = f"FROM scratch\nLABEL a={name}\nLABEL b=b\n"
        made = podman("build", "--quiet", "--file=-", str(tmp_path), stdin=text).strip()
        parent = podman("image", "inspect", "--format={{.Parent}}", made).strip()
        engine.remove_nameless([f"sha256:{made}"])
        assert engine.image(made) is None
        assert engine.image(parent).id == f"sha256:{parent.removeprefix('sha256:')}"
        podman("rmi", parent)

    def test_a_failing_step_tells_its_exit_code_and_its_log(self, engine, name, tmp_path):
        load(engine, name, program(EXIT_7), tmp_path)
        log, tag = tmp_path / "log", name.replace(":x", ":built")
        build = Build(containerfile=f'FROM {name}\nRUN ["/program"]\n', context=tmp_path, tag=tag, labels={})
        with pytest.raises(EngineError) as caught:
            engine.build(build, log)
        assert caught.value.log == log
        assert any("exit status 7" in line for line in caught.value.log_tail), caught.value.log_tail
        assert engine.image(tag) is None


class TestPodmanContainers(ContainersContract):
    @pytest.fixture
    def tracer(self, tmp_path):
        if shutil.which("strace") is None:
            pytest.skip("no strace here")
        return find_tracer(tmp_path / "tools")

    def test_what_is_no_program_did_not_start(self, engine, name, tmp_path):
        # crun refuses to start it. runc starts a process of its own, which says that it cannot become the program.
        report = engine.run(load(engine, name, b"\x7fELF and no more", tmp_path), (), 60.0)
        assert "exec format error" in not_started(report).lower()

    def test_a_program_that_fills_the_folder_of_its_trace_is_killed(self, engine, tracer, tmp_path):
        logs = tmp_path / "private" / "logs"
        make_open_folder(logs)
        flood = ("/bin/sh", "-c", f"exec yes >{LOGS_TARGET}/flood")
        start = Start(image="localhost/bareboat/base/alpine:bootstrap", command=flood)
        report = engine.trace(start, 60.0, tracer, logs)
        assert (report.flooded, report.exit_code) == (True, 137)
        remove(Processes(), logs)

    def test_a_run_that_takes_more_memory_than_it_may_is_killed_for_it(self, engine, name, tmp_path, start):
        if os.geteuid() and cgroups() != "v2":
            pytest.skip("no memory limit of a rootless container is enforced here, as `invoke doctor` says")
        before = set(Path().iterdir())
        super().test_a_run_that_takes_more_memory_than_it_may_is_killed_for_it(engine, name, tmp_path, start)
        assert set(Path().iterdir()) == before, "conmon leaves its notes in no folder of the user's"
