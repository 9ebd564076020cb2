"""Holds what a service did to what its crate says that it must do. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bareboat.inputs.expectation import Serving
    from bareboat.result.values import Ran

_NO_LONGER_GOOD = 400


def path_to_ask(serving: Serving | None, port: int) -> str:
    """What a port is asked for: at the service's own port, or any where none is named, what says that it is ready."""
    return serving.ready or "/" if serving and serving.port in {None, port} else "/"


def is_ready(serving: Serving, ports: Sequence[int], answers: Sequence[str]) -> bool:
    """Whether the service's port, or any where none is named, gave a good answer; what is not to be asked is ready."""
    asked = [answer for port, answer in zip(ports, answers, strict=True) if serving.port in {None, port}]
    return not serving.ready or any(_is_good(answer) for answer in asked)


def find_fault(serving: Serving, ran: Ran, seconds: float) -> str:
    """What a service did otherwise than it must, in one line: what was expected, and what was seen; "" for nothing.

    It had so many seconds to listen and to be ready.
    """
    if not ran.running:
        return f"it was to run on, and ended with exit code {ran.exit_code}"
    if not ran.all_ports or serving.port not in {None, *ran.ports, *ran.udp_ports}:
        where = f"port {serving.port}" if serving.port else "a port"
        return f"it was to listen on {where} within {seconds:g} s, and listens on {', '.join(ran.all_ports) or 'none'}"
    if not is_ready(serving, ran.ports, ran.answers):
        return f"it was to answer {serving.ready} with a status below {_NO_LONGER_GOOD}, and {_answered(serving, ran)}"
    if ran.stop_seconds is None:
        return f"it was to end within {serving.stop_seconds:g} s of SIGTERM, and did not"
    return ""


def _is_good(answer: str) -> bool:
    kind, _, status = answer.partition(" ")
    return kind == "HTTP" and int(status) < _NO_LONGER_GOOD


def _answered(serving: Serving, ran: Ran) -> str:
    pairs = [
        (port, answer) for port, answer in zip(ran.ports, ran.answers, strict=True) if serving.port in {None, port}
    ]
    if not pairs:
        return 'is on UDP alone: `ready = ""` asks nothing'
    return " and ".join(f"{port} answered {answer or 'nothing'}" for port, answer in pairs)
