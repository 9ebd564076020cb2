"""The fake engine keeps both contracts."""

from __future__ import annotations

import pytest

from bareboat.engine.containers import Start
from bareboat.engine.fake import FakeEngine, Script
from bareboat.engine.tracer import Tracer
from bareboat.errors import BareboatError
from tests.engine_contract import BROKEN, ContainersContract, ImagesContract, load
from tests.programs import EXIT_7, FOREVER, awaiting, devouring, multiplying, program, speaking


def play(image, arguments):
    """Does what the contract's programs do."""
    (entrypoint,) = image.config.entrypoint
    if image.find(entrypoint) is None:
        return Script(refused=f"{entrypoint}: no such file")
    said = {"stdout": b"out\n", "stderr": b"err\n"}
    scripts = {
        program(): Script(),
        program(EXIT_7): Script(exit_code=7),
        program(FOREVER): Script(exit_code=None),
        awaiting(): Script(**said, exit_code=None, on_signal={"SIGTERM": 7}),
        devouring(): Script(memory_mb=1074),
        multiplying(): Script(processes=10**6),
        speaking(): Script(**said, exit_code=1 + len(arguments)),
    }
    return scripts[image.read(entrypoint)]


@pytest.fixture
def engine(tmp_path):
    folder = tmp_path / "store"
    folder.mkdir()
    return FakeEngine(folder=folder, broken=BROKEN, script=play)


class TestFakeImages(ImagesContract):
    pass


class TestFakeContainers(ContainersContract):
    @pytest.fixture
    def tracer(self, tmp_path):
        return Tracer(tools=tmp_path, loader="")


def test_a_container_writes_where_it_may_and_nowhere_else(engine, tmp_path):
    image = load(engine, "localhost/x:x", b"", tmp_path)
    engine.script = lambda _image, _command: Script(files={"/shared/ready": b"yes"})
    start = {"image": image, "mounts": {"/shared": tmp_path}}
    engine.start(Start(**start, writable="/shared"))
    assert (tmp_path / "ready").read_bytes() == b"yes"
    with pytest.raises(BareboatError, match="/shared/ready: the container cannot write there"):
        engine.start(Start(**start))
    assert len(engine.containers) == 1
