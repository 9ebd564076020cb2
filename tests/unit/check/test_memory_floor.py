"""The bisection of a memory limit, as a pure function and on the fake engine."""

from __future__ import annotations

import itertools
from dataclasses import replace
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bareboat.archive import Entry, ImageConfig, write_image
from bareboat.check.memory_floor import LOAD, Floor, find_floor, rungs
from bareboat.engine.fake import HOST, FakeEngine, Script
from bareboat.errors import StoppedError
from bareboat.inputs.expectation import AS_IT_STANDS, Expectation
from bareboat.inputs.limits import MB, Limits
from bareboat.result.values import Probe, Ran
from bareboat.system.process import Processes
from tests.unit.check.test_harbor import scripts

IMAGE = "localhost/program:x"
MOST_RUNS = 10


@given(st.integers(min_value=1, max_value=10_000))
def test_the_rungs_rise_to_the_most_by_1_mb_or_5_per_cent(most):
    found = rungs(most)
    assert (found[0], found[-1]) == (1, most)
    assert all(low < high <= max(low + 1, low * 1.05) for low, high in itertools.pairwise(found))


@given(st.integers(min_value=1, max_value=2048), st.integers(min_value=1, max_value=2048))
def test_the_floor_is_the_first_rung_that_is_enough(most, needed):
    asked = []
    floor = find_floor(lambda limit: asked.append(limit) or limit >= needed, most)
    assert floor == next((rung for rung in rungs(most) if rung >= needed), None)
    assert len(asked) <= MOST_RUNS + 1
    if floor is not None:
        assert asked.count(floor) == 2


@given(st.integers(min_value=1, max_value=400), st.integers(min_value=0, max_value=100), st.data())
def test_a_floor_survived_twice_and_lies_where_it_is_not_certain_to_fail(low, width, data):
    """Below `low` it never survives, from `low + width` on always, and between them as it happens."""
    answers = []

    def survives(limit):
        answer = limit >= low + width or (limit >= low and data.draw(st.booleans()))
        answers.append((limit, answer))
        return answer

    floor = find_floor(survives, 512)
    assert low <= floor <= next(rung for rung in rungs(512) if rung >= low + width)
    assert answers.count((floor, True)) >= 2


def test_a_limit_that_holds_now_and_then_is_raised():
    seen = []

    def survives(limit):
        seen.append(limit)
        return limit > 10 or (limit == 10 and seen.count(10) == 1)

    assert find_floor(survives, 512) == 11


@pytest.fixture
def engine(tmp_path):
    (tmp_path / "store").mkdir()
    engine = FakeEngine(folder=tmp_path / "store")
    write_image([Entry(path="program")], ImageConfig(), reference=IMAGE, to=tmp_path / "program.tar")
    engine.load(tmp_path / "program.tar")
    return engine


@pytest.fixture
def floor_of(engine, tmp_path):
    """A floor of what has the `script`, of which `run` is expected."""

    def make(script, run=None, host=HOST, **more):
        engine.script = script
        sample = SimpleNamespace(expectations=(run or Expectation(),))
        context = SimpleNamespace(
            engine=engine,
            folders=SimpleNamespace(scratch=tmp_path),
            processes=Processes(),
            host=host,
            remote=False,
            limits=lambda _cell: Limits(memory_mb=512),
        )
        given = {"ran": None, "harbor": None, "probes": (), **more}
        return Floor(context=context, cell=SimpleNamespace(sample=sample), image_id=IMAGE, **given)

    return make


def always(script):
    return lambda _image, _command: script


@pytest.mark.parametrize("memory", [3, 17, 200])
def test_a_program_has_the_floor_that_it_takes(floor_of, engine, memory):
    found = floor_of(always(Script(memory_mb=memory))).reading()
    assert found.value == next(rung for rung in rungs(512) if rung >= memory) * MB
    assert found.why == ""
    assert engine.containers == ()
    assert len(engine.started) <= MOST_RUNS


def test_a_program_that_ends_as_it_will_must_end_as_it_did(floor_of):
    before = Ran(exit_code=2)
    found = floor_of(always(Script(memory_mb=40, exit_code=2)), AS_IT_STANDS, ran=before).reading()
    assert found.value == next(rung for rung in rungs(512) if rung >= 40) * MB
    other = floor_of(always(Script(exit_code=3)), AS_IT_STANDS, ran=before).reading()
    assert other.value is None
    assert other.why == "with 512 MB, it did not twice in a row do as before"


def test_what_the_runtime_refuses_does_not_survive(floor_of):
    found = floor_of(always(Script(refused="OOM-killed"))).reading()
    assert (found.value, bool(found.why)) == (None, True)


def test_an_ordinary_users_program_that_survives_the_least_is_held_to_no_limit(floor_of):
    found = floor_of(always(Script())).reading()
    assert found.value is None
    assert "to memory limits" in found.why
    assert floor_of(always(Script()), host=replace(HOST, rootless=False)).reading().value == MB


def test_an_engine_of_another_machine_is_told_of(floor_of):
    floor = floor_of(always(Script()))
    floor.context.remote = True
    assert "another machine" in floor.reading().why


def test_a_run_that_is_stopped_is_no_floor(floor_of, engine, monkeypatch):
    def stop(_start):
        raise StoppedError("stopped")

    monkeypatch.setattr(engine, "start", stop)
    with pytest.raises(StoppedError):
        floor_of(always(Script())).reading()


def test_a_service_is_held_to_the_load_that_it_stood_before(floor_of, engine, tmp_path):
    program = tmp_path / "harbor-program"
    program.write_bytes(b"the harbor")
    right = tuple(Probe(name=name, passed=name != "parallel", observed="") for name in (*LOAD, "slow"))
    script = scripts(service=Script(exit_code=None, memory_mb=64))

    def does(image, command):
        # The harbor tells of a service that has ended, as the real one does, with no answer at all.
        service = [start for start in engine.started.values() if not start.command][-1:]
        dead = command[:1] == ("check",) and service and service[0].limits.memory_mb < 64
        return Script(exit_code=2, stderr=b"not healthy") if dead else script(image, command)

    harbor = SimpleNamespace(sha256="0" * 64, path=program)
    found = floor_of(does, harbor=harbor, probes=right).reading()
    assert found.value == next(rung for rung in rungs(512) if rung >= 64) * MB
    asked = next(start.command for start in engine.started.values() if start.command[:1] == ("check",))
    assert [word for word in asked if word in {*LOAD, "slow"}] == ["body-50m", "echo-1m"]
    assert engine.containers == ()
