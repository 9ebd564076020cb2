"""How long a program takes to compile: what the container is given each time, and what is kept."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import pytest

from bareboat.archive import ImageConfig, write_image
from bareboat.engine.fake import FakeEngine
from bareboat.errors import EngineError, StoppedError
from bareboat.make.compile_times import read_compiles
from bareboat.make.context import RootImage
from bareboat.make.program import make_program
from bareboat.result.measurement import Reading
from bareboat.result.values import Source
from tests.unit.project import HELLO, job_context, plan_of


@dataclass(kw_only=True)
class TimedEngine(FakeEngine):
    """A fake whose cargo says how long it took, where its program's main is, and leaves something in its folder."""

    seconds: list[str]
    main: str = "/src/src/main.rs"
    said: list[tuple[bool, str]] = field(default_factory=list)  # of each compile: an empty target folder, the main

    def work(self, work, log):
        super().work(work, log)
        if "cargo metadata" not in work.command[-1]:
            return
        target = work.mounts["/target"]
        main = (work.mounts["/src"] / "src/main.rs").read_text(encoding="utf-8")
        self.said.append((not any(target.iterdir()), main))
        (target / "object").write_text("compiled", encoding="utf-8")
        package = {
            "name": "hello-world",
            "manifest_path": "/src/Cargo.toml",
            "targets": [{"name": "hello-world", "kind": ["bin"], "src_path": self.main}],
        }
        said = json.dumps({"packages": [package], "workspace_root": "/src"})
        (work.mounts["/out"] / "metadata").write_text(said, encoding="utf-8")
        seconds = self.seconds.pop(0)
        if seconds == "stop":
            raise StoppedError("stopped")
        if seconds == "fail":
            raise EngineError("podman run", 101, ["error: no space left"], log)
        log.write_text(f"    Finished `release` profile [optimized] target(s) in {seconds}\n", encoding="utf-8")


@pytest.fixture
def engine(tmp_path):
    (tmp_path / "store").mkdir()
    return TimedEngine(folder=tmp_path / "store", program=b"program", program_path="hello-world", seconds=[])


@pytest.fixture
def read_of(engine, tmp_path):
    """Asks a run for the times of hello-world."""
    written = write_image([], ImageConfig(), reference="localhost/x:x", to=tmp_path / "toolchain.tar")
    engine.load(tmp_path / "toolchain.tar")
    source = Source(kind="bootstrap", reference="localhost/x:x", digest=written.image_id)
    toolchain = RootImage(status="built", note="", reference="localhost/x:x", source=source, packages=())
    (cell,) = plan_of("scratch-musl").cells
    program = make_program(job_context(engine, tmp_path), cell.program, toolchain)

    def read(*seconds, times=1, **options):
        engine.seconds[:] = seconds
        context = job_context(engine, tmp_path, **options)
        readings = [read_compiles(context, cell.program, program) for _ in range(times)]
        assert not any(context.folders.scratch.iterdir()), "what it needed is gone"
        assert len(set(readings)) == 1
        return readings[0]

    return read


def test_a_long_compile_is_done_once_cold_and_once_with_a_changed_main(engine, read_of):
    before = (HELLO.folder / "src/main.rs").read_text(encoding="utf-8")
    assert read_of("1m 02s", "12.50s") == (Reading(value=62.0), Reading(value=12.5))
    (cold, plain), (warm, changed) = engine.said
    assert (cold, plain, warm) == (True, before, False)
    assert changed.startswith(before)
    assert changed != before
    assert (HELLO.folder / "src/main.rs").read_text(encoding="utf-8") == before


def test_a_short_one_is_done_three_times_each_in_an_empty_folder_or_of_another_line(engine, read_of):
    assert read_of("0.30s", "0.10s", "0.20s", "11.00s") == (Reading(value=0.2), Reading(value=11.0))
    assert [cold for cold, _ in engine.said] == [True, True, True, False]
    engine.said.clear()
    assert read_of("10.00s", "0.03s", "0.01s", "0.02s", force=True) == (Reading(value=10.0), Reading(value=0.02))
    assert [cold for cold, _ in engine.said] == [True, False, False, False]
    assert len({main for _, main in engine.said}) == 4, "every compile is of another text"


def test_the_folders_are_those_of_no_other_compile(engine, read_of):
    read_of("20s", "20s")
    kept, *timed = [work for work in engine.worked if "/out" in work.writable]
    for place in ("/src", "/target", "/out"):
        assert kept.mounts[place] not in {work.mounts[place] for work in timed}
    assert all(work.network is False and work.image == kept.image for work in timed)


def test_cells_and_later_runs_share_what_was_taken(engine, read_of):
    taken = read_of("20.00s", "15.00s", times=3)
    assert read_of() == taken
    assert len(engine.said) == 2
    assert read_of("40.00s", "30.00s", times=3, force=True) == (Reading(value=40.0), Reading(value=30.0))


@pytest.mark.parametrize(
    ("seconds", "main", "why"),
    [
        (["fail"], "/src/src/main.rs", "error: no space left"),
        (["20s"], "/elsewhere/main.rs", "the root source file of hello-world is not among its sources: /elsewhere"),
        (["20s"], "/src/../main.rs", "the root source file of hello-world is not among its sources"),
        (["no time at all"], "/src/src/main.rs", "cargo does not say how long it took"),
    ],
)
def test_what_cannot_be_taken_says_why_and_is_tried_again(engine, read_of, seconds, main, why):
    engine.main = main
    readings = read_of(*seconds)
    assert all(reading.value is None and reading.why.startswith(why) for reading in readings)
    engine.main = "/src/src/main.rs"
    assert read_of("20s", "20s") == (Reading(value=20.0), Reading(value=20.0))


def test_an_engine_elsewhere_takes_none(engine, read_of):
    assert all("another machine" in reading.why for reading in read_of(remote=True))
    assert not engine.said


def test_a_stopped_run_is_stopped(read_of):
    with pytest.raises(StoppedError):
        read_of("stop")
