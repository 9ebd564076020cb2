"""The crew on real Podman: the first process with orphans, signals and exit codes, the health check with every answer.

What the first process is held to is held against the same program without it, too, where that differs.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import socket
import subprocess
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from bareboat.archive import open_image
from bareboat.elf import read_elf
from bareboat.podman_engine.settings import podman_environment
from bareboat.system.folders import find_folders
from tests.integration.harbour import ONCE, ROOT, Project, podman, root_filesystem
from tests.integration.test_own_programs import remove, write_crate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = [pytest.mark.podman, pytest.mark.network, ONCE]

METADATA = """
[profile.release]
strip = true

[package.metadata.bareboat]
service = { port = 8080, ready = "/well" }
with = { "*" = ["init", "probe"] }
"""
# What it does is said by its first argument; without one it is a service.
ACTS_RS = r"""
use std::io::{Read, Write};
use std::process::Command;

extern "C" {
    fn kill(process: i32, number: i32) -> i32;
    fn signal(number: i32, handler: usize) -> usize;
    fn write(descriptor: i32, bytes: *const u8, length: usize) -> isize;
    fn getpgrp() -> i32;
    fn tcgetpgrp(descriptor: i32) -> i32;
    fn _exit(code: i32) -> !;
}

extern "C" fn tell(number: i32) {
    let said = [b'0' + (number / 10) as u8, b'0' + (number % 10) as u8, b'\n'];
    unsafe { write(1, said.as_ptr(), 3) };
}

extern "C" fn end(_: i32) {
    unsafe { _exit(5) }
}

fn me(act: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.arg(act);
    command
}

/// How many processes there are, and how many of them have ended and are reaped by nobody.
fn count() -> (usize, usize) {
    let stats = std::fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        name.parse::<u32>().ok()?;
        std::fs::read_to_string(format!("/proc/{name}/stat")).ok()
    });
    let all: Vec<_> = stats.collect();
    let dead = all.iter().filter(|stat| stat.rsplit(") ").next().unwrap().starts_with('Z')).count();
    (all.len(), dead)
}

