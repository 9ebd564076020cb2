"""What a crate says of its service, services that listen on UDP, and programs that want a network."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.harbour import ROOT, podman, rows
from tests.integration.test_own_programs import HEEDS_RS, Several, build, remove, write_crate

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

# No crate is fetched, but where no test has run before, the bases are made from packages.
pytestmark = [pytest.mark.podman, pytest.mark.network]

(SERVICE,) = re.findall(
    r"^```toml\n(.*?)^```$", (ROOT / "docs" / "services.md").read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
)
# Ready at the third question, where it was called as the guide has it and has a route to others.
SERVE_RS = r"""
fn serve() {
    let told = std::env::args().nth(1).unwrap() == "serve" && std::env::var("GREETING").unwrap() == "Ahoy";
    let routes = std::fs::read_to_string("/proc/net/route").unwrap().lines().count();
    let listener = std::net::TcpListener::bind("0.0.0.0:8080").unwrap();
    for (count, stream) in listener.incoming().enumerate() {
        let mut stream = stream.unwrap();
        let mut asked = [0; 1024];
        let length = std::io::Read::read(&mut stream, &mut asked).unwrap();
        let good = told && routes > 1 && count > 1 && asked[..length].starts_with(b"GET /healthz ");
        let status = if good { "204 No Content" } else { "503 Service Unavailable" };
        let _ = std::io::Write::write_all(&mut stream, format!("HTTP/1.1 {status}\r\n\r\n").as_bytes());
    }
}
"""
# What is on this base is not traced, which takes seconds of what runs on.
QUICK = "alpine"


class Service:
    """One crate whose manifest each test writes anew."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def build(self, base: str, manifest: str) -> tuple[subprocess.CompletedProcess[str], dict[str, Any]]:
        crate = write_crate(self.folder / "lantern", {"src/main.rs": SERVE_RS + HEEDS_RS}, manifest)
        results = f"--results={self.folder / 'results'}"
        answer = build(f"--crate={crate}", f"--recipe={base}", results, "--format=json")
        return answer, rows(answer, "lantern")[base]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    try:
        yield Service(tmp_path_factory.mktemp("service"))
    finally:
        remove(*(("lantern", base) for base in ("scratch-musl", QUICK)))


def test_a_service_that_does_all_that_the_guide_says_passes(service: Service) -> None:
    answer, row = service.build("scratch-musl", SERVICE)
    assert (answer.returncode, row["outcome"]) == (0, "passed"), row["reason"]
    assert (row["running"], row["ports"], row["answers"], row["exit_code"]) == (True, "8080", "HTTP 204", 0)
    variables = podman("image", "inspect", "--format={{.Config.Env}}", "localhost/bareboat/lantern:scratch-musl")
    assert "GREETING" not in variables


def test_what_a_service_does_not_do_fails_by_name(service: Service) -> None:
    # Without a network it is never ready.
    answer, row = service.build(QUICK, SERVICE.replace("network = true", "network = false"))
    assert (answer.returncode, row["outcome"], row["stage"]) == (1, "failed", "run")
    assert row["reason"] == "it was to answer /healthz with a status below 400, and 8080 answered HTTP 503"


def test_a_wrong_service_is_told_before_anything_is_built(service: Service) -> None:
    crate = write_crate(service.folder / "wrong", {"src/main.rs": "fn main() {}"}, SERVICE.replace("port", "prot"))
    answer = build(f"--crate={crate}", f"--recipe={QUICK}")
    assert (answer.returncode, answer.stdout) == (2, "")
    assert "package.metadata.bareboat: service.prot: unknown key (did you mean 'port'?)" in answer.stderr


UDP_RS = r"""
fn main() {
    let socket = std::net::UdpSocket::bind("0.0.0.0:5353").unwrap();
    let _ = socket.recv(&mut [0; 1024]);
}
"""
# Looks up a name for ever, as what waits for its database does, and says nothing of it.
SEEKS_RS = """
fn main() {
    while std::net::ToSocketAddrs::to_socket_addrs("example.com:80").is_err() {
        std::thread::sleep(std::time::Duration::from_secs(1));
    }
}
"""
# Has a socket to send figures from, and sends none.
WORKS_RS = r"""
fn main() {
    let _socket = std::net::UdpSocket::bind("0.0.0.0:0").unwrap();
    std::thread::sleep(std::time::Duration::from_secs(600));
}
"""
# Ends with 4 where it has no route to others.
ROUTES_RS = """
fn main() {
    let routes = std::fs::read_to_string("/proc/net/route").unwrap().lines().count();
    std::process::exit(if routes > 1 { 0 } else { 4 });
}
"""
PROGRAMS = {"udp": UDP_RS, "seeks": SEEKS_RS, "works": WORKS_RS, "routes": ROUTES_RS}


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Several]:
    try:
        yield Several(tmp_path_factory.mktemp("standing"), PROGRAMS, (QUICK,))
    finally:
        remove(*((f"several-{program}", QUICK) for program in PROGRAMS))


def test_a_service_of_udp_is_one_and_its_port_is_told_apart(standing: Several) -> None:
    row = standing.row("udp", QUICK)
    assert (row["outcome"], row["running"], row["ports"], row["answers"]) == ("passed", True, "5353/udp", None)


def test_what_waits_for_a_network_is_told_so(standing: Several) -> None:
    row = standing.row("seeks", QUICK)
    assert (row["outcome"], row["stage"]) == ("failed", "run")
    assert row["reason"].startswith("it waits for a network: runs have none but loopback; --network gives it one")


def test_what_has_a_socket_to_send_from_waits_for_nothing(standing: Several) -> None:
    row = standing.row("works", QUICK)
    assert (row["outcome"], row["running"], row["ports"]) == ("passed", True, None), row["reason"]


def test_a_network_is_there_for_who_asks_for_it(standing: Several) -> None:
    assert standing.row("routes", QUICK)["exit_code"] == 4
    answer = build("--bin=routes", "--network", "--format=json", *standing.words)
    assert rows(answer, "several-routes")[QUICK]["exit_code"] == 0, answer.stderr
