"""A program's twin: compiled as the program was, apart from it, once, by a rustc that is told to remove no symbol."""

from __future__ import annotations

import subprocess
from dataclasses import replace

import pytest

from bareboat.archive import ImageConfig, write_image
from bareboat.engine.fake import FakeEngine
from bareboat.errors import BareboatError
from bareboat.make.context import RootImage
from bareboat.make.program import make_program
from bareboat.make.twin import make_twin
from bareboat.plan.cargo_commands import compile_commands
from bareboat.result.values import Source
from tests.unit.project import HELLO, job_context, plan_of


class Keeper(FakeEngine):
    """Keeps what stands between cargo and rustc, and answers as a toolchain that has `nm` does."""

    keeper = b""

    def work(self, work, log):
        place = work.mounts["/out"] / "keep-symbols"
        if place.is_file():
            self.keeper = place.read_bytes()
            (work.mounts["/out"] / "names").write_bytes(b"0 t a\n")
            (work.mounts["/out"] / "readable").write_bytes(b"0 t core::a\n")
        super().work(work, log)


@pytest.fixture
def engine(tmp_path):
    (tmp_path / "store").mkdir()
    return Keeper(folder=tmp_path / "store", program=b"program", program_path="hello-world")


@pytest.fixture
def parts(engine, tmp_path):
    """The context, the job and the toolchain of a compile on the fake engine."""
    written = write_image([], ImageConfig(), reference="localhost/x:x", to=tmp_path / "toolchain.tar")
    engine.load(tmp_path / "toolchain.tar")
    source = Source(kind="bootstrap", reference="localhost/x:x", digest=written.image_id)
    toolchain = RootImage(status="built", note="", reference="localhost/x:x", source=source, packages=())
    (cell,) = plan_of("scratch-musl", samples=(HELLO,)).cells
    return job_context(engine, tmp_path), cell.program, toolchain


def test_it_is_compiled_as_the_program_was_and_apart_from_it(engine, parts):
    context, job, toolchain = parts
    make_program(context, job, toolchain)
    program = engine.worked[-1]
    made = make_twin(context, job, toolchain, lambda _: None)
    twin = engine.worked[-1]
    assert (made.content, made.names, made.map) == (b"program", (b"0 t a\n", b"0 t core::a\n"), b"")
    assert twin.mounts["/target"] != program.mounts["/target"]
    assert (twin.image, twin.folder, twin.network) == (program.image, program.folder, False)
    for command in compile_commands(job):
        assert command in program.command[-1]
        assert command in twin.command[-1]


def test_it_is_compiled_once_and_that_is_told(engine, parts):
    told = []
    for _ in range(2):
        make_twin(*parts, told.append)
    assert len(engine.worked) == 1
    assert [line.partition(";")[0] for line in told] == [
        "program hello-world musl static in gnu: compiling its twin, the same with its symbols"
    ]


def test_on_another_machine_there_is_none(engine, parts):
    context, job, toolchain = parts
    with pytest.raises(BareboatError, match="the engine is on another machine, where no twin can be compiled"):
        make_twin(replace(context, remote=True), job, toolchain, lambda _: None)
    assert engine.worked == []


@pytest.mark.starts_processes("a shell runs what stands between cargo and rustc")
@pytest.mark.parametrize(
    ("given", "gets"),
    [
        ("-C strip=symbols -C opt-level=3", "-C strip=none -C opt-level=3"),
        ("-Cstrip=debuginfo", "-Cstrip=none"),
        ("-C link-arg=-s -Clink-arg=-Wl,--strip-all", "-C strip=none -Cstrip=none"),
        ("--crate-type lib src/strip=lib.rs", "--crate-type lib src/strip=lib.rs"),
        ("--crate-type bin x.rs", "--crate-type bin x.rs -C link-arg=-Wl,-Map=/target/hello-world.map"),
    ],
)
def test_rustc_is_told_to_remove_no_symbol_and_nothing_else(engine, parts, tmp_path, given, gets):
    make_twin(*parts, lambda _: None)
    keeper = tmp_path / "keeper"
    keeper.write_bytes(engine.keeper)
    keeper.chmod(0o755)
    said = subprocess.run([keeper, "/bin/echo", *given.split()], capture_output=True, text=True, check=True).stdout
    assert said == f"{gets}\n"
