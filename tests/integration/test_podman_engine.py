"""Podman keeps the contract, and what only Podman can be asked."""

from __future__ import annotations

import pytest

from bareboat.engine import Build
from bareboat.errors import EngineError
from bareboat.process import Processes
from bareboat.session import find_folders, session
from tests.engine_contract import EngineContract

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
        assert engine.read_file(first, "/x") == b"x"

    def test_a_build_that_fails_says_why_and_where_its_log_is(self, engine, name, tmp_path):
        build = Build(containerfile="FROM scratch\nCOPY absent /x\n", context=tmp_path, tag=name, labels={})
        with pytest.raises(EngineError, match="absent") as caught:
            engine.build(build, tmp_path / "log")
        assert caught.value.log == tmp_path / "log"
        assert "absent" in caught.value.summary
