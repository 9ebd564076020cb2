"""The gauge on real Podman: in every kind of image, with programs of which each is seen by its own column, and others
that are nasty to whoever runs them."""

from __future__ import annotations

import json
import statistics
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from bareboat.check.gauge import Answer, Wanted, ask
from bareboat.engine.containers import Start
from bareboat.podman_engine.session import session
from bareboat.system.folders import find_folders
from bareboat.system.process import Processes
from tests.integration.harbour import BOOK, ROOT, Project, podman

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from bareboat.make.context import JobContext, Program

pytestmark = [pytest.mark.podman, pytest.mark.network]

MANIFEST = """
[package]
name = "acts"
version = "0.1.0"
edition = "2021"

[profile.release]
strip = true
"""
# What it does is said by its first argument; without one it does nothing.
ACTS_RS = r"""
use std::io::{Read, Write};
use std::process::Command;
use std::time::Duration;

fn main() {
    let act = std::env::args().nth(1).unwrap_or_default();
    let me = std::env::current_exe();
    match act.as_str() {
        "" => {}
        "says" => println!("said"),
        "sleeps" => {
            std::thread::sleep(Duration::from_millis(50));
            println!("said");
        }
        "touches" => {
            let mut memory = vec![0_u8; 100_000_000];
            memory.iter_mut().step_by(4096).for_each(|byte| *byte = 1);
            println!("{}", std::hint::black_box(memory).len() / 100_000_000);
        }
        "writes" => {
            let mut out = std::io::stdout().lock();
            (0..64).for_each(|_| out.write_all(&[b'x'; 1 << 16]).unwrap());
        }
        "leaves" => {
            Command::new(me.unwrap()).arg("stays").spawn().unwrap();
        }
        "stays" => std::thread::sleep(Duration::from_secs(600)),
        "ends" => std::process::exit(3),
        "crashes" => std::process::abort(),
        "serves" => {
            std::thread::sleep(Duration::from_millis(50));
            let listener = std::net::TcpListener::bind("0.0.0.0:80").unwrap();
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let _ = stream.read(&mut [0; 1024]);
                std::thread::sleep(Duration::from_millis(50));
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
            }
        }
        other => panic!("{other}"),
    }
}
"""
RECIPES = ("scratch-musl", "scratch-glibc-dynamic", "alpine", "debian-slim", "distroless-static")
CELLS = tuple(f"localhost/bareboat/acts:{recipe}" for recipe in RECIPES)
MS = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Built:
    """The gauge, and what the results of a run with the images have of every cell."""

    gauge: Path
    results: dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    crate = tmp_path_factory.mktemp("gauge") / "acts"
    (crate / "src").mkdir(parents=True)
    (crate / "Cargo.toml").write_text(MANIFEST, encoding="utf-8")
    (crate / "Cargo.lock").write_text(
        'version = 3\n\n[[package]]\nname = "acts"\nversion = "0.1.0"\n', encoding="utf-8"
    )
    (crate / "src" / "main.rs").write_text(ACTS_RS, encoding="utf-8")
    folder = crate.parent / "results"
    recipes = [f"--recipe={recipe}" for recipe in RECIPES]
    done = Project(root=ROOT).invoke(
        "build-matrix", f"--crate={crate}", *recipes, "--bases=bootstrap", f"--results={folder}"
    )
    try:
        assert done.returncode == 0, done.stderr
        results = {file.stem: json.loads(file.read_bytes()) for file in folder.glob("*/*.json")}
        (key,) = {result["provenance"]["made"]["gauge"] for result in results.values()}
        yield Built(gauge=find_folders().programs / key / "program", results=results)
    finally:
        podman("rmi", "--force", "--ignore", *CELLS)


@pytest.fixture(scope="module")
def measure(built: Built) -> Iterator[Callable[..., Answer | str]]:
    """Has the gauge run an act of the program in an image; whether the machine is quiet is not asked."""
    gauge = cast("Program", SimpleNamespace(path=built.gauge))
    with session(Processes(), find_folders(), print) as running:
        context = cast("JobContext", SimpleNamespace(engine=running.engine))

        def measure(*words: str, recipe: str = "scratch-musl", **wanted: Any) -> Answer | str:
            start = Start(image=f"localhost/bareboat/acts:{recipe}", command=words)
            return ask(context, gauge, start, Wanted(**{"program": "/acts", **wanted}))

        yield measure


