"""What jobs took is kept, and what takes longest starts first."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bareboat.matrix.pace import Pace, Pools
from bareboat.plan.jobs import ImageJob, ProgramJob, RootJob, TimedJob
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
    root, program, image = (jobs_of(kind)[0] for kind in (RootJob, ProgramJob, ImageJob))
    with_crates = replace(program, sample=replace(program.sample, needs_crates=True))
    assert pace.of(root) > pace.of(with_crates) > pace.of(program) > pace.of(image)
    # An image from scratch is run once more, to see what it opens.
    scratch, debian = (
        next(job for job in jobs_of(ImageJob) if job.cell.recipe.name == name) for name in ("scratch-musl", "debian")
    )
    assert pace.of(scratch) > pace.of(debian)
    assert pace.of(TimedJob(cell=scratch.cell)) > pace.of(scratch)


@pytest.mark.parametrize(("seconds", "exact", "beside"), [(60.0, False, False), (0.5, False, True), (0.5, True, False)])
def test_images_wait_for_no_compile_and_a_short_one_for_none(seconds, exact, beside):
    root, program, image = (jobs_of(kind)[0] for kind in (RootJob, ProgramJob, ImageJob))
    pools = Pools(1, Pace({program.id: seconds}), exact=exact)
    try:
        assert pools.of(root) is not pools.of(image)
        assert (pools.of(program) is pools.of(image)) == beside
        assert (pools.of(program) is pools.of(root)) != beside
    finally:
        pools.close()
