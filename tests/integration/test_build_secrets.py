"""What the host's cargo configuration has of secrets stays in it: after a build, and after one that was killed."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import secrets
import signal
import socket
import subprocess
import tarfile
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bareboat.podman_engine.settings import podman_environment
from bareboat.system.folders import find_folders
from tests.integration.harbour import ROOT, Project, invocation, podman

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = [pytest.mark.podman, pytest.mark.network]

PATIENCE_SECONDS = 120
# How soon after Bareboat's end everything that it started has ended, too.
SETTLED_SECONDS = 5
RECIPES = ("--recipe=scratch-musl", "--recipe=scratch-glibc")
# What a program of the crate names of its dependency, wherever either was when it was compiled.
DEPENDENCY = b"/crates/vendor/tiny/src/lib.rs"
MAIN_RS = 'fn main() { println!("{}{}", tiny::word(), if cfg!(marked) { ", marked" } else { "" }); }\n'
CARGO_TOML = """[package]
name = "keeper"
version = "0.1.0"
edition = "2021"
[dependencies]
tiny = "0.1"
[package.metadata.bareboat.expect]
stdout = "tiny, marked\\n"
"""
LOCK = """version = 4
[[package]]
name = "keeper"
version = "0.1.0"
dependencies = ["tiny"]
[[package]]
name = "tiny"
version = "0.1.0"
source = "registry+https://github.com/rust-lang/crates.io-index"
checksum = "{checksum}"
"""


def packed_crate() -> bytes:
    """A crate as a registry keeps it; its function may panic, so that its place is in the program."""
    word = 'pub fn word() -> &\'static str { let n = std::env::args().count(); assert!(n < 9, "too many"); "tiny" }\n'
    files = {"Cargo.toml": '[package]\nname = "tiny"\nversion = "0.1.0"\nedition = "2021"\n', "src/lib.rs": word}
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(f"tiny-0.1.0/{name}")
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text.encode()))
    return packed.getvalue()


class Registry(ThreadingHTTPServer):
    """A mirror of crates whose address holds a token; what is downloaded from it may have to wait."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("0.0.0.0", 0), Answer)
        self.token, self.crate = secrets.token_hex(20), packed_crate()
        self.checksum = hashlib.sha256(self.crate).hexdigest()
        self.asked, self.open = threading.Event(), threading.Event()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect(("192.0.2.1", 9))  # sends nothing, and tells by which address others reach this machine
            self.url = f"http://{probe.getsockname()[0]}:{self.server_port}"

    def content(self, path: str) -> bytes:
        index = f"/{self.token}/index"
        entry = {"name": "tiny", "vers": "0.1.0", "deps": [], "cksum": self.checksum, "features": {}, "yanked": False}
        found = {
            f"{index}/config.json": json.dumps({"dl": f"{self.url}/dl"}).encode(),
            f"{index}/ti/ny/tiny": json.dumps(entry).encode(),
        }
        if path in found:
            return found[path]
        self.asked.set()
        self.open.wait(PATIENCE_SECONDS)
        return self.crate


class Answer(BaseHTTPRequestHandler):
    server: Registry

    def do_GET(self) -> None:
        content = self.server.content(self.path)
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        with contextlib.suppress(OSError):  # who asked was killed meanwhile
            self.wfile.write(content)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
        """Says nothing."""


@pytest.fixture
def registry() -> Iterator[Registry]:
    if os.geteuid() and not podman("version", "--format={{.Client.Version}}").startswith("4."):
        pytest.skip("pasta gives a container this machine's address, by which nobody else can be reached then")
    with Registry() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.open.set()
        server.shutdown()
    names = podman("images", "--format={{.Repository}}:{{.Tag}}").split()
    if made := [name for name in names if "/keeper:" in name]:
        podman("rmi", "--force", *made)


@pytest.fixture
def crate(tmp_path: Path, registry: Registry) -> Path:
    return make_crate(tmp_path / "keeper", registry)


def make_crate(folder: Path, registry: Registry) -> Path:
    contents = {
        "Cargo.toml": CARGO_TOML,
        "Cargo.lock": LOCK.format(checksum=registry.checksum),
        "src/main.rs": f"// {registry.token[:4]}: a crate that was never seen\n{MAIN_RS}",
        ".cargo/config.toml": '[build]\nrustflags = ["--cfg", "marked", "--check-cfg", "cfg(marked)"]\n',
    }
    for name, content in contents.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content, encoding="utf-8")
    return folder


@pytest.fixture
def host(tmp_path: Path, registry: Registry) -> dict[str, str]:
    """The environment of a user whose cargo goes by that mirror."""
    home = tmp_path / "cargo-home"
    home.mkdir()
    (home / "config.toml").write_text(
        '[source.crates-io]\nreplace-with = "mirror"\n'
        f'[source.mirror]\nregistry = "sparse+{registry.url}/{registry.token}/index/"\n'
        f'[registries.mirror]\ntoken = "{registry.token}"\n',
        encoding="utf-8",
    )
    (home / "config.toml").chmod(0o600)
    return {"CARGO_HOME": str(home), "no_proxy": "*", "NO_PROXY": "*"}


