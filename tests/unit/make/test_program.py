"""Compiles: what cargo's log tells, and what goes into the container that compiles."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace

import pytest

from bareboat.archive import ImageConfig, write_image
from bareboat.engine.fake import FakeEngine
from bareboat.errors import BareboatError
from bareboat.inputs.cargo import Cargo
from bareboat.inputs.crate_files import source_digest
from bareboat.inputs.lock import Pinned
from bareboat.make.context import RootImage
from bareboat.make.program import LARGE_FILE_NAMES, make_program, read_seconds
from bareboat.plan.cargo_commands import STD_PLACE, compile_commands
from bareboat.result.values import Source
from tests.unit.project import HELLO, job_context, plan_of

STD = replace(HELLO, cargo=Cargo(build_std=("std",)))
STD_SOURCE = RootImage(
    status="built",
    note="",
    reference="localhost/std:x",
    source=Source(kind="bootstrap", reference="localhost/std:x", digest="sha256:0"),
    packages=(Pinned(name="rust-web-src", version="1", sha256="a"),),
)
FINISHED = "    Finished `release` profile [optimized] target(s) in"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (f"   Compiling a v0.1.0 (/src)\n{FINISHED} 0.28s\n", 0.28),
        (f"{FINISHED} 2m 05s\n", 125.0),
        (f"{FINISHED} 1.00s\n{FINISHED} 2.00s\n", 2.0),
        ("STEP 4/5: RUN cargo build\n--> Using cache 0123\n", None),
    ],
)
def test_cargo_says_how_long_it_took(text, seconds):
    assert read_seconds(text) == seconds


@pytest.fixture
def engine(tmp_path):
    (tmp_path / "store").mkdir()
    return FakeEngine(folder=tmp_path / "store", program=b"program", program_path="hello-world")


@pytest.fixture
def told():
    """The lines that were said between those of the jobs."""
    return []


@pytest.fixture
def compile_of(engine, tmp_path, told):
    """Compiles a sample on the fake engine, and gives the work that it was."""
    written = write_image([], ImageConfig(), reference="localhost/x:x", to=tmp_path / "toolchain.tar")
    engine.load(tmp_path / "toolchain.tar")
    context = job_context(engine, tmp_path, tell=told.append)
    source = Source(kind="bootstrap", reference="localhost/x:x", digest=written.image_id)
    toolchain = RootImage(
        status="built", note="", reference="localhost/x:x", source=source, packages=STD_SOURCE.packages
    )

    def compile_sample(sample, std=None):
        (cell,) = plan_of("scratch-musl", samples=(sample,)).cells
        made = make_program(context, cell.program, toolchain, std)
        return made, engine.worked[-1]

    return compile_sample


def test_a_compile_has_no_network_and_writes_where_it_must(compile_of):
    made, work = compile_of(HELLO)
    assert (made.status, made.warm, made.path.read_bytes()) == ("built", False, b"program")
    assert (work.network, work.folder, work.writable) == (False, "/src", {"/src", "/target", "/out"})
    assert work.mounts["/src"] != HELLO.folder, "what a build script writes beside its sources is written to a copy"
    assert not work.mounts["/out"].exists()


def test_crates_are_fetched_once_with_a_network_and_compiled_without(compile_of, tmp_path):
    folder = tmp_path / "crate"
    shutil.copytree(HELLO.folder, folder, ignore=shutil.ignore_patterns("target"))
    sample = replace(HELLO, folder=folder, digest=source_digest(folder), needs_crates=True)
    _, work = compile_of(sample)
    assert ("/crates" in work.mounts, "/crates" in work.writable, work.network) == (True, False, False)
    (folder / "src" / "main.rs").write_text("fn main() {}", encoding="utf-8")
    _, again = compile_of(replace(sample, digest=source_digest(folder)))
    assert again.mounts["/crates"] == work.mounts["/crates"]
    assert again.mounts["/target"] == work.mounts["/target"]


def test_two_crates_of_one_name_share_no_target_folder(compile_of, tmp_path):
    # Cargo would take the objects of one for newer than the sources of the other.
    other = tmp_path / "elsewhere" / "hello-world"
    shutil.copytree(HELLO.folder, other, ignore=shutil.ignore_patterns("target"))
    (other / "src" / "main.rs").write_text("fn main() {}", encoding="utf-8")
    works = [compile_of(sample)[1] for sample in (HELLO, replace(HELLO, folder=other, digest=source_digest(other)))]
    for place in ("/src", "/target"):
        assert works[0].mounts[place] != works[1].mounts[place]


@pytest.mark.parametrize(
    ("listed", "crates"),
    [
        (
            "hello-world v0.1.0 (/src)\nring v0.17.14\nrustls v0.23.46\nring v0.17.14 (*)\n\n",
            ("hello-world", "ring", "rustls"),
        ),
        ("", None),
        (None, None),
    ],
)
def test_the_crates_of_a_build_are_those_that_cargo_resolves_for_it(engine, compile_of, listed, crates):
    engine.crates = listed
    cargo = Cargo(features=("fast",), default_features=False)
    made, work = compile_of(replace(HELLO, cargo=cargo, stands_alone=False))
    assert made.crates == crates
    (asked,) = re.findall(r"cargo tree [^>]*", work.command[-1])
    wanted = "--no-default-features --features fast --locked --offline --target x86_64-unknown-linux-musl"
    assert asked == f"cargo tree {wanted} --edges normal,no-proc-macro --prefix none --format '{{p}}' "


def test_a_crate_that_names_no_other_has_none_and_cargo_is_not_asked(compile_of):
    made, work = compile_of(HELLO)
    assert made.crates == ()
    assert "cargo tree" not in work.command[-1]


def test_names_that_the_linker_brought_are_kept_with_the_program(compile_of):
    made, work = compile_of(HELLO)
    assert made.large_file_names == ()
    note = work.mounts["/target"] / "hello-world" / LARGE_FILE_NAMES
    note.parent.mkdir(parents=True)
    note.write_text("lseek64\nopen64\n", encoding="ascii")
    assert compile_of(HELLO)[0].large_file_names == ("lseek64", "open64")


def test_who_asks_for_another_compiler_is_told_once_which_one_compiles(engine, compile_of, told):
    engine.compiler = "rustc 1.95.0 (59807616e 2026-04-14)"
    for channel in (None, "", "stable", "1.95"):
        _, work = compile_of(replace(HELLO, channel=channel))
        assert ("rustup" in work.command[-1]) == (channel is not None)
    assert told == []
    for _ in range(2):
        compile_of(replace(HELLO, channel="1.70.0"))
    (line,) = told
    assert line.startswith("hello-world asks for Rust 1.70.0 in its rust-toolchain file: toolchain ")
    assert line.endswith(" compiles it instead, with rustc 1.95.0")


def test_the_source_of_std_is_mounted_from_its_image(compile_of):
    _, work = compile_of(STD, std=STD_SOURCE)
    assert work.image_mounts == {STD_PLACE: "localhost/bareboat/package/rust-web-src:bootstrap"}
    assert compile_of(HELLO)[1].image_mounts == {}


def test_the_source_of_another_compilers_std_is_refused_before_it_is_compiled(engine, compile_of):
    worked = len(engine.worked)
    with pytest.raises(BareboatError) as caught:
        compile_of(STD, std=replace(STD_SOURCE, packages=(Pinned(name="rust-web-src", version="2", sha256="b"),)))
    assert str(caught.value).startswith("rust-web-src 2 is not of the compiler in localhost/x:x")
    assert "`invoke lock`" in str(caught.value)
    assert len(engine.worked) == worked


@pytest.mark.starts_processes("a shell is asked what it would tell cargo")
def test_an_image_with_rustup_compiles_with_its_own_compiler_whatever_the_crate_asks_for():
    (cell,) = plan_of("scratch-musl", samples=(replace(HELLO, channel="1.70.0"),)).cells
    (first, *_) = compile_commands(cell.program)
    rustup = "rustup() { echo '1.95.0-x86_64-unknown-linux-gnu (default)'; }"
    for function, named in ((rustup, "1.95.0-x86_64-unknown-linux-gnu"), ("PATH=/nowhere", "")):
        said = subprocess.run(
            ["/bin/sh", "-c", f'{function}; {first} && echo "$RUSTUP_TOOLCHAIN"'],
            env={"PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        assert said.stdout == f"{named}\n"
