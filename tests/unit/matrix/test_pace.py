"""What jobs took is kept, and what takes longest starts first."""

from __future__ import annotations

import pytest

from bareboat.matrix.pace import Pace, Pools
from bareboat.plan.jobs import ImageJob, ProbeJob, ProgramJob, RootJob
from tests.unit.project import plan_of

PLAN = plan_of("scratch-musl", "debian")


def jobs_of(kind):
    return [job for job in PLAN.jobs if isinstance(job, kind)]


def test_what_a_job_took_is_known_to_the_next_run(tmp_path):
    job = jobs_of(ProgramJob)[0]
    pace = Pace.read(tmp_path / "pace.json")
    unknown = pace.of(job)
    pace.seconds[job.id] = 3.5
    pace.keep(tmp_path / "pace.json")
    assert Pace.read(tmp_path / "pace.json").of(job) == 3.5 != unknown


DAMAGED = ("", "[]", "null", '{"a": "x"}', '{"a": [1]}', "[" * 100_000, f'{{"a": 1{"0" * 400}}}')


@pytest.mark.parametrize("text", DAMAGED, ids=range(len(DAMAGED)))
def test_of_a_damaged_file_nothing_is_known(tmp_path, text):
    path = tmp_path / "pace.json"
    path.write_text(text, encoding="utf-8")
    assert Pace.read(path) == Pace()


def test_where_nothing_was_seen_bases_take_longest_and_then_compiles():
    pace = Pace()
    root, program, image = (pace.of(jobs_of(kind)[0]) for kind in (RootJob, ProgramJob, ImageJob))
    assert root > program > image
    # An image from scratch is run once more, to see what it opens.
    scratch, debian = (
        next(job for job in jobs_of(ImageJob) if job.cell.recipe.name == name) for name in ("scratch-musl", "debian")
    )
    assert pace.of(scratch) > pace.of(debian)
    assert pace.of(ProbeJob(cell=scratch.cell)) > pace.of(scratch)


def test_images_wait_for_no_compile():
    pools = Pools(1)
    try:
        compiling = pools.of(jobs_of(ProgramJob)[0])
        assert pools.of(jobs_of(RootJob)[0]) is compiling
        assert pools.of(jobs_of(ImageJob)[0]) is not compiling
    finally:
        pools.close()