@contextmanager
def service(tmp_path: Path) -> Iterator[str]:
    """An engine that Bareboat is told of by CONTAINER_HOST, as if it were on another machine."""
    path = tmp_path / "s.sock"
    (tmp_path / "engine").mkdir()
    environment = {**os.environ, **podman_environment(find_folders().engine), "TMPDIR": str(tmp_path / "engine")}
    engine = subprocess.Popen(["podman", "system", "service", "--time=0", f"unix://{path}"], env=environment)
    try:
        wait_for(path.exists)
        yield f"unix://{path}"
    finally:
        engine.terminate()
        engine.wait()


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def words(crate: Path, tmp_path: Path) -> tuple[str, ...]:
    return ("build-matrix", f"--crate={crate}", *RECIPES, "--bases=bootstrap", f"--results={tmp_path / 'results'}")


def holders(token: str, since: float, *folders: Path) -> list[str]:
    """The files that came or changed since then and in which the token stands."""
    found = []
    for folder in folders:
        for parent, _, names in os.walk(folder):
            for path in (Path(parent, name) for name in names):
                try:
                    if path.is_symlink() or not path.is_file() or path.stat().st_ctime < since:
                        continue
                    if token.encode() in path.read_bytes():
                        found.append(str(path))
                except OSError:
                    continue
    return found


def told_here(registry: Registry, since: float, crate: Path, tmp_path: Path) -> list[str]:
    """The files of the user's and of Bareboat's in which the token stands."""
    passage = find_folders().passage
    made = passage.parent.glob(f"{passage.name}*")
    places = (crate, tmp_path / "results", find_folders().cache, *made)
    return holders(registry.token, since, *places)


def told_in_store(registry: Registry, since: float, tmp_path: Path) -> list[str]:
    """The files of the engine's in which the token stands, and the images in whose history it does."""
    store = Path(podman("info", "--format={{.Store.GraphRoot}}"))
    images = podman("images", "--all", "--quiet", "--no-trunc").split()
    history = {image: podman("history", "--no-trunc", "--format=json", image) for image in images}
    files = holders(registry.token, since, store, tmp_path / "engine")
    return [*files, *(image for image, said in history.items() if registry.token in said)]


@pytest.mark.parametrize("remote", [False, True], ids=["here", "remote"])
def test_a_build_leaves_the_token_nowhere(
    remote: bool,  # noqa: FBT001
    registry: Registry,
    crate: Path,
    host: dict[str, str],
    tmp_path: Path,
) -> None:
    since = time.time() - 2
    registry.open.set()
    with service(tmp_path) as url:
        environment = {**host, **({"CONTAINER_HOST": url} if remote else {})}
        answer = Project(root=ROOT).invoke(*words(crate, tmp_path), env=environment)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert registry.asked.is_set()
    assert registry.token not in answer.stdout + answer.stderr
    assert told_here(registry, since, crate, tmp_path) == []
    assert told_in_store(registry, since, tmp_path) == []


@pytest.mark.parametrize("remote", [False, True], ids=["here", "remote"])
def test_a_build_that_is_killed_leaves_the_token_nowhere(
    remote: bool,  # noqa: FBT001
    registry: Registry,
    crate: Path,
    host: dict[str, str],
    tmp_path: Path,
) -> None:
    since = time.time() - 2
    with service(tmp_path) as url:
        environment = {**os.environ, **host, **({"CONTAINER_HOST": url} if remote else {})}
        run = subprocess.Popen(
            invocation(*words(crate, tmp_path)),
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        assert registry.asked.wait(PATIENCE_SECONDS)
        run.send_signal(signal.SIGKILL)
        run.wait()
        time.sleep(SETTLED_SECONDS)
        assert told_here(registry, since, crate, tmp_path) == []
        # An engine of another machine goes on with the step that it is at, and has the secret until the step's end.
        registry.open.set()
        wait_for(lambda: told_in_store(registry, since, tmp_path) == [])
    # The next run goes on.
    answer = Project(root=ROOT).invoke(*words(crate, tmp_path), env=host)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert told_here(registry, since, crate, tmp_path) == told_in_store(registry, since, tmp_path) == []


def test_a_program_is_the_same_from_any_folder_and_names_none(
    registry: Registry, host: dict[str, str], tmp_path: Path
) -> None:
    registry.open.set()
    programs = []
    for place in ("first", "second"):
        crate = make_crate(tmp_path / place / "keeper", registry)
        since = time.time() - 2
        answer = Project(root=ROOT).invoke(*words(crate, tmp_path), "--force", env=host)
        assert answer.returncode == 0, answer.stdout + answer.stderr
        # Of the same sources the programs lie in the same folders, where the second run's replace the first's; beside
        # them may lie what else a first run on this machine has to compile.
        made = [path for path in find_folders().programs.glob("*/program") if path.stat().st_mtime >= since]
        contents = {path: path.read_bytes() for path in made}
        programs.append({path: content for path, content in contents.items() if DEPENDENCY in content})
    assert programs[0] == programs[1]
    assert len(programs[0]) == len(RECIPES)
    for program in programs[0].values():
        for folder in (tmp_path, Path.home(), ROOT, find_folders().cache):
            assert os.fsencode(folder) not in program
