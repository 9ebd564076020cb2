"""Jobs run in dependency order; a failure reaches those that need it and no other."""

from __future__ import annotations

import time
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, Lock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bareboat.errors import BareboatError, StoppedError
from bareboat.matrix.schedule import execute


@st.composite
def graphs(draw):
    """Jobs 0..n-1, each needing some of those before it, and those that fail."""
    count = draw(st.integers(1, 12))
    needs = {job: draw(st.sets(st.integers(0, job - 1), max_size=3)) if job else set() for job in range(count)}
    return needs, draw(st.sets(st.integers(0, count - 1), max_size=3))


class Serial(Executor):
    """Does a job where it is submitted: the smallest executor there is."""

    def submit(self, function, /, *arguments, **options):
        future = Future()
        try:
            future.set_result(function(*arguments, **options))
        except BaseException as error:  # noqa: BLE001 (an executor hands on whatever it is)
            future.set_exception(error)
        return future


def run(needs, work, executor=None):
    with executor or ThreadPoolExecutor(3) as pool:
        return list(execute(list(needs), lambda job: sorted(needs[job]), lambda job: job, work, lambda _: pool))


@pytest.mark.parametrize("make_executor", [Serial, lambda: ThreadPoolExecutor(3)], ids=["serial", "threads"])
@given(graph=graphs())
def test_every_job_ends_once_and_only_what_needs_a_failure_is_kept_from_running(make_executor, graph):
    needs, failing = graph
    ran = {}

    def work(job, inputs):
        ran[job] = dict(inputs)
        if job in failing:
            raise BareboatError(f"{job} failed")
        return f"output {job}"

    ends = run(needs, work, make_executor())
    done = {end.job: end for end in ends}
    assert sorted(end.job for end in ends) == sorted(needs)
    broken = set()
    for job in needs:
        blocked = bool(needs[job] & broken)
        if blocked or job in failing:
            broken.add(job)
        assert (job in ran) == (not blocked)
        assert (done[job].error is not None) == (job in broken)
        if blocked:
            # The root cause is told: a job that itself ran and failed.
            assert done[job].aborted_by in failing & set(ran)
            assert str(done[job].error) == f"{done[job].aborted_by} failed"
        elif job not in failing:
            assert done[job].output == f"output {job}"
            assert ran[job] == {need: f"output {need}" for need in needs[job]}


@given(graphs())
def test_each_job_ends_after_all_that_it_needs(graph):
    needs, _ = graph
    order = [end.job for end in run(needs, lambda job, _: job)]
    assert all(order.index(need) < order.index(job) for job in needs for need in needs[job])


@pytest.mark.parametrize("make_executor", [Serial, lambda: ThreadPoolExecutor(3)], ids=["serial", "threads"])
@pytest.mark.parametrize("error", [StoppedError("stopped"), ZeroDivisionError()])
def test_a_stop_or_a_bug_ends_the_run(make_executor, error):
    ran = []

    def work(job, _):
        ran.append(job)
        if job == 0:
            raise error
        return job

    with pytest.raises(type(error)):
        run({0: set(), 1: {0}, 2: {1}}, work, make_executor())
    assert ran == [0]


def test_ends_are_told_as_they_come_and_not_only_when_all_is_done():
    ran = []
    with Serial() as executor:
        ends = execute(
            [0, 1], lambda job: [0] if job else [], lambda job: job, lambda job, _: ran.append(job), lambda _: executor
        )
        assert next(ends).job == 0
        assert ran == [0]
        assert [end.job for end in ends] == [1]


def test_jobs_that_need_nothing_of_each_other_run_side_by_side():
    meeting = Barrier(2)
    # Each waits for the other; one after the other, the first would break the barrier.
    done = run({0: set(), 1: set()}, lambda job, _: (job, meeting.wait(20)))
    assert {end.output[0] for end in done} == {0, 1}


def test_what_does_not_need_the_failed_job_goes_on():
    def work(job, _):
        if job == 0:
            raise BareboatError("no")
        return job

    done = {end.job: end for end in run({0: set(), 1: {0}, 2: {1}, 3: set(), 4: {3}, 5: {2, 4}}, work)}
    assert {job for job, end in done.items() if end.error is None} == {3, 4}
    assert {job: done[job].aborted_by for job in (0, 1, 2, 5)} == {0: None, 1: 0, 2: 0, 5: 0}


@pytest.mark.parametrize("failing", [set(), {2}, {3}])
def test_what_runs_alone_runs_after_all_others_and_beside_nothing(failing):
    needs = {0: [], 1: [0], 2: [], 3: [1], 4: [0], 5: [4], 6: [2]}
    alone, lock, busy, beside, order = {3, 4, 6}, Lock(), set(), {}, []

    def work(job, _):
        with lock:
            busy.add(job)
            order.append(job)
        time.sleep(0.01)  # so that whoever wants to run beside it does
        with lock:
            beside[job] = set(busy)
            busy.remove(job)
        if job in failing:
            raise BareboatError("no")

    with ThreadPoolExecutor(4) as pool:
        ends = list(
            execute(list(needs), needs.__getitem__, lambda job: job, work, lambda _: pool, alone=alone.__contains__)
        )
    assert {end.job for end in ends} == set(needs)
    assert all(beside[job] == {job} for job in alone & set(order))
    assert set(order[:3]) == {0, 1, 2}


def test_an_output_of_none_is_an_output():
    done = run({0: set(), 1: {0}}, lambda _, inputs: None if not inputs else dict(inputs))
    assert [end.output for end in done] == [None, {0: None}]


def test_what_the_system_refuses_fails_the_job_with_path_and_cause_and_no_other(tmp_path):
    def fill_the_disk():
        with Path("/dev/full").open("wb", buffering=0) as full:
            full.write(b"x")

    def move_away():
        (tmp_path / "none").rename(tmp_path / "new")

    def fail():
        raise TimeoutError

    refused = [(tmp_path / "none").read_bytes, fill_the_disk, move_away, fail]

    def work(job, _):
        return refused[job]() if job < len(refused) else job

    done = {end.job: end for end in run({0: set(), 1: set(), 2: set(), 3: set(), 4: {0}, 5: set()}, work)}
    assert {job: str(end.error) for job, end in done.items()} == {
        0: f"{tmp_path}/none: No such file or directory",
        1: "No space left on device",
        2: f"{tmp_path}/none: {tmp_path}/new: No such file or directory",
        3: "TimeoutError",
        4: f"{tmp_path}/none: No such file or directory",
        5: "None",
    }
    assert done[4].aborted_by == 0
    assert isinstance(done[0].error.__cause__, FileNotFoundError)


def test_what_has_the_longest_way_before_it_starts_first():
    needs = {"short": [], "long": [], "first": [], "last": ["first"]}
    takes = {"short": 1.0, "long": 3.0, "first": 1.0, "last": 4.0}
    order = []
    with Serial() as executor:
        ends = execute(
            list(needs), needs.__getitem__, lambda job: job, lambda job, _: order.append(job), lambda _: executor,
            weight=takes.__getitem__,
        )  # fmt: skip
        assert {end.job for end in ends} == set(needs)
    assert order[:3] == ["first", "long", "short"]


def test_what_is_known_is_not_run_and_is_handed_on():
    needs = {0: [], 1: [0]}

    def work(_, inputs):
        return inputs[0] + 1

    with Serial() as executor:
        ends = list(execute([0, 1], needs.__getitem__, lambda job: job, work, lambda _: executor, known={0: 41}))
    assert [(end.job, end.output) for end in ends] == [(1, 42)]
