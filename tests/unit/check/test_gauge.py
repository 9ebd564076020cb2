"""What the gauge says, judged; and who asks it, on the fake engine, whose containers do what a script says."""

from __future__ import annotations

import errno
import json
from dataclasses import replace

import pytest

from bareboat.archive import Entry, ImageConfig, write_image
from bareboat.check.gauge import PLACE, Wanted, gauge_cell, read, take
from bareboat.engine.containers import RunReport, Start
from bareboat.engine.fake import FakeEngine, Script
from bareboat.errors import BareboatError
from bareboat.inputs.expectation import AS_IT_STANDS, Expectation, Served, Serving
from bareboat.inputs.limits import Limits
from bareboat.make.context import Program
from bareboat.result.gauged import Gauged, GaugedRun
from bareboat.result.values import Ran
from tests.unit.project import HELLO, job_context, plan_of

NAME = "localhost/program:x"
RUN = {
    "errno": 0,
    "output_ns": 1_000_000,
    "connected_ns": None,
    "answered_ns": None,
    "ended_ns": 2_000_000,
    "signal": 0,
    "exit_code": 0,
    "peak_kib": 300,
    "minor_faults": 20,
    "major_faults": 1,
    "stopped": False,
}
IDLE = {**RUN, "output_ns": None, "ended_ns": 50_000}
# A service is told to end when it has answered.
SERVED = {**RUN, "output_ns": None, "connected_ns": 3_000_000, "answered_ns": 4_000_000, "stopped": True}
FIGURES = GaugedRun(output=0.001, ended=0.002, peak_bytes=300 * 1024, faults=21)
IDLE_FIGURES = GaugedRun(ended=0.00005, peak_bytes=300 * 1024, faults=21)


def says(*runs, idle_ticks=0, all_ticks=0, own=0):
    return json.dumps(
        {
            "process": 1,
            "user": 65532,
            "capabilities": 0,
            "read_only": True,
            "processors": {"all_ticks": all_ticks, "idle_ticks": idle_ticks, "own_microseconds": own},
            "runs": runs,
            "idle_runs": [IDLE] * len(runs),
        }
    )


@pytest.fixture
def world(tmp_path):
    """An image, an engine on which the gauge says what it is told to, and what a job may use."""
    (tmp_path / "store").mkdir()
    engine = FakeEngine(folder=tmp_path / "store")
    write_image([Entry(path="app")], ImageConfig(), reference=NAME, to=tmp_path / "app.tar")
    engine.load(tmp_path / "app.tar")
    path = tmp_path / "gauge"
    path.write_bytes(b"the gauge")
    gauge = Program(status="built", note="", path=path, sha256="", seconds=None, warm=None, toolchain=None)

    def measure(script, wanted=Wanted(program="/app"), **changes):  # noqa: B008 (a frozen value)
        does = script if isinstance(script, Script) else Script(stdout=script.encode())
        engine.script = lambda _image, _command: does
        context = job_context(engine, tmp_path, **changes)
        return take(context, gauge, Start(image=NAME, command=("a", "b")), wanted)

    def of_cell(cell, ran, run=RUN):
        engine.script = lambda _image, _command: Script(stdout=says(run).encode())
        return gauge_cell(job_context(engine, tmp_path), cell, gauge, NAME, ran)

    measure.engine, measure.gauge, measure.of_cell = engine, gauge, of_cell
    return measure


def test_every_run_is_taken_with_the_control_apart(world):
    assert world(says(RUN, RUN, RUN)) == Gauged(runs=(FIGURES,) * 3, idle_runs=(IDLE_FIGURES,) * 3)


def test_of_a_service_the_end_is_no_figure(world):
    done = world(says(SERVED), Wanted(program="/app", port=80))
    assert done.service
    assert done.runs == (GaugedRun(connected=0.003, answered=0.004, peak_bytes=300 * 1024, faults=21),)


def test_the_gauge_is_mounted_and_is_given_the_program_with_its_arguments(world):
    world(says(RUN), Wanted(program="/app", port=80, seconds=2.5))
    (start,) = world.engine.started.values()
    assert start.entrypoint == (PLACE, "50", "600", "2500", "300", "80", "/app")
    assert (start.command, start.mounts, start.writable) == (("a", "b"), {PLACE: world.gauge.path}, "")
    assert world.engine.containers == ()


@pytest.mark.parametrize(("changed", "why"), [
    ({"errno": errno.EACCES, "exit_code": 127}, "it cannot be executed: Permission denied"),
    ({"exit_code": 3}, "it ended with exit code 3, not 0"),
    ({"signal": 11}, "SIGSEGV ended it, not 0"),
    ({"signal": 15, "stopped": True}, "it did not end within 10 s"),
])  # fmt: skip
def test_a_program_that_does_otherwise_than_expected_has_no_figures(world, changed, why):
    assert world(says(RUN, {**RUN, **changed})) == Gauged(why=why)


@pytest.mark.parametrize(("changed", "why"), [
    ({"signal": 15, "stopped": True}, "it did not listen on 127.0.0.1:80 within 10 s"),
    ({"exit_code": 1}, "it ended with exit code 1 and never listened on 127.0.0.1:80"),
    ({"signal": 6}, "SIGABRT ended it and never listened on 127.0.0.1:80"),
])  # fmt: skip
def test_a_service_that_does_not_listen_says_so(world, changed, why):
    assert world(says({**RUN, **changed}), Wanted(program="/app", port=80)) == Gauged(why=why, service=True)


