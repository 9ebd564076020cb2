"""Asks what listens on a port of this network namespace's loopback: `python ask_port.py PORT PATH`, by Python alone.

Prints `HTTP 200` for an answer to `GET PATH`, `no HTTP` for what takes a connection and answers otherwise or not at
all, and nothing where no connection is taken.
"""

import http.client
import signal
import sys
from typing import NoReturn

SECONDS = 2.0
# An answer that comes byte by byte is none either.
WHOLE_SECONDS = 5


def ask(port: int, path: str = "/") -> str:
    """What answers on the port, by IPv4 or else by IPv6."""
    for host in ("127.0.0.1", "::1"):
        connection = http.client.HTTPConnection(host, port, timeout=SECONDS)
        try:
            connection.connect()
        except OSError:
            continue
        try:
            connection.request("GET", path)
            return f"HTTP {connection.getresponse().status}"
        except (OSError, http.client.HTTPException):
            return "no HTTP"
        finally:
            connection.close()
    return ""


def give_up(*_: object) -> NoReturn:
    """End the asking."""
    raise TimeoutError


if __name__ == "__main__":
    signal.signal(signal.SIGALRM, give_up)
    signal.alarm(WHOLE_SECONDS)
    sys.stdout.write(ask(int(sys.argv[1]), sys.argv[2]))