fn serve() {
    let listener = std::net::TcpListener::bind("0.0.0.0:8080").unwrap();
    for stream in listener.incoming() {
        let mut stream = stream.unwrap();
        let mut asked = [0; 1024];
        let length = stream.read(&mut asked).unwrap();
        let well = asked[..length].starts_with(b"GET /well HTTP/1.1\r\n");
        let status = if well { "204 No Content" } else { "404 Not Found" };
        let _ = stream.write_all(format!("HTTP/1.1 {status}\r\n\r\n").as_bytes());
    }
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let number = |place: usize| words[place].parse::<i32>().unwrap();
    match words.first().map_or("", String::as_str) {
        "" => serve(),
        "code" => std::process::exit(number(1)),
        "kills" => unsafe {
            kill(std::process::id() as i32, number(1));
        },
        "waits" => loop {
            println!("waits");
            std::thread::sleep(std::time::Duration::from_secs(600));
        },
        "heeds" => {
            unsafe { signal(15, end as *const () as usize) };
            println!("heeds");
            loop {
                std::thread::sleep(std::time::Duration::from_secs(600));
            }
        }
        "tells" => {
            for number in [1, 2, 3, 10, 12, 18, 20, 28, 35, 64] {
                unsafe { signal(number, tell as *const () as usize) };
            }
            println!("tells");
            loop {
                std::thread::sleep(std::time::Duration::from_secs(600));
            }
        }
        // A parent that ends before its child leaves it to the first process.
        "orphans" => {
            for _ in 0..number(1) {
                me("parent").status().unwrap();
            }
            let settled = std::time::Instant::now() + std::time::Duration::from_secs(5);
            while count().0 > 2 && std::time::Instant::now() < settled {
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
            let (all, dead) = count();
            println!("{all} processes, {dead} dead");
        }
        "parent" => {
            me("orphan").spawn().unwrap();
        }
        "orphan" => std::thread::sleep(std::time::Duration::from_millis(30)),
        "foreground" => println!("{}", unsafe { getpgrp() == tcgetpgrp(0) }),
        "environment" => println!("{:?} {:?}", words, std::env::var("ASKED")),
        other => panic!("{other}"),
    }
}
"""
CELL = "acts@scratch-musl"
IMAGE = "localhost/bareboat/acts:scratch-musl"


@dataclass(frozen=True, kw_only=True)
class Done:
    code: int
    out: str
    errors: str


def command(*words: str) -> tuple[list[str], dict[str, str]]:
    return ["podman", *words], {**os.environ, **podman_environment(find_folders().engine)}


NO_LIMITS = "Resource limits are not supported and ignored on cgroups V1"


def run(*words: str, options: tuple[str, ...] = (), init: bool = True) -> Done:
    """A run of the program with these words, confined as ours are; without `init` it is the first process itself."""
    start = () if init else ("--entrypoint=/acts",)
    plain = ("--rm", "--network=none", "--no-healthcheck", "--read-only", "--cap-drop=all")
    argv, env = command("run", *plain, *start, *options, IMAGE, *words)
    done = subprocess.run(argv, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    # Of a limit that an ordinary user's containers are not held to where control groups are of the first version.
    said = [line for line in done.stderr.splitlines(keepends=True) if not line.startswith(NO_LIMITS)]
    return Done(code=done.returncode, out=done.stdout, errors="".join(said))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, object]]:
    """The result of the cell, whose image is there for as long as the tests run."""
    folder = tmp_path_factory.mktemp("crew")
    crate = write_crate(folder / "acts", {"src/main.rs": ACTS_RS}, METADATA)
    words = (f"--crate={crate}", "--recipe=scratch-musl", "--bases=bootstrap", f"--results={folder / 'results'}")
    try:
        done = Project(root=ROOT).invoke("build-matrix", *words)
        assert done.returncode == 0, done.stderr + done.stdout
        (file,) = (folder / "results").glob(f"*/{CELL}.json")
        yield {**json.loads(file.read_bytes()), "crate": crate}
    finally:
        remove(("acts", "scratch-musl"))


pytestmark.append(pytest.mark.usefixtures("built"))


@pytest.fixture(scope="module")
def crew(built: dict[str, object], tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The programs of the crew as the image has them."""
    assert built
    archive = tmp_path_factory.mktemp("image") / "saved.tar"
    podman("save", "--format=docker-archive", f"--output={archive}", IMAGE)
    image = open_image(archive)
    return {name: image.read(f"/{name}") for name in ("init", "probe")}


@pytest.mark.parametrize("name", ["init", "probe"])
def test_each_has_a_kilobyte_at_most_and_no_stack_that_can_be_executed(crew: dict[str, bytes], name: str) -> None:
    assert len(crew[name]) <= 1024
    facts = read_elf(crew[name])
    assert (facts.nx, facts.libc, facts.linkage) == (True, None, "static")


def test_the_image_starts_init_and_has_a_health_check(built: dict[str, object]) -> None:
    (image,) = json.loads(podman("image", "inspect", IMAGE))
    assert image["Config"]["Entrypoint"] == ["/init", "/acts"]
    assert image["Healthcheck"]["Test"] == ["CMD", "/probe", "8080", "/well"]
    rows = {row["path"]: row for row in built["manifest"]}  # type: ignore[attr-defined]
    assert {path: rows[path]["ways"] for path in ("/init", "/probe")} == {"/init": ["static"], "/probe": ["static"]}
    ran = built["ran"]
    assert (ran["running"], ran["ports"], ran["answers"]) == (True, [8080], ["HTTP 204"])  # type: ignore[index]
    # It has no handler of its own, and would heed no signal as the first process.
    assert ran["stop_seconds"] is not None  # type: ignore[index]
    assert ran["exit_code"] == 143  # type: ignore[index]
    assert ran["peak_bytes"] > 100_000, "that of the program, not that of init"  # type: ignore[index]


def test_the_printed_containerfile_gives_the_same_root_filesystem_and_settings(
    built: dict[str, object], tmp_path: Path
) -> None:
    answer = Project(root=ROOT).invoke(
        "containerfile", "scratch-musl", f"--crate={built['crate']}", "--bases=bootstrap"
    )
    assert "podman build --format docker" in answer.stderr
    tag = f"localhost/printed-crew:{os.getpid()}"
    run_root = podman("info", "--format={{.Store.RunRoot}}")
    words = ("--runroot", run_root, "build", "--format=docker", "-f", "-", "-t", tag, str(built["crate"]))
    try:
        podman(*words, stdin=answer.stdout, env={"TMPDIR": str(tmp_path)})
        assert root_filesystem(tag, tmp_path) == root_filesystem(IMAGE, tmp_path)
        one, other = (json.loads(podman("image", "inspect", name))[0] for name in (tag, IMAGE))
        assert one["Config"]["Entrypoint"] == other["Config"]["Entrypoint"]
        assert one["Healthcheck"]["Test"] == other["Healthcheck"]["Test"]
    finally:
        podman("rmi", "--force", "--ignore", tag)
        caches = [str(folder) for folder in tmp_path.glob("buildah-cache*")]
        podman("unshare", "rm", "-rf", *caches) if os.geteuid() and caches else None


def test_a_thousand_orphans_are_reaped() -> None:
    many = ("--pids-limit=2048",)
    assert run("orphans", "1000", options=many) == Done(code=0, out="2 processes, 0 dead\n", errors="")
    assert run("orphans", "100", options=many, init=False).out == "101 processes, 100 dead\n"


@pytest.mark.parametrize("code", [0, 1, 7, 126, 255])
def test_the_exit_code_is_the_programs(code: int) -> None:
    assert run("code", str(code)).code == code


@pytest.mark.parametrize("number", [1, 4, 6, 9, 15])
def test_of_a_program_that_a_signal_ended_it_is_128_and_the_signals_number(number: int) -> None:
    assert run("kills", str(number)).code == 128 + number


def test_arguments_and_environment_arrive() -> None:
    done = run("environment", "a b", "", "--x", options=("--env=ASKED=yes",))
    assert done.out == '["environment", "a b", "", "--x"] Ok("yes")\n'


@pytest.mark.parametrize(
    ("path", "code", "said"),
    [
        ("/nothing", 127, "exec /nothing: no such file or directory\n"),
        ("/etc/hosts", 126, "exec /etc/hosts: permission denied\n"),
        ("/text", 126, "exec /text: exec format error\n"),
        ("/acts/x", 126, "exec /acts/x: cannot be started\n"),
    ],
)
def test_what_cannot_be_started_is_told(path: str, code: int, said: str, tmp_path: Path) -> None:
    text = tmp_path / "text"
    text.write_text("no program\n", encoding="utf-8")
    text.chmod(0o755)
    options = (f"--entrypoint={json.dumps(['/init', path])}", f"--volume={text}:/text:ro")
    done = run(options=options)
    assert (done.code, done.errors) == (code, said)


def test_without_a_program_it_ends() -> None:
    assert run(options=("--entrypoint=/init",)).code == 127


@contextlib.contextmanager
def started(*words: str, init: bool = True) -> Iterator[str]:
    """A container that has said its first word."""
    name = f"crew-{secrets.token_hex(4)}"
    start = () if init else ("--entrypoint=/acts",)
    plain = ("--network=none", "--health-interval=disable", "--read-only", "--cap-drop=all", "--log-driver=json-file")
    podman("run", "--detach", f"--name={name}", *plain, *start, IMAGE, *words)
    try:
        if words:
            wait_for(lambda: words[0] in podman("logs", name))
        yield name
    finally:
        podman("rm", "--force", "--time=0", name)


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "it did not come in 20 s"
        time.sleep(0.02)


@pytest.mark.parametrize(("act", "init", "code"), [("waits", True, 143), ("heeds", True, 5), ("waits", False, 137)])
def test_a_program_that_is_told_to_end_ends(act: str, init: bool, code: int) -> None:  # noqa: FBT001
    """Without init, a program that has no handler is killed when its time is over."""
    with started(act, init=init) as name:
        podman("stop", f"--time={20 if init else 1}", name)
        assert podman("container", "inspect", "--format={{.State.ExitCode}}", name) == str(code)


def test_every_signal_is_handed_on() -> None:
    with started("tells") as name:
        told = ["tells"]
        for number in (1, 2, 3, 10, 12, 18, 20, 28, 35, 64):
            podman("kill", f"--signal={number}", name)
            told.append(f"{number:02}")
            wait_for(lambda: podman("logs", name).split() == told)


def test_in_a_terminal_the_program_is_in_the_foreground() -> None:
    assert run("foreground", options=("--tty",)).out == "true\n"


def test_the_health_check_of_the_image_finds_a_service_well_and_another_not() -> None:
    with started() as name:

        def well() -> int:
            argv, env = command("healthcheck", "run", name)
            return subprocess.run(argv, env=env, capture_output=True, check=False).returncode

        wait_for(lambda: well() == 0)
        argv, env = command("exec", name, "/probe", "8080", "/nothing")
        assert subprocess.run(argv, env=env, check=False).returncode == 1


HEAD = b"HTTP/1.1 200 OK\r\n"
# By what it is called: what a server sends, in parts with half a second between them, and whether that is well.
ANSWERS: dict[str, tuple[tuple[bytes, ...], bool]] = {
    "200": ((HEAD + b"Content-Length: 2\r\n\r\nok",), True),
    "200 without a length": ((HEAD + b"\r\nanything",), True),
    "200 of HTTP/1.0": ((b"HTTP/1.0 200 OK\r\n\r\n",), True),
    "204": ((b"HTTP/1.1 204 No Content\r\n\r\n",), True),
    "299 without a word": ((b"HTTP/1.1 299\r\n\r\n",), True),
    "in parts": ((b"HT", b"TP/1.1 2", b"00 OK\r", b"\nContent-le", b"ngth: 4\r\n\r\nab", b"cd"), True),
    "a length as nobody writes it": ((HEAD + b"X: y\r\ncOnTeNt-LENGTH:3\r\n\r\nabc",), True),
    "a large head": ((HEAD + b"Cookie: " + b"x" * 12_000 + b"\r\nContent-Length: 1\r\n\r\nx",), True),
    "a large body": ((HEAD + b"Content-Length: 5000000\r\n\r\n" + b"x" * 5_000_000,), True),
    "301": ((b"HTTP/1.1 301 Moved\r\nLocation: /\r\n\r\n",), False),
    "404": ((b"HTTP/1.1 404 Not Found\r\n\r\n",), False),
    "500": ((b"HTTP/1.1 500 Oh\r\nContent-Length: 3\r\n\r\n200",), False),
    "503": ((b"HTTP/1.1 503 Service Unavailable\r\n\r\n",), False),
    "nothing": ((b"",), False),
    "half a status": ((b"HTTP/1.1 20",), False),
    "half a head": ((HEAD + b"Content-Length: 2\r\n",), False),
    "half a body": ((HEAD + b"Content-Length: 200\r\n\r\nok",), False),
    "half a large body": ((HEAD + b"Content-Length: 5000000\r\n\r\n" + b"x" * 4_999_999,), False),
    "garbage": ((b"\x00\xff" * 5000,), False),
    "garbage in lines": ((b"\r\n\r\n200\r\n\r\n",), False),
    "another protocol": ((b"SSH-2.0-x 200\r\n\r\n",), False),
    "a status that is no number": ((b"HTTP/1.1 2xx OK\r\n\r\n",), False),
    "a status too short": ((b"HTTP/1.1 2\r\n\r\n",), False),
}
SILENT, SLOW, PATIENT, FULL = "silent", "slow", "slow, but in time", "no connection is taken"


class Server:
    """Sends one answer to whoever asks, and closes; or says nothing."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.asked = b""
        self.over = threading.Event()
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=0)
        self.port = self.socket.getsockname()[1]
        # As many wait as it lets wait.
        self.waiting = [socket.create_connection(("127.0.0.1", self.port))] if name == FULL else []
        self.thread = threading.Thread(target=self.over.wait if name == FULL else self._serve)
        self.thread.start()

    def close(self) -> None:
        self.over.set()
        self.thread.join()
        for one in (*self.waiting, self.socket):
            one.close()

    def _serve(self) -> None:
        stream, _ = self.socket.accept()
        with stream, contextlib.suppress(OSError):
            self.asked = stream.recv(4096)
            for part in self._parts():
                stream.sendall(part)
            if self.name == SILENT:
                self.over.wait()

    def _parts(self) -> Iterator[bytes]:
        if self.name in {SLOW, PATIENT}:
            # A byte now and then, so that each wait is short and all of them are long, or are not.
            answer = HEAD + b"\r\n"
            for place in range(len(answer)):
                yield answer[place : place + 1]
                self.over.wait(1.0 if self.name == SLOW else 0.1)
            return
        for number, part in enumerate(ANSWERS.get(self.name, ((),))[0]):
            self.over.wait(0.5 if number else 0)
            yield part


@pytest.fixture(scope="module")
def probed(crew: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, bytes]]:
    """With which code the probe ended of each server, and what that was asked; all of them are asked at once."""
    probe = tmp_path_factory.mktemp("probe") / "probe"
    probe.write_bytes(crew["probe"])
    probe.chmod(0o755)
    servers = [Server(name) for name in (*ANSWERS, SILENT, SLOW, PATIENT, FULL)]
    asking = [(server, subprocess.Popen([probe, str(server.port), "/a?b=c"])) for server in servers]
    found = {server.name: (process.wait(timeout=30), server.asked) for server, process in asking}
    for server in servers:
        server.close()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    for name, words in {"refused": (str(port),), "no port": (), "no number": (f"{port}x",), "0": ("0",)}.items():
        found[name] = (subprocess.run([probe, *words], timeout=30, check=False).returncode, b"")
    return found


@pytest.mark.parametrize(
    ("name", "well"),
    [
        *((name, well) for name, (_, well) in ANSWERS.items()),
        *((name, False) for name in (SILENT, SLOW, FULL, "refused", "no port", "no number", "0")),
        (PATIENT, True),
    ],
)
def test_the_probe_judges(probed: dict[str, tuple[int, bytes]], name: str, well: bool) -> None:  # noqa: FBT001
    assert probed[name][0] == (0 if well else 1)


def test_the_probe_asks_as_http_has_it(probed: dict[str, tuple[int, bytes]]) -> None:
    assert probed["200"][1] == b"GET /a?b=c HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


def test_scratch_has_a_first_process_by_a_flag_and_no_health_check_of_what_is_no_service() -> None:
    here = Project(root=ROOT)
    tag = f"localhost/manned:{os.getpid()}"
    answer = here.invoke("scratch", "--libc=musl", "--with=init", "--bases=bootstrap", f"--tag={tag}")
    try:
        assert answer.returncode == 0, answer.stderr
        assert re.search(r"^/init +\d+ B .* static +the first process", answer.stdout, re.MULTILINE), answer.stdout
        assert podman("run", "--rm", "--network=none", tag) == "Hello, world!"
    finally:
        podman("rmi", "--force", "--ignore", tag, "localhost/bareboat/hello-world:scratch-musl_init")
    answer = here.invoke("scratch", "--libc=musl", "--with=init,probe", "--bases=bootstrap")
    assert answer.returncode == 2
    assert "hello-world does not say where it answers HTTP" in answer.stderr
