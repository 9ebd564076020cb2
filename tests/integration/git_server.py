"""A git repository that only who has the password gets, on this machine's own address."""

from __future__ import annotations

import base64
import os
import secrets
import socket
import subprocess
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class GitServer(ThreadingHTTPServer):
    """Serves the repositories in a folder by git's own http-backend."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("0.0.0.0", 0), Answer)
        self.folder = folder
        self.password = secrets.token_hex(20)
        self.authorization = "Basic " + base64.b64encode(f"me:{self.password}".encode()).decode()
        self.answered = 0
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect(("192.0.2.1", 9))  # sends nothing, and tells by which address others reach this machine
            self.url = f"http://{probe.getsockname()[0]}:{self.server_port}"

    def publish(self, name: str, sources: Path) -> str:
        """Make a repository of a folder's files; the commit that it has."""
        names = {f"GIT_{who}_{what}": "t@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}

        def git(*words: str) -> str:
            environment = {**os.environ, **names, "GIT_CONFIG_GLOBAL": "/dev/null"}
            done = subprocess.run(["git", *words], cwd=sources, env=environment, check=True, capture_output=True)
            return done.stdout.decode().strip()

        git("init", "--quiet", "--initial-branch=main")
        git("add", ".")
        git("commit", "--quiet", "--message=x")
        git("clone", "--quiet", "--bare", ".", str(self.folder / name))
        return git("rev-parse", "HEAD")


class Answer(BaseHTTPRequestHandler):
    server: GitServer

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Authorization") != self.server.authorization:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="git"')
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        path, _, query = self.path.partition("?")
        environment = {
            **os.environ,
            "GIT_PROJECT_ROOT": str(self.server.folder),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "safe.directory",
            "GIT_CONFIG_VALUE_0": "*",
        }
        done = subprocess.run(
            ["git", "http-backend"], input=body, env=environment, check=True, capture_output=True
        ).stdout
        head, _, content = done.partition(b"\r\n\r\n")
        self.server.answered += 1
        self.send_response(200)
        for line in head.decode().split("\r\n"):
            name, _, value = line.partition(": ")
            if name != "Status":
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
        """Says nothing."""


@contextmanager
def git_server(folder: Path) -> Iterator[GitServer]:
    """The server, for as long as the block runs."""
    folder.mkdir()
    with GitServer(folder) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()
