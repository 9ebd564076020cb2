"""Says what a program did by itself of which nothing was expected: in a table, for other programs, in a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bareboat.report.figures import seconds_text, size_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bareboat.result.measurement import Figure
    from bareboat.result.values import Ran, Result

RAN_KEYS = (
    "running",
    "exit_code",
    "ports",
    "answers",
    "listen_seconds",
    "stop_seconds",
    "peak_bytes",
    "completed",
    "mended",
)


def ran_text(result: Result) -> str:
    """In a few words: `exit 2`, `serves 8080: HTTP 200`, `exit 0, with tz`; "" where it was not to show it."""
    mended = [f"with {mend.name}" for mend in result.mended]
    return ", ".join([*([words] if (words := _words(result.ran)) else []), *mended])


def _words(ran: Ran | None) -> str:
    if ran is None:
        return ""
    if ran.running:
        pairs = zip(ran.ports, ran.answers, strict=True)
        asked = [f"{port}: {answer}" if answer else str(port) for port, answer in pairs]
        served = ", ".join([*asked, *ran.all_ports[len(asked) :]])
        return f"serves {served}" if served else "runs on"
    return "" if ran.exit_code is None else f"exit {ran.exit_code}"


def ran_values(result: Result) -> tuple[Figure, ...]:
    """The values of RAN_KEYS, several of one joined by commas."""
    ran, completed = result.ran, ", ".join(one.to for one in result.completed) or None
    mended = ", ".join(mend.name for mend in result.mended) or None
    if ran is None:
        return (*(None,) * (len(RAN_KEYS) - 2), completed, mended)
    ports = ", ".join(ran.all_ports) or None
    return (
        *(ran.running, ran.exit_code, ports, ", ".join(ran.answers) or None),
        *(ran.listen_seconds, ran.stop_seconds, ran.peak_bytes, completed, mended),
    )


def run_sentences(ran: Ran) -> Iterator[str]:
    """What the reader should know of a run: how a service begins and ends, why another did not end with 0."""
    if ran.running:
        yield _service_sentence(ran)
        if ran.local_ports:
            ports = " and ".join(map(str, ran.local_ports))
            yield f"Nobody outside its container reaches {ports}: have it listen on 0.0.0.0 instead of 127.0.0.1."
    elif ran.exit_code:
        said = f", and said: {ran.said}" if ran.said else ""
        yield f"It ended with exit code {ran.exit_code}{said}"
        yield "(package.metadata.bareboat in Cargo.toml gives it `arguments = [...]` and `env = { NAME = ... }`)"


def _service_sentence(ran: Ran) -> str:
    asked = [f"{port} ({answer or 'not asked'})" for port, answer in zip(ran.ports, ran.answers, strict=True)]
    ports = " and ".join([*asked, *ran.all_ports[len(asked) :]])
    listens = f"listens on {ports} after {seconds_text(ran.listen_seconds)}"
    begins = listens if ports else "runs on and listens on no TCP port"
    begins += f", with {size_text(ran.peak_bytes)} of memory at most" if ran.peak_bytes else ""
    if ran.stop_seconds is None:
        return (
            f"It {begins}, and does not heed SIGTERM: stopping it takes ten seconds and ends in SIGKILL. "
            "Have it handle SIGTERM, or run it with --init."
        )
    return f"It {begins}, and ends {seconds_text(ran.stop_seconds)} after SIGTERM with exit code {ran.exit_code}."
