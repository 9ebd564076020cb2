"""Passwords of proxies and mirrors: they get where they must, and are seen nowhere else."""

from __future__ import annotations

import base64
import re
import sys
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bareboat.bootstrap import make_root_filesystem
from bareboat.errors import BareboatError
from bareboat.inputs.base import Alpine, Debian, Distroless
from bareboat.system.process import Processes
from tests.integration.harbour import passable_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bareboat.inputs.base import RootBootstrap

pytestmark = pytest.mark.network

USER, PASSWORD, TOKEN = "reader", "proxy-password-Zq9", "0a1b2c3d4e5f6a7b8c9d"
BASIC = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
PATIENCE_SECONDS = 20
SECRETS = (PASSWORD, TOKEN, BASIC)


class Refusing(ThreadingHTTPServer):
    """A proxy, or an index, that refuses whoever asks; at each question it looks at every command line there is."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Refuse)
        self.credentials: set[str] = set()
        self.paths: set[str] = set()
        self.seen: list[str] = []

    def look(self) -> None:
        for process in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                line = process.read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            self.seen += [line for secret in SECRETS if secret in line]


class Refuse(BaseHTTPRequestHandler):
    server: Refusing

    def do_GET(self) -> None:
        self.server.look()
        header = self.headers.get("Proxy-Authorization") or self.headers.get("Authorization") or ""
        self.server.credentials.add(header.removeprefix("Basic "))
        self.server.paths.add(self.path)
        self.send_response(407, f"no, {USER} with {PASSWORD}")
        self.send_header("Proxy-Authenticate", 'Basic realm="x"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_CONNECT = do_HEAD = do_GET  # noqa: N815

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
        """Says nothing."""


@pytest.fixture
def proxy() -> Iterator[Refusing]:
    with Refusing() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def place() -> Iterator[Path]:
    with passable_folder() as folder:
        yield folder


@contextmanager
def refused() -> Iterator[list[str]]:
    told: list[str] = []
    with pytest.raises(BareboatError) as caught:
        yield told
    told += [str(caught.value), caught.value.summary, caught.value.detail]


def holders(*folders: Path) -> list[str]:
    """The files in which a secret stands."""
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return [str(path) for path in files for secret in SECRETS if secret.encode() in path.read_bytes()]


@pytest.mark.parametrize(
    "bootstrap",
    [
        Debian(kind="debian", suite="trixie"),
        Distroless(kind="distroless", suite="trixie", packages=("netbase",)),
    ],
    ids=lambda bootstrap: bootstrap.kind,
)
def test_a_proxy_that_refuses_gets_the_password_and_nobody_else(
    bootstrap: RootBootstrap, proxy: Refusing, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configuration = tmp_path / "apt.conf"
    address = f"http://{USER}:{PASSWORD}@127.0.0.1:{proxy.server_port}"
    configuration.write_text(
        f'Acquire::http::Proxy "{address}";\nAcquire::https::Proxy "{address}";\nAcquire::Retries "0";\n',
        encoding="utf-8",
    )
    monkeypatch.setenv("APT_CONFIG", str(configuration))
    logs = tmp_path / "logs"
    with refused() as told:
        make_root_filesystem(
            bootstrap, folder=place, recipes=tmp_path, processes=Processes(), log=logs / f"{bootstrap.kind}.log"
        )
    assert "407" in str(told)
    assert BASIC in proxy.credentials
    assert proxy.seen == []
    assert not [secret for secret in SECRETS if secret in str(told)]
    assert holders(logs) == []
    # APT has to find the password somewhere: in a file for the owner alone, and where nobody else can find the way to.
    assert place.stat().st_mode & 0o777 == 0o711
    for holder in holders(place):
        first = Path(holder).relative_to(place).parts[0]
        assert re.fullmatch("apt-[0-9a-f]{32}", first) or Path(holder).stat().st_mode & 0o777 == 0o600, holder


def test_an_index_that_refuses_gets_the_password_and_the_token_and_nobody_else(
    proxy: Refusing, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PIP_INDEX_URL", "PIP_FIND_LINKS", "PIP_NO_INDEX", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    configuration = tmp_path / "pip.conf"
    address = f"http://{USER}:{PASSWORD}@127.0.0.1:{proxy.server_port}/{TOKEN}/simple"
    configuration.write_text(f"[global]\nindex-url = {address}\nretries = 0\n", encoding="utf-8")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(configuration))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    logs, wheel = (
        tmp_path / "logs",
        Alpine(kind="alpine", project="bareboat-test", version="1", sha256="0" * 64, image="x", packages=("musl",)),
    )
    with refused() as told:
        make_root_filesystem(wheel, folder=place, recipes=tmp_path, processes=Processes(), log=logs / "alpine.log")
    assert any(TOKEN in path for path in proxy.paths)
    assert proxy.seen == []
    assert not [secret for secret in SECRETS if secret in str(told)]
    assert holders(logs, place) == []


def test_what_is_looked_for_would_be_found(proxy: Refusing, tmp_path: Path) -> None:
    (tmp_path / "x").write_text(TOKEN, encoding="utf-8")
    assert holders(tmp_path) == [str(tmp_path / "x")]
    child = Processes().start([sys.executable, "-c", "import time; time.sleep(600)", PASSWORD])
    try:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not proxy.seen:  # a process that is just becoming another program has no command line
            assert time.monotonic() < deadline
            proxy.look()
    finally:
        Processes().end(child)