def answer(said: Answer | str) -> Answer:
    assert isinstance(said, Answer), said
    return said


def middle(said: Answer, name: str) -> float:
    values = [getattr(run, name) for run in said.runs]
    assert None not in values
    return statistics.median(values)


def test_it_is_small(built: Built) -> None:
    assert built.gauge.stat().st_size < 30_000


def test_every_cell_has_its_figures_or_why_not(built: Built) -> None:
    assert set(built.results) == {f"acts@{recipe}" for recipe in RECIPES}
    for result in built.results.values():
        taken = {one["column"]["name"]: one for one in result["measurements"]}
        for name in ("start_up", "peak", "page_faults", "nothing"):
            one = taken[name]
            assert (one["value"] is None) == one["why"].startswith("the machine was busy"), one
            assert one["value"] is None or one["spread"]["runs"] >= 3


@pytest.mark.parametrize("recipe", RECIPES)
def test_it_runs_as_the_images_own_user_read_only_and_without_capabilities(
    measure: Callable[..., Answer | str], recipe: str
) -> None:
    said = answer(measure(recipe=recipe))
    assert said.user == int(BOOK.recipe(recipe).runtime.user.partition(":")[0])
    assert (said.capabilities, said.read_only) == (0, True)
    assert {(run.errno, run.code, run.stopped) for run in said.runs} == {(0, 0, False)}
    assert 3 <= len(said.runs) == len(said.idle_runs)


def test_each_control_is_seen_by_its_own_column(measure: Callable[..., Answer | str]) -> None:
    plain, sleeps, touches = (answer(measure(act)) for act in ("says", "sleeps", "touches"))
    assert middle(sleeps, "output_ns") >= 50 * MS
    assert middle(plain, "output_ns") < 50 * MS
    assert middle(touches, "peak_kib") * 1024 >= 100_000_000
    # Whoever runs them has no memory that would be counted as theirs.
    assert max(middle(plain, "peak_kib"), middle(sleeps, "peak_kib")) < 4096
    assert max(run.peak_kib for run in touches.idle_runs) < 512
    assert middle(touches, "minor_faults") > middle(plain, "minor_faults") + 100
    assert abs(middle(sleeps, "minor_faults") - middle(plain, "minor_faults")) < 20


def test_a_program_that_writes_much_is_read_to_its_end(measure: Callable[..., Answer | str]) -> None:
    said = answer(measure("writes"))
    assert {(run.code, run.stopped) for run in said.runs} == {(0, False)}


def test_what_a_program_leaves_running_is_ended_with_it(measure: Callable[..., Answer | str]) -> None:
    said = answer(measure("leaves", seconds=5.0))
    assert len(said.runs) >= 3
    assert {(run.code, run.stopped) for run in said.runs} == {(0, False)}


def test_an_end_is_told_by_its_code_or_signal(measure: Callable[..., Answer | str]) -> None:
    assert {run.code for run in answer(measure("ends")).runs} == {3}
    assert {run.code for run in answer(measure("crashes")).runs} == {134}


def test_what_cannot_be_executed_says_why_at_once(measure: Callable[..., Answer | str]) -> None:
    (run,) = answer(measure(program="/absent")).runs
    assert (run.errno, run.output_ns) == (2, None)


def test_what_does_not_end_is_ended(measure: Callable[..., Answer | str]) -> None:
    (run,) = answer(measure("stays", seconds=0.2)).runs
    assert (run.stopped, run.signal) == (True, 15)


def test_a_service_is_asked_as_soon_as_it_listens(measure: Callable[..., Answer | str]) -> None:
    said = answer(measure("serves", port=80, seconds=5.0))
    assert middle(said, "connected_ns") >= 50 * MS
    assert middle(said, "answered_ns") >= middle(said, "connected_ns") + 50 * MS
    assert {(run.stopped, run.signal) for run in said.runs} == {(True, 15)}


def test_a_service_that_never_listens_is_not_waited_for_again(measure: Callable[..., Answer | str]) -> None:
    (run,) = answer(measure("stays", port=80, seconds=0.2)).runs
    assert (run.stopped, run.connected_ns) == (True, None)
    (run,) = answer(measure("ends", port=80)).runs[:1]
    assert (run.stopped, run.connected_ns, run.code) == (False, None, 3)
