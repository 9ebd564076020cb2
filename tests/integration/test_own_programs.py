"""Programs of a user who says nothing of them: what they do by themselves, what they lack, and what to ship them on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from bareboat.system.folders import find_state
from tests.integration.harbour import ROOT, Project, podman, root_filesystem, rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

# No crate is fetched, but where no test has run before, the bases are made from packages.
pytestmark = [pytest.mark.podman, pytest.mark.network]

BOOTSTRAP = "--bases=bootstrap"
SERVE_RS = r"""
fn serve() {
    let port = std::env::var("PORT").unwrap_or("8080".to_string());
    let listener = std::net::TcpListener::bind(format!("0.0.0.0:{port}")).unwrap();
    for stream in listener.incoming() {
        let mut stream = stream.unwrap();
        let _ = std::io::Read::read(&mut stream, &mut [0; 1024]);
        let _ = std::io::Write::write_all(&mut stream, b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n");
    }
}
"""
USAGE_RS = """
fn main() {
    let Some(name) = std::env::args().nth(1) else {
        eprintln!("Usage: usage NAME");
        std::process::exit(2);
    };
    println!("Hello, {name}!");
}
"""
ZONE_RS = """
fn main() {
    let path = "/usr/share/zoneinfo/Europe/Vienna";
    let zone = std::fs::read(path).unwrap_or_else(|error| panic!("cannot read {path}: {error}"));
    println!("{} bytes", zone.len());
}
"""
WRITES_RS = """
fn main() {
    let path = "/tmp/x";
    std::fs::write(path, "x").unwrap_or_else(|error| panic!("cannot write {path}: {error}"));
}
"""
LOOKUP_RS = """
fn main() {
    let found = std::net::ToSocketAddrs::to_socket_addrs("example.com:80").expect("lookup");
    println!("{}", found.count());
}
"""
# As rustls-native-certs and what builds upon it say it.
CERTS_RS = """
fn main() {
    let found = std::fs::read("/etc/ssl/certs/ca-certificates.crt");
    println!("{}", found.expect("could not load platform certs").len() > 100_000);
}
"""
DLOPEN_RS = """
use std::ffi::{c_char, c_int, c_void, CStr};
extern "C" {
    fn dlopen(name: *const c_char, flags: c_int) -> *mut c_void;
    fn dlerror() -> *const c_char;
}
fn main() {
    if unsafe { dlopen(c"libz.so.1".as_ptr(), 2) }.is_null() {
        eprintln!("Error: {}", unsafe { CStr::from_ptr(dlerror()) }.to_string_lossy());
        std::process::exit(1);
    }
}
"""
PROGRAMS = {
    "usage": USAGE_RS,
    "three": "fn main() { std::process::exit(3) }\n",
    "serves": f"{SERVE_RS}fn main() {{ serve() }}\n",
    "zone": ZONE_RS,
    "writes": WRITES_RS,
    "lookup": LOOKUP_RS,
    "certs": CERTS_RS,
}
BASES = ("scratch-musl", "scratch-musl-net", "debian-slim")

# What ends a process is no work of its handler: _exit(2) is one of the few things that a handler may do.
HEEDS_RS = r"""
extern "C" {
    fn signal(number: i32, handler: usize) -> usize;
    fn _exit(code: i32) -> !;
}
extern "C" fn end(_: i32) {
    unsafe { _exit(0) }
}
fn main() {
    unsafe { signal(15, end as *const () as usize) };
    serve()
}
"""
# The number of arguments is known to no compiler, so that no figure of it is computed beforehand.
SINES_RS = """
fn main() {
    let count = std::env::args().count() as f64;
    println!("{} {}", count.sin(), (count as f32 + 0.5).powf(count as f32 * 1.5));
}
"""
LIBM = "libm.so.6"

SERVER_TOML = """
[package]
name = "server"
version = "0.1.0"
edition = "2021"

[dependencies]
shared = { path = "../shared" }
"""
SHARED_TOML = '[package]\nname = "shared"\nversion = "0.1.0"\nedition = "2021"\n'
WORKSPACE_LOCK = """
version = 4

[[package]]
name = "server"
version = "0.1.0"
dependencies = ["shared"]

[[package]]
name = "shared"
version = "0.1.0"
"""
WORKSPACE = {
    "Cargo.toml": '[workspace]\nresolver = "2"\nmembers = ["server", "shared"]\n',
    "Cargo.lock": WORKSPACE_LOCK,
    "shared/Cargo.toml": SHARED_TOML,
    "shared/src/lib.rs": "pub const CODE: i32 = 4;\n",
    "server/Cargo.toml": SERVER_TOML,
    "server/src/main.rs": 'fn main() { println!("{}", shared::CODE) }\n',
    "server/src/bin/tool.rs": "fn main() { std::process::exit(shared::CODE) }\n",
}


def write(folder: Path, contents: dict[str, str]) -> Path:
    for name, content in contents.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content, encoding="utf-8")
    return folder


def write_crate(folder: Path, sources: dict[str, str], more: str = "") -> Path:
    """A crate without dependencies, which is called as its folder is."""
    package = f'name = "{folder.name}"\nversion = "0.1.0"\n'
    manifest = f'[package]\n{package}edition = "2021"\n\n{more}'
    return write(folder, {"Cargo.toml": manifest, "Cargo.lock": f"version = 4\n[[package]]\n{package}", **sources})


def build(*words: str) -> subprocess.CompletedProcess[str]:
    return Project(root=ROOT).invoke("build-matrix", *words, BOOTSTRAP)


def remove(*cells: tuple[str, str]) -> None:
    """Remove the images of cells, each a sample and a base, as far as they are there."""
    podman("rmi", "--force", "--ignore", *(f"localhost/bareboat/{sample}:{base}" for sample, base in cells))


class Several:
    """One crate with many programs, all of them built by one command; the folder of it and its results."""

    def __init__(self, folder: Path, programs: Mapping[str, str] = PROGRAMS, recipes: Iterable[str] = BASES) -> None:
        self.crate = write_crate(
            folder / "several", {f"src/bin/{name}.rs": content for name, content in programs.items()}
        )
        self.results = f"--results={folder / 'results'}"
        bases = tuple(f"--recipe={base}" for base in recipes)
        self.words = (f"--crate={self.crate}", *bases, self.results)
        self.answer = build("--all-bins", "--format=json", *self.words)

    def row(self, program: str, base: str) -> dict[str, Any]:
        assert self.answer.returncode == 1, self.answer.stderr
        return rows(self.answer, f"several-{program}")[base]

    def told(self, program: str, *more: str) -> list[str]:
        """The lines of the text answer on one program, which is measured already but for what `more` asks for."""
        answer = build(f"--bin={program}", *self.words, *more)
        assert more or "nothing to do" in answer.stderr, answer.stderr
        return answer.stdout.splitlines()


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Several]:
    try:
        yield Several(tmp_path_factory.mktemp("own"))
    finally:
        remove(*((f"several-{program}", base) for program in PROGRAMS for base in (*BASES, "alpine")))


@pytest.mark.parametrize(("program", "code"), [("usage", 2), ("three", 3)])
@pytest.mark.parametrize("base", ["scratch-musl", "debian-slim"])
def test_a_program_may_end_with_a_code_of_its_own(several: Several, program: str, code: int, base: str) -> None:
    row = several.row(program, base)
    assert row["outcome"] == "passed", row["reason"]
    assert (row["exit_code"], row["running"]) == (code, False)
    assert (row["ports"], row["answers"], row["stop_seconds"]) == (None, None, None)


@pytest.mark.parametrize("base", BASES)
def test_a_service_is_asked_and_one_that_does_not_heed_sigterm_is_told_of(several: Several, base: str) -> None:
    row = several.row("serves", base)
    assert row["outcome"] == "passed", row["reason"]
    assert (row["running"], row["ports"], row["answers"]) == (True, "8080", "HTTP 200")
    assert (row["exit_code"], row["stop_seconds"]) == (None, None)
    assert row["listen_seconds"] < 5


@pytest.mark.parametrize(
    ("program", "lacks", "provision"),
    [
        ("zone", "the time zones' data", "tz"),
        ("writes", "a folder for temporary files", "tmp"),
        ("certs", "the certificates of authorities", "certs"),
    ],
)
def test_what_a_program_lacks_from_scratch_is_told_and_comes_aboard(
    several: Several, program: str, lacks: str, provision: str
) -> None:
    bare, whole = (several.row(program, base) for base in ("scratch-musl", "scratch-musl-net"))
    told = f"once more with provision '{provision}', because it lacks {lacks}: several-{program}@scratch-musl\n"
    assert told in several.answer.stderr
    assert (bare["outcome"], bare["exit_code"], bare["mended"]) == ("passed", 0, provision), bare["reason"]
    assert (whole["outcome"], whole["exit_code"], whole["mended"]) == ("passed", 0, None), whole["reason"]


def test_debian_has_a_folder_for_temporary_files(several: Several) -> None:
    row = several.row("writes", "debian-slim")
    assert (row["outcome"], row["exit_code"]) == ("passed", 0), row["reason"]


@pytest.mark.parametrize("base", BASES)
def test_a_program_that_looks_up_a_name_is_told_that_runs_have_no_network(several: Several, base: str) -> None:
    row = several.row("lookup", base)
    assert (row["outcome"], row["stage"]) == ("failed", "run")
    assert row["reason"].startswith("it lacks a network: runs have none but loopback; --network gives it one")


def test_the_text_ends_with_the_base_to_take_and_with_what_breaks_where(several: Several) -> None:
    works, lacks, serves = several.told("usage"), several.told("zone", "--recipe=alpine"), several.told("serves")
    (place,) = (place for place, line in enumerate(works) if line.startswith("Take scratch-musl ("))
    assert works[place + 1].startswith("Next best is scratch-musl-net (")
    assert max(place for place, line in enumerate(works) if line.startswith("Measured on ")) < place
    (take,) = (line for line in lacks if line.startswith("Take scratch-musl ("))
    assert "with provision 'tz', without which it lacks the time zones' data" in take
    # What is made of another's image is left as it is.
    assert "Not on alpine: it lacks the time zones' data; provision 'tz' brings it aboard." in lacks
    (service,) = (line for line in serves if line.startswith("It listens on 8080 (HTTP 200) after "))
    assert "does not heed SIGTERM" in service


def test_a_service_listens_where_its_environment_says_and_ends_when_it_is_told_to(tmp_path: Path) -> None:
    port = '[package.metadata.bareboat.env]\nPORT = "9000"\n'
    crate = write_crate(tmp_path / "heeds", {"src/main.rs": SERVE_RS + HEEDS_RS}, port)
    words = (f"--crate={crate}", "--recipe=scratch-musl", f"--results={tmp_path / 'results'}")
    try:
        answer = build("--format=json", *words)
        row = rows(answer, "heeds")["scratch-musl"]
        assert (answer.returncode, row["outcome"]) == (0, "passed"), row["reason"]
        assert (row["running"], row["ports"], row["answers"]) == (True, "9000", "HTTP 200")
        assert row["exit_code"] == 0
        assert 0 <= row["stop_seconds"] < 3
    finally:
        remove(("heeds", "scratch-musl"))


def test_a_library_that_a_program_is_linked_to_comes_aboard(tmp_path: Path) -> None:
    base = "scratch-glibc-dynamic"
    crate = write_crate(tmp_path / "sines", {"src/main.rs": SINES_RS})
    words = (f"--crate={crate}", f"--recipe={base}", "--format=json")
    try:
        bare = rows(build(*words, "--no-complete", f"--results={tmp_path / 'bare'}"), "sines")[base]
        assert bare["outcome"] == "failed"
        assert bare["reason"].startswith(f"{LIBM} is not in the image")
        # The results go where they go without an option, for there the other command looks for them.
        first = build(*words)
        row = rows(first, "sines")[base]
        assert (first.returncode, row["outcome"], row["exit_code"]) == (0, "passed", 0), row["reason"]
        assert row["completed"].endswith(f"/{LIBM}")
        aboard = root_filesystem(f"localhost/bareboat/sines:{base}", tmp_path)
        assert row["completed"].lstrip("/") in aboard
        second = build(*words)
        assert "nothing to do: all 1 cells are unchanged" in second.stderr
        assert rows(second, "sines")[base] == row
        whole = Project(root=ROOT).invoke("containerfile", base, f"--crate={crate}", BOOTSTRAP)
        assert whole.returncode == 0, whole.stderr
        copies = [line for line in whole.stdout.splitlines() if line.startswith("COPY ")]
        assert [line.split()[-1] for line in copies if LIBM in line] == [row["completed"]]
    finally:
        for kept in (find_state() / "results").glob(f"*/*/sines@{base}.json"):
            kept.unlink()
        remove(("sines", base))


def test_a_library_that_a_program_loads_while_it_runs_comes_aboard_where_the_toolchain_has_it(tmp_path: Path) -> None:
    crate = write_crate(tmp_path / "loads", {"src/main.rs": DLOPEN_RS})
    bases = ("scratch-glibc-dynamic", "scratch-musl-dynamic")
    recipes = tuple(f"--recipe={base}" for base in bases)
    lacks = "it lacks library libz.so.1, which it loads while it runs"
    try:
        answer = build(f"--crate={crate}", *recipes, f"--results={tmp_path / 'results'}", "--format=json")
        told = f"once more with libz.so.1, because {lacks}: loads@scratch-glibc-dynamic"
        assert told in answer.stderr
        found = rows(answer, "loads")
        assert (found[bases[0]]["outcome"], found[bases[0]]["mended"]) == ("passed", "libz.so.1")
        assert found[bases[0]]["completed"].endswith("/libz.so.1")
        # The toolchain's is of another libc.
        assert (found[bases[1]]["outcome"], found[bases[1]]["reason"]) == ("failed", lacks)
        assert found[bases[1]]["mended"] is None
    finally:
        remove(*(("loads", base) for base in bases))


OLD_NAMES_RS = """
extern "C" {
    fn open64(path: *const u8, flags: i32, ...) -> i32;
    fn lseek64(descriptor: i32, offset: i64, whence: i32) -> i64;
}
fn main() {
    let length = unsafe { lseek64(open64(b"/proc/self/exe\\0".as_ptr(), 0), 0, 2) };
    std::process::exit(if length > 10_000 { 0 } else { 9 });
}
"""


@pytest.mark.parametrize("base", ["scratch-musl", "scratch-musl-dynamic"])
def test_names_that_musl_dropped_are_linked_and_told(tmp_path: Path, base: str) -> None:
    # As every lock does whose libc crate is from before 0.2.146.
    crate = write_crate(tmp_path / "oldnames", {"src/main.rs": OLD_NAMES_RS})
    try:
        built = build(f"--crate={crate}", f"--recipe={base}", f"--results={tmp_path / 'results'}")
        assert (built.returncode, f"On {base} it asks for lseek64, open64," in built.stdout) == (0, True), built.stdout
    finally:
        remove(("oldnames", base))


CRYPTO_RS = """
#[link(name = "crypto")]
extern "C" {
    fn OpenSSL_version_num() -> std::ffi::c_ulong;
}
fn main() {
    println!("{:x}", unsafe { OpenSSL_version_num() });
}
"""


def test_a_library_of_c_comes_aboard_on_a_base_that_has_it_not(tmp_path: Path) -> None:
    base = "distroless-cc"
    crate = write_crate(tmp_path / "ciphers", {"src/main.rs": CRYPTO_RS})
    words = (f"--crate={crate}", f"--recipe={base}", f"--results={tmp_path / 'results'}")
    try:
        row = rows(build(*words, "--format=json"), "ciphers")[base]
        assert (row["outcome"], row["exit_code"]) == ("passed", 0), row["reason"]
        assert "/usr/lib/x86_64-linux-gnu/libcrypto.so.3" in row["completed"].split(", ")
    finally:
        remove(("ciphers", base))


def test_a_library_that_the_toolchain_lacks_is_told_with_its_package(tmp_path: Path) -> None:
    crate = write_crate(tmp_path / "asks", {"src/main.rs": CRYPTO_RS.replace("crypto", "pq")})
    answer = build(f"--crate={crate}", "--recipe=debian-slim", f"--results={tmp_path / 'results'}")
    assert answer.returncode == 1
    assert "the toolchain lacks library pq: package libpq-dev has it" in answer.stderr
    assert 'toolchain-packages = ["libpq-dev"]' in answer.stdout
    assert "Not on debian-slim: the toolchain lacks library pq: package libpq-dev has it." in answer.stdout


def test_a_crate_without_a_lock_gets_one_in_a_copy(tmp_path: Path) -> None:
    crate = write_crate(tmp_path / "lockless", {"src/main.rs": USAGE_RS}).rename(tmp_path / "frei wählbar")
    (crate / "Cargo.lock").unlink()
    before = sorted(crate.rglob("*"))
    words = (f"--crate={crate}", "--recipe=scratch-musl", f"--results={tmp_path / 'results'}")
    try:
        first = build(*words)
        assert first.returncode == 0, first.stderr
        assert f"{crate} has no Cargo.lock: cargo makes one for a copy" in first.stderr
        second = build(*words)
        assert "nothing to do: all 1 cells are unchanged" in second.stderr
        assert "has no Cargo.lock" not in second.stderr
        assert sorted(crate.rglob("*")) == before
    finally:
        remove(("lockless", "scratch-musl"))


class Workspace:
    """A workspace, and the command as its user gives it: in its folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = write(folder / "my wörk space", WORKSPACE)
        self.results = f"--results={folder / 'results'}"

    def build(self, *words: str) -> subprocess.CompletedProcess[str]:
        options = ("--recipe=scratch-musl", "--format=json", BOOTSTRAP, self.results)
        return subprocess.run(
            [sys.executable, "-P", "-m", "bareboat", "build-matrix", *options, *words],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    try:
        yield Workspace(tmp_path)
    finally:
        remove(("server", "scratch-musl"), ("server-tool", "scratch-musl"))


def test_the_programs_of_a_workspace_are_built_by_name_or_all(workspace: Workspace) -> None:
    one = workspace.build("--bin=tool")
    assert one.returncode == 0, one.stdout + one.stderr
    found = [(row["sample"], row["outcome"], row["exit_code"]) for row in json.loads(one.stdout)]
    assert found == [("server-tool", "passed", 4)]
    both = workspace.build("--all-bins")
    assert both.returncode == 0, both.stdout + both.stderr
    found = [(row["sample"], row["outcome"], row["exit_code"]) for row in json.loads(both.stdout)]
    assert found == [("server", "passed", 0), ("server-tool", "passed", 4)]


def test_without_a_choice_a_workspace_tells_what_there_is_to_choose(workspace: Workspace) -> None:
    unclear = workspace.build()
    assert (unclear.returncode, unclear.stdout) == (2, "")
    for word in ("--bin", "server", "tool"):
        assert word in unclear.stderr
    library = workspace.build("--package=shared")
    assert (library.returncode, library.stdout) == (2, "")
    assert "is a library" in library.stderr


def test_what_cargo_says_of_a_broken_member_is_told_in_its_own_words(workspace: Workspace) -> None:
    write(workspace.folder, {"shared/Cargo.toml": SHARED_TOML.replace('"shared"', "shared")})
    broken = workspace.build("--bin=tool")
    assert (broken.returncode, broken.stdout) == (2, "")
    assert "cargo refuses what is in " in broken.stderr
    assert "shared/Cargo.toml" in broken.stderr
    assert "name = shared\n" in broken.stderr, "the line that cargo shows"
    assert "Traceback" not in broken.stderr
