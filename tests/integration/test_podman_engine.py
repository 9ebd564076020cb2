"""Podman keeps the contract, and what only Podman can be asked."""

from __future__ import annotations

import pytest

from bareboat.check.runs import not_started
from bareboat.engine.images import Build
from bareboat.errors import EngineError
from bareboat.podman_engine.session import session
from bareboat.system.folders import find_folders
from bareboat.system.process import Processes
from tests.engine_contract import EXIT_7, FOREVER, EngineContract, copied, load, program

pytestmark = pytest.mark.podman


@pytest.fixture(scope="module")
def engine():
    with session(Processes(), find_folders(), print) as running:
        yield running.engine


class TestPodmanEngine(EngineContract):
    def test_a_build_is_tagged_labelled_and_the_same_each_time(self, engine, name, tmp_path):
        (tmp_path / "x").write_text("x")
        build = Build(containerfile="FROM scratch\nCOPY x /x\n", context=tmp_path, tag=name, labels={"a": "b"})
        first = engine.build(build, tmp_path / "log")
        assert engine.image(name).id == first == engine.build(build, tmp_path / "log")
        assert engine.image(name).labels["a"] == "b"
        assert copied(engine, first, "/x") == b"x"

    def test_a_run_shows_its_exit_code(self, engine, name, tmp_path):
        report = engine.run(load(engine, name, program(EXIT_7), tmp_path), (), 60.0)
        assert (report.exit_code, report.stdout, report.stderr) == (7, b"", b"")

    def test_what_is_no_program_did_not_start(self, engine, name, tmp_path):
        # crun refuses it; of runc a process of its own says so.
        report = engine.run(load(engine, name, b"\x7fELF and no more", tmp_path), (), 60.0)
        assert "exec format error" in not_started(report).lower()

    def test_a_run_without_end_is_ended(self, engine, name, tmp_path):
        report = engine.run(load(engine, name, program(FOREVER), tmp_path), (), 1.0)
        assert report.exit_code is None

    def test_a_failing_step_tells_its_exit_code_and_its_log(self, engine, name, tmp_path):
        load(engine, name, program(EXIT_7), tmp_path)
        log, tag = tmp_path / "log", name.replace(":x", ":built")
        build = Build(containerfile=f'FROM {name}\nRUN ["/program"]\n', context=tmp_path, tag=tag, labels={})
        with pytest.raises(EngineError) as caught:
            engine.build(build, log)
        assert caught.value.log == log
        assert any("exit status 7" in line for line in caught.value.log_tail), caught.value.log_tail
        assert engine.image(tag) is None
