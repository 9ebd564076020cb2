"""What is said of a run's end is worked out of what its jobs took before."""

from __future__ import annotations

import os

import pytest

from bareboat.matrix.outlook import Outlook, about
from bareboat.matrix.pace import Pace
from bareboat.plan.jobs import TimedJob
from tests.unit.project import plan_of

JOBS = plan_of("scratch-musl", "debian").jobs
TIMED = [job for job in JOBS if isinstance(job, TimedJob)]


def test_what_works_side_by_side_is_shared_and_what_is_timed_comes_alone():
    pace = Pace({job.id: 2.0 if isinstance(job, TimedJob) else 10.0 for job in JOBS})
    together = 10.0 * (len(JOBS) - len(TIMED))
    assert Outlook(JOBS, pace, 1).left({}) == together + 2.0 * len(TIMED)
    assert Outlook(JOBS, pace, 2).left({}) == together / 2 + 2.0 * len(TIMED)


def test_a_run_takes_at_least_as_long_as_its_longest_job():
    pace = Pace({job.id: 1.0 for job in JOBS} | {JOBS[0].id: 300.0})
    assert Outlook(JOBS, pace, 16).left({}) == 300.0 + len(TIMED)
    assert Outlook(JOBS, pace, 16).left({JOBS[0].id: 100.0}) == 200.0 + len(TIMED)


def test_a_job_that_takes_longer_than_before_is_about_to_end():
    one = JOBS[:1]
    assert Outlook(one, Pace({one[0].id: 5.0})).left({one[0].id: 60.0}) == 0.0


def test_a_job_that_was_never_done_takes_what_its_kind_takes_and_nothing_is_said_where_none_was():
    pace = Pace({"toolchain other": 40.0, "toolchain another": 60.0})
    outlook = Outlook(JOBS, pace)
    assert outlook.of("toolchain gnu") == 50.0
    assert outlook.of("base debian") is None
    assert outlook.left({}) is None
    assert Outlook().left({}) is None


def test_a_run_teaches_what_its_jobs_take():
    outlook = Outlook(TIMED, Pace())
    assert outlook.left({}) is None
    outlook.ended(TIMED[0].id, 4.0)
    assert outlook.left({}) == 4.0 * (len(TIMED) - 1)


def test_what_ended_without_work_teaches_nothing():
    outlook = Outlook(TIMED, Pace({TIMED[0].id: 3.0, TIMED[1].id: 3.0}))
    outlook.ended(TIMED[0].id, 0.0)
    assert (outlook.of(TIMED[0].id), outlook.left({})) == (3.0, 3.0)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("", ""),
        ("\n\n", ""),
        ("I: extracting archives...\n", "extracting archives..."),
        ("one\n   Compiling serde v1.0.0\n \n", "Compiling serde v1.0.0"),
        ("10 %\r20 %\r", "20 %"),
        ("x" * 9000 + "\nlast\n", "last"),
    ],
)
def test_what_a_job_does_is_the_last_line_of_its_log(tmp_path, written, said):
    log = tmp_path / "job.log"
    log.write_text(written, encoding="utf-8")
    os.utime(log, (1000.0, 1000.0))
    outlook = Outlook(logs={"job": log, "other": tmp_path / "absent.log"})
    assert outlook.phase("job", 999.0) == said
    assert outlook.phase("job", 1001.0) == ""  # an earlier run's
    assert outlook.phase("other", 0.0) == outlook.phase("unknown", 0.0) == ""


def test_a_forecast_is_no_more_exact_than_it_is_sure():
    assert [about(seconds) for seconds in (0.0, 59.0, 60.0, 61.0, 400.0)] == [
        *("less than 1 min", "less than 1 min", "about 1 min", "about 2 min", "about 7 min"),
    ]