@pytest.mark.parametrize(("changed", "code"), [({"exit_code": 3}, 3), ({"signal": 11}, 139)])
def test_another_end_than_0_is_as_expected_where_it_is_expected(world, changed, code):
    assert world(says({**RUN, **changed}), Wanted(program="/app", exit_code=code)).why == ""


def test_a_busy_machine_is_refused_before_anything_runs(world):
    assert world(says(RUN), await_quiet=lambda: "busy") == Gauged(why="busy")
    assert not world.engine.started


@pytest.mark.parametrize(("ticks", "why"), [
    ({"all_ticks": 100, "idle_ticks": 40, "own": 450_000}, ""),
    ({"all_ticks": 100, "idle_ticks": 40, "own": 100_000}, "50 % of its processors were at other work"),
    ({"all_ticks": 39, "idle_ticks": 0}, ""),
])  # fmt: skip
def test_a_machine_that_got_busy_meanwhile_is_told_by_the_gauge(world, ticks, why):
    assert world(says(RUN, **ticks)).why == (f"the machine was busy: {why}" if why else "")


def test_an_engine_on_another_machine_is_not_asked(world):
    assert "cannot mount the gauge" in world(says(RUN), remote=True).why
    assert not world.engine.started


def test_a_runtime_that_refuses_the_gauge_is_heard(world):
    assert world(Script(refused="no such thing")).why == "the runtime refused the gauge: no such thing"


def test_a_program_that_takes_all_memory_is_told(world):
    done = world(Script(memory_mb=2000))
    assert done.why == "killed for memory at 512 MB"


@pytest.mark.parametrize("said", [
    "Hello, world!\n",
    "",
    "[]",
    "{}",
    '{"runs": 1}',
    "\x00\xff",
    says({**RUN, "ended_ns": "soon"}),
    says({name: value for name, value in RUN.items() if name != "stopped"}),
    says(RUN)[:-1],
    says(RUN) * 2,
    "[" * 100_000,
])  # fmt: skip
def test_what_is_no_answer_of_a_gauge_is_none(world, said):
    assert read(RunReport(exit_code=0, stdout=said.encode(errors="replace"), stderr=b"")) is None
    done = world(said)
    assert done.runs == ()
    assert done.why.startswith("the gauge gave no answer (exit code 0)")
    assert len(done.why) < 400


def test_no_run_is_no_figure(world):
    assert world(says()).why == "the gauge made no run"


@pytest.fixture
def cell():
    return plan_of("scratch-musl").cells[0]


def expecting(cell, *expectations):
    return replace(cell, sample=replace(HELLO, expectations=expectations))


@pytest.mark.parametrize(("expectation", "ran", "why"), [
    (Expectation(writable=True), None, "it writes to its root filesystem, which is read-only where it is timed"),
    (AS_IT_STANDS, Ran(running=True), "it neither ends nor listens"),
    (AS_IT_STANDS, Ran(running=True, udp_ports=(53,)), "it listens on UDP alone"),
    (AS_IT_STANDS, None, "it neither ends nor listens"),
])  # fmt: skip
def test_what_cannot_be_timed_says_why(world, cell, expectation, ran, why):
    assert world.of_cell(expecting(cell, expectation), ran) == Gauged(why=why)


@pytest.mark.parametrize(("shown", "port", "run"), [
    ((Expectation(exit_code=2), None), 0, {**RUN, "exit_code": 2}),
    ((AS_IT_STANDS, Ran(exit_code=3)), 0, {**RUN, "exit_code": 3}),
    ((AS_IT_STANDS, Ran(running=True, ports=(80, 443), answers=("no HTTP", "HTTP 200"))), 443, SERVED),
    ((AS_IT_STANDS, Ran(running=True, ports=(80, 443), answers=("", "no HTTP"))), 80, SERVED),
    ((Served(serving=Serving(port=8080)), Ran(running=True, ports=(80, 8080), answers=("HTTP 200",))), 8080, SERVED),
    ((Served(serving=Serving()), Ran(running=True, ports=(80,), answers=("HTTP 200",))), 80, SERVED),
])  # fmt: skip
def test_a_cell_is_timed_as_its_plain_run_showed_it(world, cell, shown, port, run):
    expectation, ran = shown
    done = world.of_cell(expecting(cell, expectation, Expectation(name="b")), ran, run)
    assert (done.why, done.service) == ("", bool(port))
    (start,) = world.engine.started.values()
    assert start.entrypoint[-2:] == (str(port), "/hello-world")


def test_a_plain_run_is_given_its_arguments_environment_network_and_limits(world, cell):
    serving = Serving(port=80, environment={"A": "1"}, arguments=("x",), network=True)
    served = Served(serving=serving, arguments=("x",), network=True)
    recipe = replace(cell.recipe, runtime=replace(cell.recipe.runtime, memory_mb=100, processes=20))
    world.of_cell(replace(expecting(cell, served), recipe=recipe), Ran(ports=(80,)), SERVED)
    (start,) = world.engine.started.values()
    assert (start.command, start.environment, start.network) == (("x",), {"A": "1"}, "outside")
    assert (start.limits, start.tmp) == (Limits(memory_mb=100, processes=20), True)


def test_no_container_stays_where_the_engine_fails(world):
    def fails(_container, _seconds):
        raise BareboatError("gone")

    world.engine.finish = fails
    with pytest.raises(BareboatError, match="gone"):
        world(says(RUN))
    assert world.engine.containers == ()
