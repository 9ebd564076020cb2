"""Programs in the foreground: their streams and codes are the command's, they are confined, and none is left behind."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import select
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from typing import TYPE_CHECKING

import pytest

from tests.integration.harbour import ROOT, podman
from tests.integration.test_own_programs import HEEDS_RS, SERVE_RS, remove, write_crate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# No crate is fetched, but where no test has run before, the bases are made from packages.
pytestmark = [pytest.mark.podman, pytest.mark.network]

RECIPE = "scratch-musl"
# Nobody else's on this machine, hopefully.
PORT, OTHER_PORT = 18471, 28471
PATIENCE_SECONDS = 60
# It tells what it is given and what it may do; what it is told to do is among its arguments.
TELLS_RS = """
fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    println!("{words:?}");
    let mut said = String::new();
    std::io::Read::read_to_string(&mut std::io::stdin(), &mut said).unwrap();
    println!("{said:?}");
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    for line in status.lines().filter(|line| line.starts_with("CapEff") || line.starts_with("NoNewPrivs")) {
        eprintln!("{line}");
    }
    eprintln!("writes: {:?}", std::fs::write("/x", "x").map_err(|error| error.kind()));
    eprintln!("networks: {}", std::fs::read_to_string("/proc/net/dev").unwrap().lines().count() - 2);
    std::process::exit(words.len() as i32);
}
"""
PROGRAMS = {
    "tells": TELLS_RS,
    "heeds": SERVE_RS + HEEDS_RS,
    "deaf": f"{SERVE_RS}fn main() {{ serve() }}\n",
}


@pytest.fixture(scope="module")
def crate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A crate with a program of each kind; each image is made when it is first run."""
    folder = tmp_path_factory.mktemp("run") / "runs"
    try:
        sources = {f"src/bin/{name}.rs": content for name, content in PROGRAMS.items()}
        yield write_crate(folder, sources, f'[package.metadata.bareboat.env]\nPORT = "{PORT}"\n')
    finally:
        remove(*((f"runs-{name}", RECIPE) for name in PROGRAMS))


def command(program: str, *words: str) -> list[str]:
    options = (RECIPE, f"--bin={program}", "--bases=bootstrap")
    return [sys.executable, "-P", "-m", "bareboat", "run", *options, *words]


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def run(crate: Path, program: str, *words: str, given: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(program, *words), cwd=crate, env=environment(), input=given, capture_output=True, text=True, check=False
    )


@contextlib.contextmanager
def running(crate: Path, program: str, *words: str) -> Iterator[subprocess.Popen[str]]:
    child = subprocess.Popen(
        command(program, *words),
        cwd=crate,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield child
    finally:
        child.kill()
        child.communicate()


def url_of(child: subprocess.Popen[str]) -> str:
    """Where a service says that it is reached, when it answers there."""
    assert child.stderr
    lines: list[str] = []
    while (line := child.stderr.readline()) and "Ctrl-C stops it" not in line:
        lines.append(line)
    found = re.search(r"its port [0-9]+ is (http://\S+)", "".join(lines))
    assert found, "it says no address"
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), urllib.request.urlopen(found[1], timeout=5) as answer:
            assert answer.read() == b"ok\n"
            return found[1]
        time.sleep(0.05)
    raise AssertionError("it does not answer")


def containers() -> list[str]:
    """Those of the crate's programs that there are, running or not."""
    images = [f"--filter=ancestor=localhost/bareboat/runs-{name}:{RECIPE}" for name in PROGRAMS]
    return podman("ps", "--all", "--format={{.Names}}", *images).split()


def test_words_input_output_and_exit_code_are_the_programs_and_it_is_confined(crate: Path) -> None:
    done = run(crate, "tells", "--", "a b", "", "--help", given="typed")
    assert (done.returncode, done.stdout) == (3, '["a b", "", "--help"]\n"typed"\n'), done.stderr
    said = done.stderr.splitlines()
    assert {"CapEff:\t0000000000000000", "NoNewPrivs:\t1"} <= set(said)
    assert "writes: Err(ReadOnlyFilesystem)" in said
    assert "networks: 1" in said, "loopback alone"
    again = run(crate, "tells", "--network")
    assert (again.returncode, again.stdout) == (0, '[]\n""\n'), again.stderr
    assert "networks: 2" in again.stderr.splitlines()
    assert "image" not in again.stderr, "nothing is built again"
    assert containers() == []


def test_a_service_is_reached_on_loopback_and_ends_when_it_is_told_to(crate: Path) -> None:
    with running(crate, "heeds") as child:
        assert url_of(child) == f"http://127.0.0.1:{PORT}/"
        child.send_signal(signal.SIGTERM)
        out, err = child.communicate(timeout=PATIENCE_SECONDS)
        assert (child.returncode, out, err) == (0, "", "")
    assert containers() == []


def test_a_port_of_this_machine_may_be_chosen_and_ctrl_c_stops_a_service_that_heeds_no_signal(crate: Path) -> None:
    with running(crate, "deaf", f"--publish={OTHER_PORT}:{PORT}") as child:
        # What a service answers is known of the ports that it was seen to listen on.
        assert url_of(child) == f"http://127.0.0.1:{OTHER_PORT}/"
        child.send_signal(signal.SIGINT)
        child.communicate(timeout=PATIENCE_SECONDS)
        assert child.returncode == 128 + signal.SIGKILL
    assert containers() == []


def test_a_container_goes_with_a_command_that_is_killed(crate: Path) -> None:
    with running(crate, "heeds", f"--publish={OTHER_PORT}:{PORT}") as child:
        url_of(child)
        child.kill()
        child.wait()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while left := containers():
        assert time.monotonic() < deadline, left
        time.sleep(0.1)


def read_until(terminal: int, wanted: bytes) -> bytes:
    """What comes out of a terminal until it has `wanted` in it; until its end, where nothing is."""
    said, deadline = b"", time.monotonic() + PATIENCE_SECONDS
    with contextlib.suppress(OSError):  # the last writer has gone
        while not wanted or wanted not in said:
            assert select.select([terminal], [], [], deadline - time.monotonic())[0], said
            piece = os.read(terminal, 1024)
            if not piece:
                break
            said += piece
    return said


@pytest.mark.parametrize(("keys", "code", "told"), [(b"typed\n\x04", 1, b'"typed\\n"'), (b"\x1c", 0, b"")])
def test_a_terminal_is_the_programs_and_one_key_ends_it_all_the_same(
    crate: Path, keys: bytes, code: int, told: bytes
) -> None:
    run(crate, "tells")
    child, terminal = pty.fork()
    if not child:
        os.chdir(crate)
        os.execve(sys.executable, command("tells", "--", "x"), environment())
    # Until the program is there, the keys are the terminal's own.
    read_until(terminal, b'["x"]')
    os.write(terminal, keys)
    said = read_until(terminal, b"")
    os.close(terminal)
    assert (os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), told in said) == (code, True), said
    assert containers() == []


def test_a_port_that_is_taken_is_told(crate: Path) -> None:
    with socket.socket() as taken:
        # Connections of the tests before may linger.
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", PORT))
        taken.listen()
        done = run(crate, "heeds")
    assert (done.returncode, done.stdout) == (1, "")
    told = f"port {PORT} of this machine: Address already in use; --publish {OTHER_PORT}:{PORT} takes another"
    assert told in done.stderr
